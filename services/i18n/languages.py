"""The languages there are: one row each, and one for each region that writes its language otherwise.

Whoever lists languages reads these tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator

from contracts.refusals import Unfit
from contracts.vocabulary import LanguageTag
from services.i18n.typography import NO_BREAK_SPACE, Spacing

SOURCE = "en"
"""The language of the messages in the code; it needs no catalogue."""


@dataclass(frozen=True)
class LanguageConventions:
    """How the readers of a language write."""

    locale: str
    """The CLDR locale of dates, times, numbers, lists and names of parties."""
    first_of_month: str = "1"
    """The first day of a month in a date; CLDR has the bare number in every language."""
    spacing: Spacing = field(default_factory=Spacing)
    """What stands between a word and its punctuation; nothing is changed without any."""

    @property
    def region(self) -> LanguageTag:
        """The tag of the region that is meant where none is named: `fr-CA`."""
        return self.locale.replace("_", "-")


LANGUAGES: Mapping[LanguageTag, LanguageConventions] = {
    "en": LanguageConventions("en_US"),
    "es": LanguageConventions("es_MX"),
    # Office québécois de la langue française: a space before the colon and inside guillemets, none before ; ? !
    "fr": LanguageConventions(
        "fr_CA",
        first_of_month="1er",
        spacing=Spacing(
            before={":": NO_BREAK_SPACE, "»": NO_BREAK_SPACE, ";": "", "?": "", "!": ""}, after={"«": NO_BREAK_SPACE}
        ),
    ),
}
"""A language without a region is that of its row's: `fr` is written as in Canada, and so is `fr-CA`."""

REGIONS: Mapping[LanguageTag, LanguageConventions] = {
    "en-CA": LanguageConventions("en_CA"),
}
"""Regions that write a language otherwise than its row does. A catalogue of theirs has only the words that differ."""


def written_languages() -> list[LanguageTag]:
    """What messages and pages are written in: each language as in its row, then in the regions that differ."""
    return [
        written
        for language in LANGUAGES
        for written in (language, *(region for region in REGIONS if primary(region) == language))
    ]


def languages_to_ask_for() -> list[LanguageTag]:
    """What one may ask to be written to in: `en`, `en-US`, `en-CA`, `es`, `es-MX`, `fr`, `fr-CA`."""
    regions = [conventions.region for conventions in LANGUAGES.values()]
    return [
        tag
        for language in LANGUAGES
        for tag in (language, *(region for region in (*regions, *REGIONS) if primary(region) == language))
    ]


def conventions_of(written: LanguageTag) -> LanguageConventions:
    """How a language is written, or a region writes it; `KeyError` for one that there is not."""
    return LANGUAGES[written] if written in LANGUAGES else REGIONS[written]


def written_as(tag: str) -> LanguageTag | None:
    """In which row a language that is asked for is written, in any case of letters: `fr-CA` as `fr`.

    None for one that there is not, and for a region that nobody knows of here.
    """
    tag = _in_usual_case(tag)
    if tag in LANGUAGES or tag in REGIONS:
        return tag
    return next((language for language, conventions in LANGUAGES.items() if conventions.region == tag), None)


def primary(tag: str) -> str:
    """A tag without script and region: `fr`."""
    return tag.partition("-")[0]


def is_same_language(one: LanguageTag, other: LanguageTag) -> bool:
    """Whether who reads the one reads the other: `en` and `en-CA` are one language, `zh-Hans` and `zh-Hant` two."""
    return _without_region(one) == _without_region(other)


def _without_region(tag: str) -> str:
    language, *rest = tag.split("-")
    return "-".join([language, *(part for part in rest if len(part) == _SCRIPT)])


_SCRIPT = 4
"""Letters of a script's code; those of regions are two, or three digits."""


def _in_usual_case(tag: str) -> str:
    """`EN-ca` as BCP 47 recommends to write it: `en-CA`."""
    language, *rest = tag.split("-")
    return "-".join([language.lower(), *(part.title() if len(part) == _SCRIPT else part.upper() for part in rest)])


def _spoken(tag: LanguageTag) -> LanguageTag:
    if written_as(tag) is None:
        there = ", ".join(languages_to_ask_for())
        raise Unfit("nobody is written to in this language; there are %(languages)s", languages=there)
    return tag


ReaderLanguage = Annotated[LanguageTag, AfterValidator(_spoken)]
"""A language that somebody asks to be written to in, kept as they said it: one of `languages_to_ask_for`."""


def nearest_language(tag: LanguageTag) -> LanguageTag:
    """The language of ours for who asked another release, which may have more of them: the same, the same without
    script and region, or English."""
    return written_as(tag) or written_as(primary(tag)) or SOURCE


def choose_language(asked: str | None, kept: str | None, accepted: str | None) -> LanguageTag:
    """The language of an answer: what the address asks for, else what was chosen before, else what the browser says.

    `accepted` is an Accept-Language header (RFC 9110, 12.5.4; looked up as in RFC 4647, 3.4: a region that is not here
    is its language); without a language of ours in it the answer is in English.
    """
    for wish in (asked, kept):
        if wish and (written := written_as(wish)):
            return written
    for tag in _by_preference(accepted or ""):
        if written := written_as(tag) or written_as(primary(tag)):
            return written
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
