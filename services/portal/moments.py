"""When something happened or is to happen, as a page tells it: one rule for all pages.

Where the reader is known, as behind a signed link, it is told in the reader's zone, with the place's own beside it
where clocks differ. On a page that is open to everybody nobody knows where it is read: there it is told in the zone of
the place, which is named. No page tells a time in UTC, where nobody lives.
"""

from collections.abc import Iterable
from datetime import date, datetime

from contracts.commitments import Milestone, Organisation
from contracts.events import PublicEvent
from contracts.vocabulary import PartyCode
from services.i18n.words import DayForm, Words
from services.plumbing.capital_zones import capital_zones, last_to_end
from services.plumbing.zones import day_in, is_zone, zone_named

NOWHERE = "Etc/UTC"
"""For what has no place that we know of."""


def told_moment(instant: datetime, place: str, words: Words, reader: str | None = None, form: DayForm = "long") -> str:
    """An instant in words: `reader` is the zone of who reads it, where that is known, `place` that of what is told."""
    there = _known(place)
    return words.moment(instant, _known(reader) if reader else there, there, form)


def day_there(instant: datetime, zone: str) -> date:
    """The calendar day of an instant in a zone; of one that our zone data doesn't know, in UTC."""
    return day_in(zone_named(_known(zone)), instant)


def zone_of_parties(parties: Iterable[PartyCode], organisations: Iterable[Organisation] = ()) -> str:
    """Where a party's clocks stand: in its capital, or at its seat; of several, where a day ends last."""
    seats = {one.code: one.zone for one in organisations}
    zones = {seats.get(party) or capital_zones().get(party) for party in parties}
    return last_to_end({_known(zone) for zone in zones if zone} or {NOWHERE})


def zone_of_event(event: PublicEvent) -> str:
    """Where an event has its place: where its milestone's days are counted, else with the party that it is about."""
    milestone = getattr(event, "milestone", None)
    if isinstance(milestone, Milestone):
        return milestone.zone
    party = getattr(event, "party", None)
    return zone_of_parties([party] if party else event.commitment.parties, event.commitment.organisations)


def _known(zone: str) -> str:
    return zone if is_zone(zone) else NOWHERE
