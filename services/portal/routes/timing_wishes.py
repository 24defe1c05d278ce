"""When a reader wants to be told, between the form of the page and what the notifier keeps: pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from services.plumbing.zones import day_in, instant_at, zone_named
from services.portal.clients.notifier import FiltersView, HolidayRegionView, MuteView, QuietHoursView, TimingView
from services.portal.page_renderer import WEEKDAYS
from services.portal.routes.posted_form import PostedForm

RHYTHMS = ("immediate", "daily", "weekly")
NONE, EACH_DAY, AS_IT_IS = "none", "each-day", "own"
"""Quiet hours: none, the same each day, or as somebody has set them up otherwise."""
OFFERED_HOLIDAYS = ("CA", "MX", "US")
LONGEST_MUTE = 366
"""Days from today."""
MONTH = timedelta(days=30)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True)
class TimingWishes:
    """What stands in the form about when to be told."""

    rhythm: str = "immediate"
    at: str = "09:00"
    weekday: str = "monday"
    quiet: str = NONE
    begins: str = "20:00"
    ends: str = "07:00"
    holidays: frozenset[str] = frozenset()
    """Whose days off: `MX`, `CA-QC`."""
    kept_mutes: frozenset[str] = frozenset()
    """By their place among those that there are."""
    mute_what: str = ""
    """A theme, or empty for everything."""
    mute_until: str = ""
    """The last day of a new one; empty for none."""

    @classmethod
    def of(cls, timing: TimingView) -> Self:
        """As it is."""
        quiet, hours = quiet_name(timing), timing.quiet_hours[:1]
        times = {"begins": hours[0].begins, "ends": hours[0].ends} if quiet == EACH_DAY else {}
        return cls(
            rhythm=timing.rhythm,
            at=timing.at,
            weekday=timing.weekday,
            quiet=quiet,
            holidays=frozenset(map(region_name, timing.holidays)),
            kept_mutes=frozenset(str(number) for number in range(len(timing.mutes))),
            **times,
        )

    @classmethod
    def entered(cls, form: PostedForm) -> Self:
        """As somebody has filled it in; a form without these fields asks for nothing of it."""
        return cls(
            rhythm=form.one("rhythm") or "immediate",
            at=form.one("digest-at") or "09:00",
            weekday=form.one("digest-day") or "monday",
            quiet=form.one("quiet") or NONE,
            begins=form.one("quiet-begins") or "20:00",
            ends=form.one("quiet-ends") or "07:00",
            holidays=frozenset(form.all("holidays")),
            kept_mutes=frozenset(form.all("mutes")),
            mute_what=form.one("mute-what"),
            mute_until=form.one("mute-until"),
        )


@dataclass(frozen=True)
class WishedTiming:
    """The timing that is asked of the notifier, None for at once and at any time; or which fields are wrong."""

    asked: Mapping[str, Any] | None = None
    wrong: frozenset[str] = field(default_factory=frozenset)


def quiet_name(timing: TimingView) -> str:
    """By which name the quiet hours stand in the form."""
    match timing.quiet_hours:
        case ():
            return NONE
        case (hours,) if not hours.weekdays or len(hours.weekdays) == len(WEEKDAYS):
            return EACH_DAY
    return AS_IT_IS


def region_name(region: HolidayRegionView) -> str:
    """`MX`, `CA-QC`."""
    return f"{region.country}-{region.subdivision}" if region.subdivision else region.country


def offered_holidays(timing: TimingView) -> list[str]:
    """Whose days off may be chosen: those of the three countries, and those that are chosen already."""
    return list(dict.fromkeys((*OFFERED_HOLIDAYS, *map(region_name, timing.holidays))))


def timing_as_wished(timing: TimingView, wishes: TimingWishes, zone: str, now: datetime) -> WishedTiming:
    """The timing that comes of what was entered, on the clock of a zone that there is."""
    today = day_in(zone_named(zone), now)
    last = _last_day(wishes.mute_until)
    is_muting = bool(wishes.mute_until)
    right = {
        "rhythm": wishes.rhythm in RHYTHMS and wishes.weekday in WEEKDAYS and bool(_TIME.fullmatch(wishes.at)),
        "quiet": wishes.quiet == NONE
        or (wishes.quiet == EACH_DAY and _leaves_an_hour(wishes.begins, wishes.ends))
        or wishes.quiet == AS_IT_IS == quiet_name(timing),
        "holidays": wishes.holidays <= frozenset(offered_holidays(timing)),
        "mutes": not is_muting
        or (last is not None and today <= last < today + timedelta(days=LONGEST_MUTE) and len(wishes.mute_what) <= 80),
    }
    if wrong := frozenset(name for name, is_right in right.items() if not is_right):
        return WishedTiming(wrong=wrong)
    mutes = [mute for number, mute in enumerate(timing.mutes) if str(number) in wishes.kept_mutes and mute.until > now]
    if is_muting and last is not None:
        filters = FiltersView(themes=(wishes.mute_what,)) if wishes.mute_what else FiltersView()
        mutes.append(MuteView(filters=filters, until=instant_at(last + timedelta(days=1), time(), zone_named(zone))))
    wished = TimingView(
        rhythm=wishes.rhythm,
        at=wishes.at,
        weekday=wishes.weekday,
        quiet_hours=_quiet_hours(timing, wishes),
        holidays=tuple(_region(name) for name in offered_holidays(timing) if name in wishes.holidays),
        mutes=tuple(mutes),
    )
    return WishedTiming(asked_of(wished))


def asked_of(timing: TimingView) -> Mapping[str, Any] | None:
    """A timing as the notifier takes it; None where everything is told at once."""
    return None if timing.is_at_any_time else timing.model_dump(mode="json")


def muted_for_a_month(timing: TimingView, now: datetime) -> Mapping[str, Any] | None:
    """The timing with everything muted for a month from now."""
    muted = MuteView(filters=FiltersView(), until=now.replace(microsecond=0) + MONTH)
    return asked_of(timing.model_copy(update={"mutes": (*timing.mutes, muted)}))


def in_a_weekly_digest(timing: TimingView) -> Mapping[str, Any] | None:
    """The timing with a digest each week in place of its rhythm."""
    return asked_of(timing.model_copy(update={"rhythm": "weekly"}))


def _quiet_hours(timing: TimingView, wishes: TimingWishes) -> tuple[QuietHoursView, ...]:
    match wishes.quiet:
        case "own":
            return timing.quiet_hours
        case "each-day":
            return (QuietHoursView(begins=wishes.begins, ends=wishes.ends),)
    return ()


def _region(name: str) -> HolidayRegionView:
    country, _, subdivision = name.partition("-")
    return HolidayRegionView(country=country, subdivision=subdivision or None)


def _leaves_an_hour(begins: str, ends: str) -> bool:
    """Whether these are times, and leave an hour of each day."""
    if not (_TIME.fullmatch(begins) and _TIME.fullmatch(ends)):
        return False
    start, end = (60 * int(wall[:2]) + int(wall[3:]) for wall in (begins, ends))
    return (start - end) % (24 * 60) >= 60


def _last_day(entered: str) -> date | None:
    try:
        return date.fromisoformat(entered) if _DAY.fullmatch(entered) else None
    except ValueError:
        return None
