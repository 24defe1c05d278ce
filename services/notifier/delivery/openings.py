"""When a delivery may be told: the rules of timing, with what is known of its subscription and of the silences."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from services.notifier.delivery.deliveries import Deferral, Delivery
from services.notifier.events.published_event import PublishedEvent
from services.notifier.events.traits import EventTraits
from services.notifier.silences.silence import Silence, mutes_for
from services.notifier.timing.first_allowed import AT_ANY_TIME, Mute, Opening, Timing, first_allowed, that_fit
from services.plumbing.zones import zone_named

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class Openings:
    """Says what may be told now. `silences` gives those that hold or are to come, as they were read last."""

    def __init__(self, silences: Callable[[], Sequence[Silence]] = tuple) -> None:
        self._silences = silences

    @property
    def has_silences(self) -> bool:
        """Whether anything is silenced for anybody, now or later."""
        return bool(self._silences())

    def deferral(
        self, subscription: UUID, timing: Timing | None, zone: str, event: EventTraits, now: datetime, arrived: datetime
    ) -> Deferral | None:
        """Until when a subscription's delivery of an event with these traits is put off; None where it may be told."""
        silences = self._silences()
        if timing is None and not silences:
            return None
        timing = timing or AT_ANY_TIME
        mutes = that_fit((*timing.mutes, *mutes_for(silences, subscription)), event)
        opening = _opening(now, timing, zone_named(zone), mutes, arrived)
        if opening.at <= now:
            return None
        parts_threads = any(
            (mute.filters.events or mute.filters.parties) and now < mute.ends and (mute.begins or now) < opening.at
            for mute in mutes
        )
        return Deferral(opening, parts_threads)

    def of_delivery(self, delivery: Delivery, event: PublishedEvent | None, now: datetime) -> Deferral | None:
        """The same of a delivery that was claimed; one whose event is not at hand is to be looked at once more."""
        to = delivery.recipient
        if to.timing is None and not self.has_silences:
            return None
        if event is None:
            return Deferral(Opening(now, None))
        try:
            traits = event.traits
        except ValueError:  # a row of an older contract: only what it is about can't be told
            return None
        return self.deferral(to.id, to.timing, to.zone, traits, now, delivery.created_at)


@lru_cache(maxsize=4096)
def _opening(now: datetime, timing: Timing, zone: "ZoneInfo", mutes: tuple[Mute, ...], arrived: datetime) -> Opening:
    """A batch asks the same of many rows."""
    return first_allowed(now, timing, zone, mutes, arrived=arrived)
