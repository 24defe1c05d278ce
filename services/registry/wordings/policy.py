"""How words are read that careful people read differently; a statement has one policy, and its record shows it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

FiscalCountry = Literal["CA", "MX", "US"]
"""Whose fiscal years are known, by ISO 3166-1."""


class ReadingPolicy(BaseModel):
    """One choice for each way in which time words can be taken; every reading names the choices that decided it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    deadline: Literal["end-of-span", "start-of-span"] = "end-of-span"
    """"By 2030" is over when 2030 ends (2030-12-31), or when it begins (the night from 2029-12-31 to 2030-01-01)."""
    parts: Literal["thirds", "whole"] = "thirds"
    """"Early 2022" is the first of three equal parts of the year, or the year as a whole. Only years and decades
    are parted: EDTF has no name for the early part of a month or a season, and none is made up."""
    coming: Literal["nearest", "next-year"] = "nearest"
    """"Next summer" is the first that begins after the statement's day, or the one of the next calendar year."""
    numeric_dates: Literal["by-language", "day-month", "month-day"] = "by-language"
    """"12/10/2023": Spanish and French put the day first; English writes both, and is left unsettled."""
    fiscal: FiscalCountry | None = None
    """Whose fiscal year: the United States' from 1 October of the year before, Canada's from 1 April, Mexico's the
    calendar year. Without it, "fiscal year 2024" is unsettled."""
    hemisphere: Literal["north", "south"] = "north"
    """Whose seasons; EDTF's own (21 to 24) are read as the northern ones."""


DEFAULT = ReadingPolicy()
"""What holds for a statement of which nobody has said otherwise."""
