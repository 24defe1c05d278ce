"""So many days, weeks, months or years: counted from a day, or as a share of something longer."""

from datetime import date, timedelta

from services.plumbing.calendar_arithmetic import add_months
from services.registry.wordings.days import Days
from services.registry.wordings.edtf_values import ends_of
from services.registry.wordings.phrases import Share, UnitName

_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12, "decade": 120, "century": 1200}


def shifted(day: date, count: int, unit: UnitName) -> date:
    """So many units later, or earlier where negative; raises ValueError or OverflowError outside the calendar."""
    match unit:
        case "day":
            return day + timedelta(days=count)
        case "week" | "weekend":
            return day + timedelta(weeks=count)
        case "fortnight":
            return day + timedelta(weeks=2 * count)
    return add_months(day, _MONTHS[unit] * count)


def share_of(whole: Days, core: Share) -> Days:
    """So many units from the first day of something, or back from its last; raises ValueError where it has not so many.

    A week of a month or a year is as sure as its month: nobody says whether it is counted from the 1st or a Monday.
    """
    if whole.edtf is None:
        return whole
    start, end = ends_of(whole.edtf)
    if core.unit == "week":
        day = end if core.is_last else shifted(start, core.before, "week")
        return Days(f"{day.year:04}-{day.month:02}", (*whole.rules, "whole"), whole.alternatives)
    if core.unit == "fortnight":  # the halves of a month are from its 1st and its 16th
        if (start.year, start.month) != (end.year, end.month):
            raise ValueError("only a month has two of them")
        if core.before or core.is_last:
            return Days(f"{start.replace(day=16)}/{end}", whole.rules, whole.alternatives)
        return Days(f"{start}/{start.replace(day=15)}", whole.rules, whole.alternatives)
    first = shifted(start, core.before, core.unit)
    if core.is_last:
        first = shifted(end + timedelta(days=1), -core.count, core.unit)
    last = shifted(first, core.count, core.unit) - timedelta(days=1)
    if first < start or last > end:
        raise ValueError("it has not so many")
    return Days(_interval(first, last, core.unit), whole.rules, whole.alternatives)


def _interval(first: date, last: date, unit: UnitName) -> str:
    """From a day to another, as finely as a unit."""
    fine = {"day": 10, "year": 4}.get(unit, 7)
    one, other = first.isoformat()[:fine], last.isoformat()[:fine]
    return one if one == other else f"{one}/{other}"
