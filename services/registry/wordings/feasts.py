"""The feasts by which people set terms, with their days where these are fixed, and how they say "this time"."""

from collections.abc import Mapping

from contracts.vocabulary import LanguageTag

FEASTS: Mapping[LanguageTag, Mapping[tuple[int, int] | None, str]] = {
    "en": {
        (12, 25): "christmas | christmas day",
        (12, 24): "christmas eve",
        (12, 31): "new year's eve",
        (1, 1): "new year's day | new year's | the new year",
        None: (
            "easter | easter sunday | easter monday | ramadan | the end of ramadan | eid | diwali | thanksgiving"
            " | midsummer | hanukkah | passover | pentecost | lunar new year | chinese new year"
        ),
    },
    "es": {
        (12, 25): "navidad | la navidad | día de navidad | el día de navidad",
        (12, 24): "nochebuena | la nochebuena",
        (12, 31): "nochevieja | la nochevieja",
        (1, 1): "año nuevo | el año nuevo",
        None: (
            "pascua | la pascua | semana santa | la semana santa | ramadán | el ramadán | fin del ramadán"
            " | el fin del ramadán | acción de gracias | el día de acción de gracias | pentecostés | diwali"
        ),
    },
    "fr": {
        (12, 25): "noël | la noël | jour de noël | le jour de noël",
        (12, 24): "la veille de noël | veille de noël",
        (12, 31): "la saint sylvestre | saint sylvestre",
        (1, 1): "nouvel an | le nouvel an | le jour de l'an | jour de l'an",
        None: (
            "pâques | ramadan | le ramadan | la fin du ramadan | action de grâce | l'action de grâce | pentecôte"
            " | la pentecôte | diwali | divali"
        ),
    },
}
"""(month, day), or nothing for a feast that moves from year to year."""

SAME_TIME: Mapping[LanguageTag, str] = {
    "en": "this time | this same time | the same time | the same date",
    "es": (
        "esta misma fecha | estas mismas fechas | estas fechas | esta fecha | esta época | este momento"
        " | la misma fecha | las mismas fechas"
    ),
    "fr": (
        "pareille date | pareille époque | la même date | la même époque | cette même date | cette date | cette période"
    ),
}
"""Before another year, month or week: the day of it that the statement's own is of its."""
