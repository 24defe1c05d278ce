"""How the portal speaks: words, dates and names in the reader's language.

The messages in code and templates are the English; `locales/*.po` hold what is said, compiled when the process starts.
"""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from babel import Locale
from babel.dates import (
    format_date,
    format_datetime,
    format_interval,
    format_skeleton,
    format_time,
    format_timedelta,
    get_timezone_location,
)
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from contracts.vocabulary import Country, Language, Offset, Precision, Reading, Span, Status, Strength, Text
from services.portal import words

LOCALES = Path(__file__).parent / "locales"
_COUNTED_DAYS = 90


@dataclass(frozen=True)
class Voice:
    """One language, with everything that is said in it."""

    language: Language
    translations: Translations
    locale: Locale

    def say(self, message: str, /, **values: object) -> str:
        """A message of ours; `%(name)s` in it stands for a value."""
        said = self.translations.gettext(message) if message else ""
        return said % values if values else said

    def count(self, one: str, many: str, n: int, /, **values: object) -> str:
        """A message with a number, which is `%(n)s` in it."""
        return self.translations.ngettext(one, many, n) % {"n": n, **values}

    def words_of(self, text: Text) -> str:
        """What a commitment says of itself."""
        return text.in_language(self.language)

    def name_of(self, word: Status | Strength | Reading | str) -> str:
        """The name of a status, strength, theme, channel, outcome or the like; an unknown one is shown as it is."""
        value = str(word)
        return self.say(words.NAMES[value]) if value in words.NAMES else value.replace("-", " ")

    def followed(self, event: str) -> str:
        """What a subscription to an event asks for."""
        return self.say(words.FOLLOWED[event]) if event in words.FOLLOWED else self.name_of(event)

    def country(self, country: Country | str) -> str:
        """A country's everyday name."""
        return str(self.locale.territories.get(str(country), country))

    def countries(self, countries: Iterable[Country]) -> str:
        """Countries as a list in prose."""
        return self.listed(self.country(country) for country in countries)

    def language_name(self, language: Language | str) -> str:
        """A language's name."""
        return str(self.locale.languages.get(str(language), language))

    def listed(self, items: Iterable[str]) -> str:
        """Items as a list in prose."""
        return format_list(list(items), style="standard", locale=self.locale)

    def day(self, day: date) -> str:
        """A calendar day, written out."""
        return format_date(day, "long", locale=self.locale)

    def instant(self, instant: datetime) -> str:
        """A point in time, in UTC since a page does not know where it is read."""
        written = format_datetime(instant.astimezone(UTC), "d MMM y, HH:mm", locale=self.locale)
        return f"{written} UTC"

    def span(self, span: Span) -> str:
        """A span as finely as the words give it, and no finer."""
        if span.earliest is None:
            return self.say("no date given")
        if span.latest is None:
            return self._from(span, span.earliest)
        match span.precision:
            case Precision.DAY if span.earliest == span.latest:
                return self.day(span.latest)
            case Precision.MONTH:
                return format_skeleton("yMMMM", span.earliest, locale=self.locale)
            case Precision.SEASON if season := words.SEASONS.get((span.edtf or "")[5:7]):
                return f"{self.say(season)} {span.earliest.year}"
            case Precision.YEAR if span.earliest.year == span.latest.year:
                return str(span.latest.year)
            case Precision.DECADE:
                return self.say("the %(decade)ss", decade=span.earliest.year // 10 * 10)
        return format_interval(span.earliest, span.latest, "yMMMMd", locale=self.locale)

    def _from(self, span: Span, first: date) -> str:
        """An open span by its beginning."""
        match span.precision:
            case Precision.DAY:
                return self.say("from %(day)s on", day=self.day(first))
            case Precision.YEAR:
                begin = str(first.year)
            case Precision.SEASON if season := words.SEASONS.get((span.edtf or "")[5:7]):
                begin = f"{self.say(season)} {first.year}"
            case Precision.DECADE:
                begin = self.say("the %(decade)ss", decade=first.year // 10 * 10)
            case _:
                begin = format_skeleton("yMMMM", first, locale=self.locale)
        return self.say("from %(span)s on", span=begin)

    def step(self, step: str) -> str:
        """A rung of a milestone's ladder, such as `before-7d`, `after-3bd`, `before-2w`, `after-1m` or `review-2`."""
        side, _, length = step.partition("-")
        if side == "review":
            return self.say("review no. %(number)s", number=length)
        if side not in ("before", "after"):
            return self.say("on the day")
        n = int(length.rstrip("bdwm"))
        match side, length.lstrip("0123456789"):
            case "before", "bd":
                return self.count("%(n)s business day before", "%(n)s business days before", n)
            case "before", "w":
                return self.count("%(n)s week before", "%(n)s weeks before", n)
            case "before", "m":
                return self.count("%(n)s month before", "%(n)s months before", n)
            case "before", _:
                return self.count("%(n)s day before", "%(n)s days before", n)
            case _, "bd":
                return self.count("%(n)s business day after", "%(n)s business days after", n)
            case _, "w":
                return self.count("%(n)s week after", "%(n)s weeks after", n)
            case _, "m":
                return self.count("%(n)s month after", "%(n)s months after", n)
        return self.count("%(n)s day after", "%(n)s days after", n)

    def distance(self, offset: Offset | None, anchor: str) -> str:
        """How far from an event: `90 days after NALS 2022`, `before NALS 2022`, or the event itself."""
        if offset is None:
            return anchor
        before, n = offset.direction == "before", offset.count
        if n == 0:
            return self.say("before %(event)s", event=anchor) if before else self.say("after %(event)s", event=anchor)
        match offset.unit:
            case "days":
                counted = self.count("%(n)s day", "%(n)s days", n)
            case "weeks":
                counted = self.count("%(n)s week", "%(n)s weeks", n)
            case "months":
                counted = self.count("%(n)s month", "%(n)s months", n)
            case "years":
                counted = self.count("%(n)s year", "%(n)s years", n)
        if before:
            return self.say("%(time)s before %(event)s", time=counted, event=anchor)
        return self.say("%(time)s after %(event)s", time=counted, event=anchor)

    def local_time(self, wall_time: str) -> str:
        """What a wall clock shows, as people write it: `10:00 AM`, `10 h 00`."""
        return format_time(time.fromisoformat(wall_time), "short", locale=self.locale)

    def from_now(self, days: int) -> str:
        """How far a day is from today; negative days have gone by. Beyond three months it is told roughly."""
        if days == 0:
            return self.say("today")
        if abs(days) > _COUNTED_DAYS:
            return format_timedelta(timedelta(days=days), threshold=1, add_direction=True, locale=self.locale)
        if days > 0:
            return self.count("in %(n)s day", "in %(n)s days", days)
        return self.count("%(n)s day ago", "%(n)s days ago", -days)

    def zone(self, zone: str) -> str:
        """The city that an IANA zone is named after."""
        try:
            return get_timezone_location(zone, locale=self.locale, return_city=True)
        except LookupError:
            return zone


def load_voices(folder: Path = LOCALES) -> Mapping[Language, Voice]:
    """The voices of all languages, from their catalogues."""
    return {language: Voice(language, _translations(folder, language), Locale(language)) for language in Language}


def _translations(folder: Path, language: Language) -> Translations:
    with (folder / f"{language}.po").open("rb") as source:
        catalogue = read_po(source, locale=str(language), abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def choose_language(asked: str | None, kept: str | None, accepted: str | None) -> Language:
    """The language of an answer: what the address asks for, else what was chosen before, else what the browser says.

    `accepted` is an Accept-Language header; what we don't speak is English.
    """
    for wish in (asked, kept):
        if wish in list(Language):
            return Language(wish)
    for tag in _by_preference(accepted or ""):
        primary = tag.partition("-")[0].lower()
        if primary in list(Language):
            return Language(primary)
    return Language.EN


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
