"""What a time expression means in days, and in whose calendar the days are counted.

One rule for the days: `earliest` and `latest` are the first and the last day of the EDTF value itself,
whatever the reading. "by 2030" is read as 2030, so 2030-01-01 to 2030-12-31: what counts for a deadline
is `latest`, and `earliest` says only how much room the words leave, not from when on the work is owed.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from time import struct_time

from edtf import EDTFObject, Interval, Season, Unspecified, parse_edtf
from edtf.parser.edtf_exceptions import EDTFParseException

from contracts.vocabulary import Country, Precision, Span

UNDATED = Span(edtf=None, earliest=None, latest=None, precision=Precision.UNDATED)
"""What words such as "over the medium term" give: no date at all."""

# The capitals, the last to end a day first. Ottawa and Washington keep the same hours, so their order
# only settles which name is written; Mexico City is an hour or two behind both, all the year round.
_ZONES_FROM_THE_LAST = {
    Country.MX: "America/Mexico_City",
    Country.US: "America/New_York",
    Country.CA: "America/Toronto",
}

# From fine to coarse; a span is as coarse as the coarser of its ends.
_PRECISIONS = (Precision.DAY, Precision.MONTH, Precision.SEASON, Precision.YEAR, Precision.DECADE)


class UnreadableDate(ValueError):
    """An EDTF value that isn't one, has no first or no last day, or is no kind of date that we keep."""


def last_capital_zone(countries: Iterable[Country]) -> str:
    """The IANA zone of the last capital to end a day: a joint deadline has passed only then."""
    bound = frozenset(countries)
    for country, zone in _ZONES_FROM_THE_LAST.items():
        if country in bound:
            return zone
    raise ValueError("a deadline that binds no country has no zone")


@lru_cache(maxsize=16_384)  # the library's grammar takes a millisecond or more for a value
def span_of(edtf: str | None) -> Span:
    """The days of an EDTF value; without one there is no date, and none is invented.

    What begins and has no end ("2022/..") has no latest day. Raises `UnreadableDate`.
    """
    if edtf is None:
        return UNDATED
    try:
        value = parse_edtf(edtf)
        earliest = _day(value.lower_strict())
        latest = None if edtf.endswith("/..") else _day(value.upper_strict())
        return Span(edtf=str(value), earliest=earliest, latest=latest, precision=_precision(value))
    except (EDTFParseException, ValueError, AttributeError) as error:
        # AttributeError: the library has level 2 values that know neither a first nor a last day.
        raise UnreadableDate(f"{edtf!r} is no stretch of days that we keep") from error


def _day(moment: struct_time | float) -> date:
    """The library's answer as a day; it says minus or plus infinity where an interval is open."""
    if isinstance(moment, float):
        raise UnreadableDate("an open interval has no such day")
    return date(moment.tm_year, moment.tm_mon, moment.tm_mday)


def _precision(value: EDTFObject) -> Precision:
    match value:
        case Interval() if str(value).endswith("/.."):
            return _precision(parse_edtf(str(value.lower)))
        case Interval():
            return max(_precision(value.lower), _precision(value.upper), key=_PRECISIONS.index)
        case Season():
            return Precision.SEASON
        case Unspecified() if "-XX" in str(value):
            # The library calls 2022-XX a month; what is known of it is the year.
            return _precision(parse_edtf(str(value).replace("-XX", "")))
    named = getattr(value, "precision", None)
    if named not in _PRECISIONS:
        raise UnreadableDate(f"{value} is neither a day, month, season, year nor decade")
    return Precision(named)
