"""When a subscription wants to be told: what is sent to us and kept about it, and the rules that it comes to."""

from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from contracts.filters import sorted_once
from contracts.vocabulary import WallTime
from services.notifier.channels import FOR_PEOPLE
from services.notifier.subscriptions.filter_form import FilterForm
from services.notifier.subscriptions.own_ladder import HolidayRegion
from services.notifier.timing.first_allowed import Mute, Timing
from services.notifier.timing.quiet_hours import WEEKDAYS, QuietHours, loud_minutes
from services.notifier.timing.rhythm import Rhythm, RhythmKind
from services.plumbing.business_days import RegionalCalendar, weekend_days
from services.plumbing.http.forms import EnteredInstant, RequestModel
from services.plumbing.sentences import Sentence

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

MOST_MUTES = 20
LONGEST_MUTE = timedelta(days=366)
"""From when it is asked for; silences are no longer either."""
_LEAST_LOUD = 60
"""Minutes of one day of the week that quiet hours have to leave."""


class QuietHoursForm(RequestModel):
    """From when until when nothing is told, on the clock of the subscription's zone.

    They cross midnight where they end earlier than they begin, and last the whole day where both are the same.
    """

    begins: WallTime
    ends: WallTime
    weekdays: Annotated[tuple[Weekday, ...], Field(max_length=7), AfterValidator(sorted_once)] = ()
    """The days on which they begin; none for every day."""

    @property
    def rule(self) -> QuietHours:
        """The quiet hours as a rule."""
        named = frozenset(map(WEEKDAYS.index, self.weekdays))
        return QuietHours(time.fromisoformat(self.begins), time.fromisoformat(self.ends), named or frozenset(range(7)))


class MuteForm(RequestModel):
    """What is not told for a while; it is told when that ends."""

    filters: FilterForm = FilterForm()
    """As a subscription has them; with none, everything is muted."""
    until: EnteredInstant


class TimingForm(RequestModel):
    """When to be told: at once or in digests, and not in quiet hours, on days off or while something is muted.

    What may not be told now is put off to the first minute in which it may, and told together with what waits for the
    same.
    """

    rhythm: RhythmKind = "immediate"
    at: WallTime = "09:00"
    """When a digest comes, on the clock of the subscription's zone."""
    weekday: Weekday = "monday"
    """When a weekly digest comes."""
    quiet_hours: Annotated[tuple[QuietHoursForm, ...], Field(max_length=14)] = ()
    holidays: Annotated[tuple[HolidayRegion, ...], Field(max_length=10)] = ()
    """Nothing is told on a day that is no business day for all of these: their weekends and public holidays. A digest
    of such a day comes on the next business day."""
    mutes: Annotated[tuple[MuteForm, ...], Field(max_length=MOST_MUTES)] = ()

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        quiet = [hours.rule for hours in self.quiet_hours]
        working = set(range(7)) - weekend_days(self._calendars)
        if quiet and all(loud_minutes(quiet, day) < _LEAST_LOUD for day in working):
            raise ValueError(Sentence("the quiet hours leave not one hour of a week in which anything could be told"))
        return self

    @property
    def _calendars(self) -> tuple[RegionalCalendar, ...]:
        return tuple(RegionalCalendar(region.country, region.subdivision) for region in self.holidays)

    @property
    def is_at_any_time(self) -> bool:
        """Whether everything is told at once."""
        return not (self.rhythm != "immediate" or self.quiet_hours or self.holidays or self.mutes)

    @property
    def rules(self) -> Timing:
        """The timing as the rules take it."""
        return Timing(
            Rhythm(self.rhythm, time.fromisoformat(self.at), WEEKDAYS.index(self.weekday)),
            tuple(hours.rule for hours in self.quiet_hours),
            self._calendars,
            tuple(Mute(mute.filters.filters, mute.until) for mute in self.mutes),
        )


def check_timing(channel: str, timing: TimingForm | None) -> None:
    """Refuse what a channel for programs can't have; raises ValueError."""
    if timing and channel not in FOR_PEOPLE and (timing.rhythm != "immediate" or timing.quiet_hours or timing.holidays):
        raise ValueError(
            Sentence("a webhook gets each event at once: it may have mutes, but no rhythm, quiet hours or holidays")
        )


def timing_column(timing: TimingForm | None, now: datetime) -> dict[str, Any] | None:
    """What is kept of a timing, without mutes that are over; None for none. Raises ValueError for too long a mute."""
    if timing is None:
        return None
    if any(mute.until - now > LONGEST_MUTE for mute in timing.mutes):
        raise ValueError(Sentence("a mute ends within %(most_days)s days", most_days=LONGEST_MUTE.days))
    kept = timing.model_copy(update={"mutes": tuple(mute for mute in timing.mutes if mute.until > now)})
    return None if kept.is_at_any_time else kept.model_dump(mode="json")


def kept_timing(kept: Any) -> TimingForm | None:
    """The timing of a row, without what a later release may have added to it."""
    return None if kept is None else TimingForm.model_validate(kept, extra="ignore")
