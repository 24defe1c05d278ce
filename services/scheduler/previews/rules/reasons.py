"""Why a reminder is due when it is, as one sentence in the reader's language: from data that says all of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal

from contracts.vocabulary import Precision
from services.i18n.catalogue import N_
from services.i18n.words import Words
from services.plumbing.business_days import DayOff
from services.plumbing.zones import zone_named
from services.scheduler.ladders.countdown import Countdown
from services.scheduler.ladders.ladder import Step
from services.scheduler.ladders.planning import LeftOutRung, PlanningReason
from services.scheduler.previews.rules.holiday_names import calendar_place, holiday_name

MOST_WEEKENDS = 3
"""More weekends than these are counted in a sentence, and not listed."""

CountedFrom = Literal["first-day", "last-day", "only-day", "scheduled-on"]
"""What the day is that is counted from."""

_ANCHORS = {
    "first-day": N_("%(day)s (the first day)"),
    "last-day": N_("%(day)s (the last day)"),
}

_ON = {
    "first-day": N_("On the first day"),
    "last-day": N_("On the last day"),
    "only-day": N_("On the day"),
}

_COARSE = {
    Precision.MONTH: N_("the date is known to the month"),
    Precision.SEASON: N_("the date is known to the season"),
    Precision.YEAR: N_("the date is known to the year"),
    Precision.DECADE: N_("the date is known to the decade"),
}


@dataclass(frozen=True)
class InstantReason:
    """All that the instant of a reminder comes from, by the rules that hold now."""

    reason: PlanningReason
    anchor: CountedFrom
    window: timedelta
    """Behind the rung's time, over which reminders are spread."""
    nominal_at: datetime
    """The instant by these rules, without the jitter."""
    due_at: datetime
    """The instant by these rules."""
    months_apart: int
    """Between two reviews; 0 for what is none."""
    month_end: date | None
    """The first of a month in which the day of the month that was counted from is missing."""
    on_the_ladder: bool
    """Whether the ladder that holds now has this step."""


def instant_reason(reason: PlanningReason, count: Countdown, step: Step) -> InstantReason:
    """The data of the sentence about a step; raises `OverflowError` where the calendar ends before it."""
    due_at = count.due_at(step)
    if due_at is None:
        raise OverflowError(f"the calendar ends before {step.name}")
    if step.direction == "review":
        anchor: CountedFrom = "scheduled-on"
    elif count.opens == count.closes:
        anchor = "only-day" if count.is_event_of_known_days else "last-day"
    else:
        anchor = "last-day" if step.direction == "after" else "first-day"
    monthly = step.unit == "m" or step.direction == "review"
    return InstantReason(
        reason=reason,
        anchor=anchor,
        window=count.book.jitter,
        nominal_at=due_at - reason.jitter,
        due_at=due_at,
        months_apart=(count.milestone.review_months or count.book.review_months) if anchor == "scheduled-on" else 0,
        month_end=reason.day.replace(day=1) if monthly and reason.day.day < reason.counted_from.day else None,
        on_the_ladder=count.is_endless(step) or (step in count.ladder.by_step and count.has(step)),
    )


def reason_sentence(what: InstantReason, words: Words, due_at: datetime | None = None) -> str:
    """One sentence: counted from which day, what was left out, at which clock, and why if not simply ahead.

    `due_at` is the instant as it was planned, where that may have been by other rules than those of now.
    """
    parts = [*_counted(what, words), *_clock(what, words), *_state(what, words)]
    if not what.on_the_ladder:
        parts.append(words.gettext("the ladder that holds now has no such step"))
    elif due_at is not None and due_at != what.due_at:
        now = words.moment(what.due_at, what.reason.zone)
        parts.append(words.gettext("it was planned by other rules: those of now have it on %(moment)s", moment=now))
    return "; ".join(parts).removesuffix(".") + "."  # one full stop behind "a.m." is enough


def _counted(what: InstantReason, words: Words) -> Iterator[str]:
    reason = what.reason
    yield words.line(_step(what, words), words.day(reason.day, "full"))
    if what.month_end:
        month = words.month(what.month_end)
        number = str(reason.counted_from.day)
        yield words.gettext("%(month)s has no day %(number)s, so it is its last", month=month, number=number)
    if reason.skipped:
        yield words.gettext("not counted: %(days)s", days=words.listed(_skipped_days(reason.skipped, words)))


def _step(what: InstantReason, words: Words) -> str:
    step = what.reason.rung.step
    day = words.day(what.reason.counted_from)
    if what.anchor in _ANCHORS:
        day = words.gettext(_ANCHORS[what.anchor], day=day)
    if step.direction == "review":
        return words.ngettext(
            "Review %(review)s, every %(number)s month from %(day)s on",
            "Review %(review)s, every %(number)s months from %(day)s on",
            what.months_apart,
            review=str(step.count),
            day=day,
        )
    if step.direction == "on":
        return words.gettext(_ON[what.anchor])
    return _before(step, words, day) if step.direction == "before" else _after(step, words, day)


def _before(step: Step, words: Words, day: str) -> str:
    match step.unit:
        case "bd":
            return words.ngettext(
                "%(number)s business day before %(day)s", "%(number)s business days before %(day)s", step.count, day=day
            )
        case "w":
            return words.ngettext(
                "%(number)s week before %(day)s", "%(number)s weeks before %(day)s", step.count, day=day
            )
        case "m":
            return words.ngettext(
                "%(number)s month before %(day)s", "%(number)s months before %(day)s", step.count, day=day
            )
        case "d":
            return words.ngettext(
                "%(number)s day before %(day)s", "%(number)s days before %(day)s", step.count, day=day
            )


def _after(step: Step, words: Words, day: str) -> str:
    match step.unit:
        case "bd":
            return words.ngettext(
                "%(number)s business day after %(day)s", "%(number)s business days after %(day)s", step.count, day=day
            )
        case "w":
            return words.ngettext(
                "%(number)s week after %(day)s", "%(number)s weeks after %(day)s", step.count, day=day
            )
        case "m":
            return words.ngettext(
                "%(number)s month after %(day)s", "%(number)s months after %(day)s", step.count, day=day
            )
        case "d":
            return words.ngettext("%(number)s day after %(day)s", "%(number)s days after %(day)s", step.count, day=day)


def _skipped_days(skipped: Sequence[DayOff], words: Words) -> Iterator[str]:
    """Weekends as days together, holidays by name; in the order of the calendar."""
    stretches = list(_groups(skipped))
    weekends = [stretch for stretch in stretches if stretch[0].why == "weekend"]
    if len(weekends) > MOST_WEEKENDS:
        number = sum(len(stretch) for stretch in weekends)
        yield words.ngettext("%(number)s day of weekends", "%(number)s days of weekends", number)
        stretches = [stretch for stretch in stretches if stretch[0].why != "weekend"]
    for stretch in stretches:
        days = words.days_without_year(stretch[0].day, stretch[-1].day)
        if stretch[0].why == "weekend":
            yield words.gettext("%(days)s (weekend)", days=days)
        else:
            yield f"{days} ({_holidays(stretch, words)})"


def _groups(skipped: Sequence[DayOff]) -> Iterator[list[DayOff]]:
    """A Saturday with its Sunday; all holidays of a day."""
    stretch: list[DayOff] = []
    for off in sorted(skipped, key=lambda off: off.day):
        if stretch and not _belongs(stretch[-1], off):
            yield stretch
            stretch = []
        stretch.append(off)
    if stretch:
        yield stretch


def _belongs(last: DayOff, off: DayOff) -> bool:
    if last.why != off.why:
        return False
    return off.day - last.day <= timedelta(days=1) if off.why == "weekend" else off.day == last.day


def _holidays(stretch: Sequence[DayOff], words: Words) -> str:
    def name(off: DayOff) -> str:
        named = holiday_name(off, words)
        if words.speaks(named.language):
            return named.text
        return words.gettext("%(name)s, its name in English", name=named.text)

    named_days = []
    for text, group in groupby(sorted(stretch, key=name), key=name):
        places = words.listed(calendar_place(off.calendar or "", words) for off in group)
        named_days.append(words.line(places, text))
    return ", ".join(named_days)


def _clock(what: InstantReason, words: Words) -> Iterator[str]:
    reason = what.reason
    named_days = what.nominal_at.astimezone(zone_named(reason.zone))
    values = {"time": words.time_of_day(named_days), "place": words.place(reason.zone)}
    match reason.clock:
        case "gap":
            wall = words.time_of_day(reason.rung.at)
            yield words.gettext("at %(time)s (%(place)s), since the clocks skip %(wall)s that day", wall=wall, **values)
        case "overlap":
            yield words.gettext("at %(time)s (%(place)s), the first of the two times that the clocks show it", **values)
        case _:
            yield words.gettext("at %(time)s (%(place)s)", **values)
    if what.window:
        values = {"delay": _span(reason.jitter), "window": _span(what.window)}
        yield words.gettext("%(delay)s later, within %(window)s, so that not all come at once", **values)


def _state(what: InstantReason, words: Words) -> Iterator[str]:
    match what.reason.why:
        case "before-it-was-planned":
            yield words.gettext("that was before it was planned, so it is recorded and never told")
        case "put-into-the-past-by-a-move":
            yield words.gettext("the moved date put it into the past, so it is told once, marked late")
        case "asked-when-it-was-planned":
            yield words.gettext("the day was over when it was planned, so it is asked once, marked late")


def _span(length: timedelta) -> str:
    """`4 min 12 s`, in the symbols of the SI, which all three languages share; `0 s`."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def left_out_sentence(one: LeftOutRung, count: Countdown, words: Words) -> str:
    """One sentence about a rung that a milestone does not get."""
    match one.why:
        case "no-last-day":
            months = count.milestone.review_months or count.book.review_months
            return words.ngettext(
                "Not planned: without a last day nothing is counted to, and it is looked at every %(number)s month.",
                "Not planned: without a last day nothing is counted to, and it is looked at every %(number)s months.",
                months,
            )
        case "finer-than-the-date":
            known = words.gettext(_COARSE[count.precision])
            return words.ngettext(
                "Not planned: %(known)s only, and %(number)s day before is the shortest notice then.",
                "Not planned: %(known)s only, and %(number)s days before is the shortest notice then.",
                one.shortest_notice,
                known=known,
            )
        case "calendar-ends":
            return words.gettext("Not planned: the calendar ends before it.")
