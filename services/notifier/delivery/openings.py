"""When a delivery may be told: the rules of timing, with what is known of its subscription, of silences and a trial."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from services.notifier.delivery.deliveries import Deferral, Delivery, Recipient
from services.notifier.delivery.trial import TRIAL, UNTIL_GO_LIVE, Trial
from services.notifier.events.published_event import PublishedEvent
from services.notifier.events.traits import EventTraits
from services.notifier.silences.silence import Silence, mutes_for
from services.notifier.timing.first_allowed import AT_ANY_TIME, Mute, Opening, Timing, first_allowed, that_fit
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets
from services.plumbing.zones import zone_named

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class Openings:
    """Says what may be told now.

    `silences` gives those that hold or are to come, `trial` the one that is on, as they were read last.
    """

    def __init__(
        self,
        silences: Callable[[], Sequence[Silence]] = tuple,
        trial: Callable[[], Trial | None] = lambda: None,
        secrets: Secrets = IN_THE_CLEAR,
    ) -> None:
        self._silences = silences
        self._trial = trial
        self.secrets = secrets
        """What opens the addresses that a trial asks for."""

    @property
    def may_hold_anybody(self) -> bool:
        """Whether something holds for others than those who have a timing: a silence, now or later, or a trial."""
        return bool(self._silences()) or self._trial() is not None

    def deferral(self, to: Recipient, event: EventTraits, now: datetime, arrived: datetime) -> Deferral | None:
        """Until when a delivery of an event with these traits is put off; None where it may be told."""
        if held := self._held_by_trial(to):
            return held
        silences = self._silences()
        if to.timing is None and not silences:
            return None
        timing = to.timing or AT_ANY_TIME
        mutes = that_fit((*timing.mutes, *mutes_for(silences, to.id)), event)
        opening = _opening(now, timing, zone_named(to.zone), mutes, arrived)
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
        if to.timing is None and not self.may_hold_anybody:
            return None
        if held := self._held_by_trial(to):  # whatever it is about
            return held
        if event is None:
            return Deferral(Opening(now, None))
        try:
            traits = event.traits
        except ValueError:  # a row of an older contract: only what it is about can't be told
            return None
        # What a trial has held comes when it ends, for a digest too.
        arrived = now if delivery.rule == TRIAL else delivery.created_at
        return self.deferral(to, traits, now, arrived)

    def _held_by_trial(self, to: Recipient) -> Deferral | None:
        trial = self._trial()
        # Whose address can't be read here, to them nothing can be sent from here either: it is asked for at the claim.
        if trial is None or not to.address or trial.permits(to.id, to.channel, to.address):
            return None
        return Deferral(Opening(UNTIL_GO_LIVE, TRIAL), trial=trial)


@lru_cache(maxsize=4096)
def _opening(now: datetime, timing: Timing, zone: "ZoneInfo", mutes: tuple[Mute, ...], arrived: datetime) -> Opening:
    """A batch asks the same of many rows."""
    return first_allowed(now, timing, zone, mutes, arrived=arrived)
