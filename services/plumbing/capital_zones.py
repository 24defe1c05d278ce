"""In whose calendar a country's days are counted: the IANA zone of its capital, for every country of ISO 3166-1.

A country that has one zone keeps that one (`zone.tab` of the zone data); where there are several, the table says which
one the capital keeps. Several bound together have ended a day when the last capital has.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files

from services.plumbing.zones import zone_named

_OF_SEVERAL = {
    "AQ": "Antarctica/McMurdo",  # no capital; its first zone
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",  # Canberra
    "BR": "America/Sao_Paulo",  # Brasília
    "CA": "America/Toronto",  # Ottawa
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",  # Beijing
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",  # Quito
    "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei",  # Palikir
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",  # Astana
    "MH": "Pacific/Majuro",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",  # Wellington
    "PF": "Pacific/Tahiti",  # Papeete
    "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Hebron",  # Ramallah
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "UM": "Pacific/Wake",  # no capital
    "US": "America/New_York",  # Washington
    "UZ": "Asia/Tashkent",
}
_WITHOUT_ANY = {
    "BV": "Europe/Oslo",
    "HM": "Antarctica/Mawson",
}  # islands on which nobody lives, by their keepers' hours


@lru_cache(maxsize=1)
def capital_zones() -> dict[str, str]:
    """The zone of each country's capital, by its ISO 3166-1 alpha-2 code."""
    listed: dict[str, list[str]] = {}
    for country, _, zone, *_ in _rows("zone.tab"):
        listed.setdefault(country, []).append(zone)
    single = {country: zones[0] for country, zones in listed.items() if len(zones) == 1}
    zones = single | _OF_SEVERAL | _WITHOUT_ANY
    return {country: zones[country] for country, *_ in _rows("iso3166.tab")}


def last_to_end(zones: Iterable[str]) -> str:
    """Of these zones (at least one) the one in which a day ends last, on the average of January and July.

    Among those with the same hours the first by its name.
    """
    return max(sorted(set(zones)), key=lambda zone: -_average_offset(zone))


@lru_cache(maxsize=512)
def _average_offset(zone: str) -> timedelta:
    """How far its clocks are ahead of UTC."""
    days = [datetime(2026, month, 1, tzinfo=UTC).astimezone(zone_named(zone)) for month in (1, 7)]
    return sum((day.utcoffset() or timedelta() for day in days), timedelta()) / len(days)


def _rows(name: str) -> list[list[str]]:
    text = (files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
