"""The time zones to choose from: by country, as people call the places."""

from functools import lru_cache
from typing import NamedTuple

from babel.core import get_global

from contracts.vocabulary import LanguageTag
from services.i18n.words import words_in
from services.plumbing.zones import is_zone
from services.portal.page_text import by_alphabet, phrase


class ZonesOfCountry(NamedTuple):
    """A country with its zones and the cities that these are named after."""

    country: str
    places: tuple[tuple[str, str], ...]


@lru_cache
def zone_choices(language: LanguageTag) -> tuple[ZonesOfCountry, ...]:
    """Every zone that belongs to a country, in the order of the names."""
    words, aliases = words_in(language), get_global("zone_aliases")
    found: dict[str, list[tuple[str, str]]] = {}
    for zone, territory in get_global("zone_territories").items():
        if is_zone(zone) and zone not in aliases and territory in words.locale.territories:
            found.setdefault(str(words.locale.territories[territory]), []).append((zone, words.place(zone)))
    choices = (
        ZonesOfCountry(country, tuple(sorted(places, key=lambda place: _by_name(place[1]))))
        for country, places in found.items()
    )
    return tuple(sorted(choices, key=lambda choice: _by_name(choice.country)))


def is_offered(zone: str) -> bool:
    """Whether a zone is among the choices; one that goes by an older name is not."""
    return any(zone == offered for country in zone_choices("en") for offered, _ in country.places)


def _by_name(name: str) -> tuple[str, str]:
    return by_alphabet(phrase(name))
