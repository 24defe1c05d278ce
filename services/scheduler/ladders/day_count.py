"""The day that a step comes to.

- Days and weeks are counted as they are.
- Months keep the day of the month, and where the month has no such day, it is its last one: 1 month before 31 March
  is 28 February, in a leap year 29 February; 12 months after 29 February 2024 is 28 February 2025. A month's last day
  does not stick: 1 month before 28 February is 28 January. So going back and forth need not come home (31 March, a
  month back, a month on: 28 March), and two steps may fall on one day.
- Business days leave out weekends and holidays, and the day that is counted from counts as none of them, whether or
  not it is one.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from services.plumbing.business_days import DayOff, RegionalCalendar, count_business_days
from services.plumbing.calendar_arithmetic import add_months
from services.scheduler.ladders.ladder import Step


@dataclass(frozen=True)
class StepDay:
    """A step's day, and how it was come to."""

    day: date
    counted_from: date
    skipped: tuple[DayOff, ...] = ()
    """The days that a count of business days left out, from the day that was counted from on."""


def step_day(step: Step, opens: date, closes: date, calendars: tuple[RegionalCalendar, ...]) -> StepDay:
    """The day of a step: before and on the day counted from `opens`, after it from `closes`.

    Raises `OverflowError` where the calendar (years 1 to 9999) ends before, and ValueError for a review, which is
    counted from no day of the milestone.
    """
    if step.direction == "review":
        raise ValueError(f"{step.name} is not counted from a milestone's day")
    start, signed = (closes, step.count) if step.direction == "after" else (opens, -step.count)
    match step.unit:
        case "bd":
            counted = count_business_days(start, signed, calendars)
            return StepDay(counted.day, start, counted.skipped)
        case "m":
            return StepDay(add_months(start, signed), start)
        case "w":
            return StepDay(start + timedelta(weeks=signed), start)
        case _:
            return StepDay(start + timedelta(days=signed), start)
