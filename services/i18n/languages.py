"""The languages there are: one row each. Whoever lists languages reads this table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from contracts.refusals import Unfit
from contracts.vocabulary import LanguageTag

SOURCE = "en"
"""The language of the messages in the code; it needs no catalogue."""


@dataclass(frozen=True)
class LanguageConventions:
    """How the readers of a language write."""

    locale: str
    """The CLDR locale of dates, times, lists and names of parties."""
    first_of_month: str = "1"
    """The first day of a month in a date; CLDR has the bare number in every language."""


LANGUAGES: Mapping[LanguageTag, LanguageConventions] = {
    "en": LanguageConventions("en_US"),
    "es": LanguageConventions("es_MX"),
    "fr": LanguageConventions("fr_CA", first_of_month="1er"),
}


def _spoken(tag: LanguageTag) -> LanguageTag:
    if tag not in LANGUAGES:
        raise Unfit("nobody is written to in this language; there are %(languages)s", languages=", ".join(LANGUAGES))
    return tag


ReaderLanguage = Annotated[LanguageTag, AfterValidator(_spoken)]
"""A language that somebody asks to be written to in: a row of `LANGUAGES`."""


def nearest_language(tag: LanguageTag) -> LanguageTag:
    """The language of ours for who asked another release, which may have more of them: the same, the same without
    script and region, or English."""
    return next((near for near in (tag, tag.partition("-")[0]) if near in LANGUAGES), SOURCE)


def choose_language(asked: str | None, kept: str | None, accepted: str | None) -> LanguageTag:
    """The language of an answer: what the address asks for, else what was chosen before, else what the browser says.

    `accepted` is an Accept-Language header; without a language of ours in it the answer is in English.
    """
    for wish in (asked, kept):
        if wish is not None and wish in LANGUAGES:
            return wish
    for tag in _by_preference(accepted or ""):
        primary = tag.partition("-")[0].lower()
        if primary in LANGUAGES:
            return primary
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
