"""When a joint deadline has passed: when its day has ended in the last capital of those who are bound."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from contracts.vocabulary import PartyCode
from services.plumbing.capital_zones import capital_zones
from services.plumbing.zones import instant_at, zone_named


def day_ends(day: date, zone: str, parties: Iterable[PartyCode] = ()) -> datetime:
    """When a day has ended in `zone` and in the last capital of these parties, in UTC.

    That is when a joint deadline has passed: while it is still that day for one of those who are bound, it has not.
    `zone` is the milestone's own, in which the seats of organisations count; a capital that isn't known counts nothing.
    """
    following = day + timedelta(days=1)
    capitals = {capital_zones()[party] for party in parties if party in capital_zones()}
    return max(instant_at(following, time(), zone_named(name)) for name in {zone, *capitals})
