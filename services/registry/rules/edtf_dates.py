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

from contracts.commitments import Organisation
from contracts.vocabulary import PartyCode, Precision, Span
from services.plumbing.capital_zones import capital_zones, last_to_end
from services.plumbing.sentences import Sentence
from services.registry.rules.parties import check_known

UNDATED = Span(edtf=None, earliest=None, latest=None, precision=Precision.UNDATED)
"""What words such as "over the medium term" give: no date at all."""

# From fine to coarse; a span is as coarse as the coarser of its ends.
_PRECISIONS = (Precision.DAY, Precision.MONTH, Precision.SEASON, Precision.YEAR, Precision.DECADE)


class UnreadableDate(ValueError):
    """An EDTF value that isn't one, has no first or no last day, or is no kind of date that we keep."""


def last_capital_zone(parties: Iterable[PartyCode], organisations: Iterable[Organisation] = ()) -> str:
    """The IANA zone of the last capital, or seat, to end a day: a joint deadline has passed only then.

    Raises `UnknownParty` for a country that there isn't, and for an organisation of which nothing is told; ValueError
    where nobody is bound.
    """
    seats = {one.code: one.zone for one in organisations}
    bound = list(parties)
    if not bound:
        raise ValueError("a deadline that binds no party has no zone")
    for number, party in enumerate(bound):
        check_known(party, seats, "parties", number)
    return last_to_end(seats.get(party) or capital_zones()[party] for party in bound)


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
        raise UnreadableDate(Sentence("%(edtf)s is no stretch of days that we keep", edtf=repr(edtf))) from error


def _day(moment: struct_time | float) -> date:
    """The library's answer as a day; it says minus or plus infinity where an interval is open."""
    if isinstance(moment, float):
        raise UnreadableDate(Sentence("an open interval has no such day"))
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
        raise UnreadableDate(Sentence("%(value)s is neither a day, month, season, year nor decade", value=value))
    return Precision(named)
