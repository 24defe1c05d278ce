"""Resolves a phrase: an EDTF value from the tree, the statement's day and its policy, with what else it could be.

Counting months: the same day of the month, and where that month is shorter its last day, so 18 months from 31 August
end on 28 (or 29) February; a year from 29 February ends on 28 February.
"""

from datetime import date, timedelta
from typing import Literal

from services.registry.wordings.days import Days, ReadingContext, alternative
from services.registry.wordings.edtf_values import (
    checked_year,
    day_value,
    days_in_month,
    ends_of,
    first_named,
    last_named,
    months_value,
)
from services.registry.wordings.nearest import in_year, nearest_day
from services.registry.wordings.phrases import (
    Ahead,
    Century,
    Core,
    Current,
    Day,
    Decade,
    Duration,
    Fiscal,
    Half,
    LongHalf,
    Month,
    NoSuchDay,
    Numeric,
    Part,
    Quarter,
    Range,
    RelativePoint,
    SameTime,
    Season,
    Share,
    Shifted,
    UnitName,
    UnreadTime,
    Week,
    Weekday,
    Year,
)
from services.registry.wordings.same_times import same_time
from services.registry.wordings.shares import share_of, shifted
from services.registry.wordings.unresolved import UNKNOWN, no_such_day

_FISCAL_STARTS = {"US": (-1, 10), "CA": (0, 4), "MX": (0, 1)}
"""The fiscal year's first month, and how many years before the year that it is called after (Canada: its first)."""

_SOUTHERN = {21: 23, 22: 24, 23: 21, 24: 22}
_NORTHERN_MONTHS = {21: 3, 22: 6, 23: 9, 24: 12}


def days_of(core: Core, context: ReadingContext) -> Days:
    """The days of a phrase; raises ValueError or OverflowError where they lie outside the calendar."""
    match core:
        case Day(year=which, month=month, day=day):
            return in_year(
                which, context, lambda year: date(year, month, min(day, days_in_month(year, month))).isoformat()
            )
        case Month(year=which, month=month):
            return in_year(which, context, lambda year: f"{year:04}-{month:02}")
        case Season():
            return _season(core, context)
        case Quarter(year=which, number=number):
            return in_year(which, context, lambda year: months_value(year, 3 * number - 2, 3))
        case Half(year=which, number=number):
            return in_year(which, context, lambda year: months_value(year, 6 * number - 5, 6))
        case Year(year=year):
            return Days(_year(year, context))
        case Decade(first=first):
            return Days(_decade(first, context.made_on))
        case LongHalf(of=whole, number=number):
            length = 5 if isinstance(whole, Decade) else 50
            half = _first(days_of(whole, context)).year + length * (number - 1)
            return Days(f"{half:04}/{half + length - 1:04}")
        case Current(unit=unit, ahead=ahead):
            return Days(_current(unit, ahead, context.made_on))
        case Numeric():
            return _numeric(core, context)
        case Fiscal():
            return _fiscal(core, context)
        case Part():
            return _part(core, context)
        case Share():
            return share_of(days_of(core.of, context), core)
        case Century():
            return Days(f"{_century(context):04}/{_century(context) + 99:04}")
        case Range(first=one, last=other):
            return _range(days_of(one, context), days_of(other, context))
        case Week(day=day_core):
            first_day = _first(days_of(day_core, context))
            return Days(f"{first_day}/{first_day + timedelta(days=6)}")
        case Weekday():
            return nearest_day(core, context)
        case Duration(count=count, unit=unit):
            return _stretch(count, unit, context)
        case RelativePoint(count=count, unit=unit):
            return _moment(count, unit, context)
        case SameTime(of=whole):
            return same_time(days_of(whole, context), context)
        case NoSuchDay():
            return no_such_day(core, context)
        case UnreadTime():
            return UNKNOWN
        case Shifted(day=day_core, count=count, unit=unit, direction=direction):
            origin = _first(days_of(day_core, context))
            return Days(shifted(origin, count if direction == "after" else -count, unit).isoformat(), ("counted",))


def _season(core: Season, context: ReadingContext) -> Days:
    def edtf(year: int) -> str:
        if context.policy.hemisphere == "south":
            return months_value(year, _NORTHERN_MONTHS[_SOUTHERN[core.season]], 3)
        return months_value(year, 12, 3) if core.is_turn and core.season == 24 else f"{year:04}-{core.season}"

    year = core.year
    if core.season == 24 and year == Ahead(0) and context.made_on.month < 3 and context.policy.hemisphere == "north":
        year = Ahead(-1)  # "this winter", said in January, began in December
    found = in_year(year, context, edtf)
    if context.policy.hemisphere == "south":
        return found.by("hemisphere")
    if core.season == 24 and not core.is_turn and found.edtf:
        start = int(found.edtf[:4])
        why = "EDTF’s winter ends with its year; the one that people mean goes on until the end of February"
        return found.beside(alternative("whole-winter", months_value(start, 12, 3), why))
    return found


def _numeric(core: Numeric, context: ReadingContext) -> Days:
    day_month = day_value(core.year, core.second, core.first)
    month_day = day_value(core.year, core.first, core.second)
    if not (day_month or month_day):
        return no_such_day(NoSuchDay(None, core.first), context)
    if not (day_month and month_day) or day_month == month_day:
        return Days(day_month or month_day)
    other = {
        "day-month": alternative("day-month", day_month, "the day may stand before the month"),
        "month-day": alternative("month-day", month_day, "the month may stand before the day"),
    }
    order = context.policy.numeric_dates
    if order == "by-language":
        if context.day_first is None:
            return Days(None, ("numeric-dates",), tuple(other.values()))
        return Days(day_month, ("day-month",)).beside(other["month-day"])
    if order == "day-month":
        return Days(day_month, ("day-month",)).beside(other["month-day"])
    return Days(month_day, ("month-day",)).beside(other["day-month"])


def _fiscal(core: Fiscal, context: ReadingContext) -> Days:
    first = core.first if isinstance(core.first, int) else context.made_on.year + core.first.count
    if core.last is not None:
        return Days(months_value(first, 4, 12), ("fiscal-CA",))

    def edtf(country: str) -> str:
        back, month = _FISCAL_STARTS[country]
        named = first
        if isinstance(core.first, Ahead) and country == "CA" and context.made_on.month < month:
            named -= 1
        if isinstance(core.first, Ahead) and country == "US" and context.made_on.month >= month:
            named += 1
        return months_value(named + back, month, 12)

    if context.policy.fiscal:
        return Days(edtf(context.policy.fiscal), (f"fiscal-{context.policy.fiscal}",))
    each = [
        alternative(f"fiscal-{country}", edtf(country), f"it may be the fiscal year of {country}")
        for country in _FISCAL_STARTS
    ]
    return Days(None, ("fiscal",), tuple(each))


def _part(core: Part, context: ReadingContext) -> Days:
    if isinstance(core.of, Century):
        start = _century(context)
        year = {"early": start + 33, "mid": start + 50}.get(core.part, start + 100)
        return Days(f"{checked_year(year):04}", ("century",)).beside(
            alternative("century", f"{year - 1:04}", "a century may be counted from its year 0 or from its year 1")
        )
    whole = days_of(core.of, context)
    if whole.edtf is None or (core.part == "end" and context.is_deadline):
        return whole
    third = _third(whole.edtf, core.part)
    if third is None:
        return whole.by("whole")
    why = "“early”, “mid” and “late” have no borders: the whole is all that is sure"
    if context.policy.parts == "whole":
        return whole.by("whole").beside(alternative("thirds", third, "it may mean a third of the time named"))
    found = Days(third, (*whole.rules, "thirds"), whole.alternatives).beside(alternative("whole", whole.edtf, why))
    if core.part == "mid" and context.is_deadline and len(whole.edtf) == 4 and whole.edtf.isdigit():
        found = found.beside(alternative("middle", f"{whole.edtf}-06", "the middle of a year is the end of its June"))
    return found


def _third(edtf: str, part: Literal["early", "mid", "late", "end"]) -> str | None:
    """The third of a year in months, of a decade in years; None of anything finer."""
    index = {"early": 0, "mid": 1}.get(part, 2)
    if edtf.endswith("X"):
        start = int(edtf[:3]) * 10
        return ("{:04}/{:04}").format(*[(start, start + 3), (start + 4, start + 6), (start + 7, start + 9)][index])
    return months_value(int(edtf), 4 * index + 1, 4) if len(edtf) == 4 else None


def _range(first: Days, last: Days) -> Days:
    rules = tuple(dict.fromkeys([*first.rules, *last.rules]))
    if first.edtf is None or last.edtf is None:
        return Days(None, rules, (*first.alternatives, *last.alternatives))
    one, other = first_named(first.edtf), last_named(last.edtf)
    if ends_of(one)[0] > ends_of(other)[1]:
        raise ValueError("the range ends before it begins")
    return Days(f"{one}/{other}", rules)


def _stretch(count: int, unit: UnitName, context: ReadingContext) -> Days:
    end = shifted(context.made_on, count, unit)
    found = Days(f"{context.made_on.isoformat()}/{end.isoformat()}", ("counted-from-statement",))
    if (count, unit) == (1, "year"):
        why = "“the coming year” may mean the next calendar year"
        return found.beside(alternative("calendar-year", f"{checked_year(context.made_on.year + 1):04}", why))
    if (count, unit) == (1, "decade"):
        why = "“the coming decade” may mean the calendar’s next one"
        return found.beside(alternative("calendar-decade", _decade(Ahead(1), context.made_on), why))
    return found


def _moment(count: int, unit: UnitName, context: ReadingContext) -> Days:
    end = shifted(context.made_on, count, unit)
    match unit:
        case "day" | "week" | "weekend" | "fortnight":
            edtf = end.isoformat() if unit == "day" else f"{end}/{shifted(end, 6, 'day')}"
        case "month" | "quarter" | "half":
            edtf = f"{end.year:04}-{end.month:02}"
        case _:
            edtf = f"{end.year:04}"
    why = "“in” so long may mean “within”"
    return Days(edtf, ("counted-from-statement",)).beside(
        alternative("within", f"{context.made_on.isoformat()}/{end.isoformat()}", why)
    )


def _current(unit: UnitName, ahead: int, made_on: date) -> str:
    match unit:
        case "day":
            return (made_on + timedelta(days=ahead)).isoformat()
        case "fortnight":
            return f"{shifted(made_on, ahead, unit)}/{shifted(made_on, ahead + 1, unit)}"
        case "week":
            monday = made_on + timedelta(days=7 * ahead - made_on.weekday())
            return f"{monday}/{monday + timedelta(days=6)}"
        case "weekend":
            saturday = made_on + timedelta(days=7 * ahead + 5 - made_on.weekday())
            return f"{saturday}/{saturday + timedelta(days=1)}"
        case "month":
            then = shifted(made_on.replace(day=1), ahead, "month")
            return f"{then.year:04}-{then.month:02}"
    length = 3 if unit == "quarter" else 6
    then = shifted(made_on.replace(day=1), length * ahead, "month")
    return months_value(then.year, (then.month - 1) // length * length + 1, length)


def _decade(first: int | Ahead, made_on: date) -> str:
    start = first if isinstance(first, int) else made_on.year // 10 * 10 + 10 * first.count
    return f"{checked_year(start) // 10:03}X"


def _century(context: ReadingContext) -> int:
    return checked_year(context.made_on.year // 100 * 100)


def _year(year: int | Ahead, context: ReadingContext) -> str:
    return f"{checked_year(year if isinstance(year, int) else context.made_on.year + year.count):04}"


def _first(days: Days) -> date:
    return ends_of(days.edtf)[0] if days.edtf else date.min
