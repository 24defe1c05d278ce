"""The first instant at which somebody may be told of something, and the rule that decided it.

Nothing is dropped: what may not be told now is told then, together with whatever else waits for the same instant.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from contracts.filters import Filterable, Filters, matches
from services.notifier.timing.quiet_hours import QuietHours, day_off_until, quiet_until
from services.notifier.timing.rhythm import Rhythm, first_run
from services.plumbing.business_days import RegionalCalendar

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

TimingRule = Literal["digest", "quiet-hours", "holiday", "mute", "silence"]
"""Which rule decided when; at once is none."""
PutOffRule = Literal[TimingRule, "trial"]
"""The same, and the trial, which no instant ends but an operator's word."""


@dataclass(frozen=True)
class Mute:
    """What is not told from one instant until another (half-open): all that fits the filters.

    A reader's own is a mute; one that an operator or a ministry has made for others is a silence.
    """

    filters: Filters
    ends: datetime
    begins: datetime | None = None
    """None for one that has begun."""
    rule: Literal["mute", "silence"] = "mute"

    def covers(self, now: datetime) -> bool:
        """Whether it holds at an instant."""
        return (self.begins is None or self.begins <= now) and now < self.ends


@dataclass(frozen=True)
class Timing:
    """When a subscription wants to be told."""

    rhythm: Rhythm = field(default_factory=Rhythm)
    quiet: tuple[QuietHours, ...] = ()
    holidays: tuple[RegionalCalendar, ...] = ()
    """Nothing is told on a day that is no business day of all of these."""
    mutes: tuple[Mute, ...] = ()


AT_ANY_TIME = Timing()
_LONGEST = timedelta(days=800)
"""Beyond which nothing is put off any further, whatever the rows say: no mute or silence is let be as long as half of
it, and the forms refuse quiet hours that leave nothing."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The first allowed instant; `rule` is the one that put it off last, None where nothing did.

    `run` is the digest's that tells it.
    """

    at: datetime
    rule: PutOffRule | None
    run: datetime | None = field(default=None, compare=False)


def first_allowed(
    now: datetime, timing: Timing, zone: "ZoneInfo", mutes: Iterable[Mute] = (), *, arrived: datetime | None = None
) -> Opening:
    """The first instant, `now` or later, at which a subscription may be told of something that came at `arrived`.

    `mutes` are those that hold for it: the subscription's own and the silences (`that_fit`). What a mute held back, a
    digest tells in the first run after its end, or at its end where it runs just then. It holds back a run that comes
    while it lasts, and what might be told but for it; within quiet hours or a day off it holds nothing back.
    """
    held = tuple(mutes)
    at: datetime = now
    rule: TimingRule | None = None
    run: datetime | None = None
    since, inclusive = arrived or now, False
    while at - now < _LONGEST:
        if timing.rhythm.is_digest:
            next_run = first_run(timing.rhythm, since, zone, timing.holidays, inclusive=inclusive)
            if next_run > at:
                at, rule, run = next_run, "digest", next_run
            elif inclusive and next_run == at:
                run = at
        covering = max((mute for mute in held if mute.covers(at)), key=lambda mute: mute.ends, default=None)
        if covering and (at == run or not timing.rhythm.is_digest):
            at, rule = covering.ends, covering.rule
            since, inclusive = at, True
        elif until := day_off_until(at, timing.holidays, zone):
            at, rule = until, "holiday"
        elif until := quiet_until(at, timing.quiet, zone):
            at, rule = until, "quiet-hours"
        elif covering:
            at, rule = covering.ends, covering.rule
            since, inclusive = at, True
        else:
            break
    return Opening(at, rule, run)


def that_fit(mutes: Iterable[Mute], event: Filterable) -> tuple[Mute, ...]:
    """The mutes that hold for an event with these traits."""
    return tuple(mute for mute in mutes if matches(mute.filters, event))
