"""The languages there are: one row each. Whoever lists languages reads this table."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.vocabulary import Language

SOURCE = Language.EN
"""The language of the messages in the code; it needs no catalogue."""


@dataclass(frozen=True)
class LanguageConventions:
    """How the readers of a language write."""

    locale: str
    """The CLDR locale of dates, times, lists and names of countries."""
    first_of_month: str = "1"
    """The first day of a month in a date; CLDR has the bare number in every language."""


LANGUAGES: Mapping[Language, LanguageConventions] = {
    Language.EN: LanguageConventions("en_US"),
    Language.ES: LanguageConventions("es_MX"),
    Language.FR: LanguageConventions("fr_CA", first_of_month="1er"),
}


def choose_language(asked: str | None, kept: str | None, accepted: str | None) -> Language:
    """The language of an answer: what the address asks for, else what was chosen before, else what the browser says.

    `accepted` is an Accept-Language header; without a language of ours in it the answer is in English.
    """
    for wish in (asked, kept):
        if wish in list(Language):
            return Language(wish)
    for tag in _by_preference(accepted or ""):
        primary = tag.partition("-")[0].lower()
        if primary in list(Language):
            return Language(primary)
    return SOURCE


def _by_preference(header: str) -> list[str]:
    weighed = []
    for part in header[:500].split(","):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if weight > 0:
            weighed.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: -pair[0])]
