"""A silence, and for whom it holds. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.notifier.timing.first_allowed import Mute

NOTICE = timedelta(hours=24)
"""So long before its end notice is given, or in the last quarter of a shorter one."""


@dataclass(frozen=True)
class Silence:
    """What holds for others than who made it: for some subscriptions, or for all of them."""

    id: UUID
    mute: Mute
    subscriptions: frozenset[UUID] | None = None
    """None for all, whoever has them."""

    def is_for(self, subscription: UUID) -> bool:
        """Whether it holds for a subscription."""
        return self.subscriptions is None or subscription in self.subscriptions


def mutes_for(silences: Iterable[Silence], subscription: UUID) -> tuple[Mute, ...]:
    """What is silenced for a subscription."""
    return tuple(silence.mute for silence in silences if silence.is_for(subscription))


def notice_at(begins: datetime, ends: datetime) -> datetime:
    """From when on notice is given that a silence ends."""
    return ends - min(NOTICE, (ends - begins) / 4)


def state_at(now: datetime, begins: datetime, ends: datetime, ended_at: datetime | None) -> str:
    """How it stands with a silence: `upcoming`, `active`, `ending` (the same, near its end) or `ended`."""
    if ended_at is not None or ends <= now:
        return "ended"
    if now < begins:
        return "upcoming"
    return "ending" if notice_at(begins, ends) <= now else "active"
