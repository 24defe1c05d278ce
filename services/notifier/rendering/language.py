"""English, Spanish and French: the catalogues, and dates as each language writes them.

English is the source language, so its words stand in the code; `locales/` holds the others. The catalogues are
compiled when this module is imported, so that rendering reads no file.
"""

import gettext
import io
import re
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time, get_timezone_location
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from contracts.vocabulary import Language, Precision, Reading, Span

LOCALES = {"en": "en_US", "es": "es_MX", "fr": "fr_CA"}
"""How the readers of a language write dates."""

# Controls end lines where none should end; bidirectional overrides, tags and byte order marks make text look like
# what it isn't. Marks that only join or separate letters stay.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
_BREAKS = re.compile("[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]+")


def N_(text: str) -> str:  # noqa: N802 (the name that message extractors know)
    """Mark a text for translation where it is only listed."""
    return text


def plain(text: str) -> str:
    """Text of others as one line of what is seen: no breaks, no controls, no overrides of the writing direction."""
    return _UNSEEN.sub("", _BREAKS.sub(" ", text))


def shorten(text: str, length: int) -> str:
    """At most `length` characters, cut at a word where one ends in the second half, and then with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: max(length - 1, 0)]
    space = cut.rfind(" ")
    if space > length // 2:
        cut = cut[:space]
    return (cut.rstrip(" ,;:.–—") + "…")[:length]


def opened(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


class Words:
    """One language: its catalogue and its calendar."""

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self.locale = Locale.parse(LOCALES[language])
        self._catalogue = catalogue

    def gettext(self, message: str, **values: object) -> str:
        """The message in this language; `%(name)s` stands for a value."""
        return self._catalogue.gettext(message) % values if values else self._catalogue.gettext(message)

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """The message in the form that the number asks for; `%(number)s` stands for it."""
        return self._catalogue.ngettext(one, many, number) % {"number": number, **values}

    def listed(self, items: list[str]) -> str:
        """`a, b and c` as the language lists things; nothing for none."""
        return format_list(items, locale=self.locale) if items else ""

    def label(self, name: str) -> str:
        """A label with its colon; French sets a space before it."""
        return self.gettext("%(label)s:", label=name)

    def quoted(self, text: str) -> str:
        """In the quotation marks of the language."""
        return self.gettext("“%(text)s”", text=text)

    def day(self, day: date) -> str:
        """`December 31, 2030`."""
        return self._first(format_date(day, "long", self.locale), day)

    def weekday(self, day: date) -> str:
        """`Tuesday, December 31, 2030`."""
        return self._first(format_date(day, "full", self.locale), day)

    def short_day(self, day: date) -> str:
        """`Dec 31, 2030`."""
        return self._first(format_date(day, "medium", self.locale), day)

    def moment(self, instant: datetime, zone: str, place: str | None = None) -> str:
        """A point in time in the reader's zone; with another place, in that one first.

        `Jul 24, 2023, 9:29 AM (Mexico City)`, or `Jan 1, 2022, 12:00 AM in Mexico City, 1:00 AM for you (Toronto)`.
        """
        there, here = instant.astimezone(_zone(place or zone)), instant.astimezone(_zone(zone))
        values = {"day": self.short_day(there.date()), "time": self._time(there), "place": self._place(place or zone)}
        if there.replace(tzinfo=None) == here.replace(tzinfo=None):
            return self.gettext("%(day)s, %(time)s (%(place)s)", **values)
        values |= {"time_here": self._time(here), "here": self._place(zone)}
        if there.date() == here.date():
            return self.gettext("%(day)s, %(time)s in %(place)s, %(time_here)s for you (%(here)s)", **values)
        values["day_here"] = self.short_day(here.date())
        return self.gettext("%(day)s, %(time)s in %(place)s; for you %(day_here)s, %(time_here)s (%(here)s)", **values)

    def span(self, span: Span, reading: Reading, wording: str) -> str:
        """When it is to happen: coarse words stay coarse, and are followed by the last day that they allow.

        `by 2030, that is by December 31, 2030`; `from 2022 on`; `no date given: “over the medium term”`.
        """
        if span.earliest is None and reading is Reading.RECURRING:
            return self.gettext("recurring, no date given: %(wording)s", wording=self.quoted(wording))
        if span.earliest is None:
            return self.gettext("no date given: %(wording)s", wording=self.quoted(wording))
        if span.latest is None:
            return self.stretch(span)
        if span.precision is Precision.DAY:
            if span.earliest != span.latest:
                return self._interval(span.earliest, span.latest)
            if reading is Reading.BY:
                return self.gettext("by %(day)s", day=self.weekday(span.latest))
            return self.weekday(span.latest)
        values = {"span": self.stretch(span, inside=reading is not Reading.BY), "day": self.day(span.latest)}
        if reading is Reading.BY:
            return self.gettext("by %(span)s, that is by %(day)s", **values)
        return self.gettext("%(span)s, that is by %(day)s", **values)

    def stretch(self, span: Span, *, inside: bool = False) -> str:
        """The span as a name, `summer 2022` or `the 2020s`; `inside` says `in summer 2022`."""
        first, last = span.earliest, span.latest
        if first is None:
            return self.gettext("no date given")
        if last is None:
            return self._from(span, first)
        values = {"first": self.short_day(first), "last": self.short_day(last), "year": str(first.year)}
        match span.precision:
            case Precision.DAY:
                return self.short_day(last) if first == last else self._interval(first, last)
            case Precision.MONTH if (first.year, first.month) == (last.year, last.month):
                month = str(format_skeleton("yMMMM", last, locale=self.locale))
                return self.gettext("in %(month)s", month=month) if inside else month
            case Precision.SEASON if (season := _SEASONS.get((span.edtf or "")[5:])) and len(span.edtf or "") == 7:
                values["year"] = (span.edtf or "")[:4]
                return self.gettext(season[1] if inside else season[0], **values)
            case Precision.YEAR if first.year == last.year:
                return self.gettext("in %(year)s", **values) if inside else values["year"]
            case Precision.YEAR:
                return f"{first.year}–{last.year}"
            case Precision.DECADE if first.year // 10 == last.year // 10:
                return self.gettext("in the %(year)ss", **values) if inside else self.gettext("the %(year)ss", **values)
        return self.gettext("%(first)s to %(last)s", **values)

    def _from(self, span: Span, first: date) -> str:
        """An open span by its beginning: `from June 2022 on`."""
        match span.precision:
            case Precision.DAY:
                return self.gettext("from %(day)s on", day=self.day(first))
            case Precision.YEAR:
                return self.gettext("from %(year)s on", year=str(first.year))
            case Precision.SEASON if season := _SEASONS.get((span.edtf or "")[5:7]):
                begin = self.gettext(season[0], year=(span.edtf or "")[:4])
            case Precision.DECADE:
                begin = self.gettext("the %(year)ss", year=str(first.year // 10 * 10))
            case _:
                begin = str(format_skeleton("yMMMM", first, locale=self.locale))
        return self.gettext("from %(span)s on", span=begin)

    def _interval(self, first: date, last: date) -> str:
        return str(format_interval(first, last, "yMMMd", locale=self.locale))

    def _first(self, written: str, day: date) -> str:
        # CLDR lets French months begin on the "1"; people write "1er".
        return re.sub(r"\b1 ", "1er ", written, count=1) if self.language == "fr" and day.day == 1 else written

    def _time(self, local: datetime) -> str:
        return format_time(local, "short", locale=self.locale)

    def _place(self, zone: str) -> str:
        return get_timezone_location(_zone(zone), self.locale, return_city=True)


_SEASONS = {
    "21": (N_("spring %(year)s"), N_("in spring %(year)s")),
    "22": (N_("summer %(year)s"), N_("in summer %(year)s")),
    "23": (N_("autumn %(year)s"), N_("in autumn %(year)s")),
    "24": (N_("winter %(year)s"), N_("in winter %(year)s")),
}
"""By the number that EDTF gives a season."""


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def instant_in(seconds: str) -> datetime:
    """The instant of a count of seconds since 1970, written as text."""
    return datetime.fromtimestamp(float(seconds), UTC)


def _catalogue(language: str) -> gettext.NullTranslations:
    source = resources.files("services.notifier") / "locales" / language / "LC_MESSAGES" / "notifier.po"
    if language == Language.EN:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=LOCALES[language]))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


_WORDS = {language.value: Words(language.value, _catalogue(language.value)) for language in Language}


def words_in(language: Language | str) -> Words:
    """The words of a language; `KeyError` for one that we don't speak."""
    return _WORDS[str(language)]
