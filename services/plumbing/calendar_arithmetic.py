"""Arithmetic of calendar days that the standard library leaves out."""

import calendar
from datetime import date


def add_months(day: date, months: int) -> date:
    """The same day of another month (earlier, where negative), or that month's last day where it is shorter.

    The last day isn't remembered: 31 January and a month is 28 February, and a month more is 28 March. Raises
    `OverflowError` outside the years 1 to 9999.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        raise OverflowError(f"the calendar has no year {year}")
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
