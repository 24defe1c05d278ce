"""When a joint deadline has passed: when its day has ended in the last capital of those who are bound."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta

from contracts.vocabulary import Country
from services.plumbing.zones import instant_at, zone_named

CAPITALS: Mapping[Country, str] = {
    Country.CA: "America/Toronto",
    Country.MX: "America/Mexico_City",
    Country.US: "America/New_York",
}
"""The zones of Ottawa, Mexico City and Washington; the first and the last have none of their own."""


def day_ends(day: date, countries: Iterable[Country]) -> datetime:
    """When a day has ended in the last capital of these countries (at least one), in UTC.

    That is when a joint deadline has passed: while it is still that day for one of those who are bound, it has not.
    """
    following = day + timedelta(days=1)
    return max(instant_at(following, time(), zone_named(CAPITALS[country])) for country in countries)
