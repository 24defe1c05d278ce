"""English, Spanish and French: the words of calendars and feeds, and days as each language writes them.

English is the source language, so its words stand in the code; `locales/` holds the others. The catalogues are
compiled when this module is imported, so that rendering reads no file.
"""

import gettext
import io
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from importlib import resources

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time, get_timezone_location
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from contracts.vocabulary import Country, Language, Precision, Reading, Span, Status
from services.plumbing.zones import zone_named

LOCALES = {"en": "en_US", "es": "es_MX", "fr": "fr_CA"}
"""How the readers of a language write dates."""

# Controls end lines where none should end; bidirectional overrides, tags and byte order marks make text look like
# what it isn't; the last two code points of the plane, and halves of pairs, are in no XML document.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_BREAKS = re.compile("[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]+")


def N_(text: str) -> str:  # noqa: N802 (the name that message extractors know)
    """Mark a text for translation where it is only listed."""
    return text


def plain(text: str) -> str:
    """Text of others as one line of what is seen: no breaks, no controls, no overrides of the writing direction."""
    return _UNSEEN.sub("", _BREAKS.sub(" ", text))


# The register's list of themes. One that isn't here is shown by its code.
THEMES = {
    "biodiversity": N_("Biodiversity"),
    "climate": N_("Climate action"),
    "democracy": N_("Democracy and human rights"),
    "development": N_("Development cooperation"),
    "dialogue": N_("North American dialogue"),
    "digital": N_("Cyberspace and digital access"),
    "energy": N_("Energy"),
    "equity": N_("Equity and inclusion"),
    "finance": N_("Finance"),
    "health": N_("Health"),
    "migration": N_("Migration and protection"),
    "nature": N_("Nature and oceans"),
    "security": N_("Security and disaster response"),
    "small-business": N_("Small and medium enterprises"),
    "supply-chains": N_("Supply chains"),
    "trade": N_("Trade and investment"),
    "transport": N_("Transportation"),
    "work": N_("Labor rights and skills"),
}

STATUSES = {
    Status.ANNOUNCED: N_("announced"),
    Status.IN_PROGRESS: N_("in progress"),
    Status.AT_RISK: N_("at risk"),
    Status.MET: N_("met"),
    Status.PARTLY_MET: N_("partly met"),
    Status.MISSED: N_("missed"),
    Status.WITHDRAWN: N_("withdrawn"),
}

MINISTRIES = {
    "ca-gac": N_("Global Affairs Canada"),
    "mx-sre": N_("Ministry of Foreign Affairs of Mexico"),
    "us-dos": N_("U.S. Department of State"),
}

_SEASONS = {
    "21": (N_("spring %(year)s"), N_("in spring %(year)s")),
    "22": (N_("summer %(year)s"), N_("in summer %(year)s")),
    "23": (N_("autumn %(year)s"), N_("in autumn %(year)s")),
    "24": (N_("winter %(year)s"), N_("in winter %(year)s")),
}
"""By the number that EDTF gives a season."""


class Words:
    """One language: its catalogue and its calendar."""

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self._locale = Locale.parse(LOCALES[language])
        self._catalogue = catalogue

    def gettext(self, message: str, **values: object) -> str:
        """The message in this language; `%(name)s` stands for a value."""
        return self._catalogue.gettext(message) % values if values else self._catalogue.gettext(message)

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """The message in the form that the number asks for; `%(number)s` stands for it."""
        return self._catalogue.ngettext(one, many, number) % {"number": number, **values}

    def line(self, label: str, value: str) -> str:
        """`label: value`; French sets a space before the colon."""
        return self.gettext("%(label)s: %(value)s", label=label, value=value)

    def quoted(self, text: str) -> str:
        """In the quotation marks of the language."""
        return self.gettext("“%(text)s”", text=text)

    def countries(self, codes: Iterable[Country]) -> str:
        """Countries by their everyday names, as a list in prose."""
        return format_list([self._locale.territories[str(code)] for code in codes], locale=self._locale)

    def theme(self, slug: str) -> str:
        """A theme's title; made from its code when we don't know it."""
        return self.gettext(THEMES[slug]) if slug in THEMES else slug.replace("-", " ").capitalize()

    def ministry(self, code: str) -> str:
        """A ministry's name; its code when we don't know it."""
        return self.gettext(MINISTRIES[code]) if code in MINISTRIES else code.upper()

    def status(self, status: Status) -> str:
        """A status in a word or two."""
        return self.gettext(STATUSES[status])

    def day(self, day: date) -> str:
        """`December 31, 2030`."""
        return self._first(format_date(day, "long", self._locale), day)

    def moment(self, instant: datetime, place: str, zone: str) -> str:
        """When something begins in a place, and when that is in the reader's zone, where clocks there differ."""
        there, here = instant.astimezone(zone_named(place)), instant.astimezone(zone_named(zone))
        if there.utcoffset() == here.utcoffset():
            return self.at(instant, place)
        values = {"day": self.day(there.date()), "time": self.clock(there), "place": self.place(place)}
        values |= {"day_here": self.day(here.date()), "time_here": self.clock(here), "here": self.place(zone)}
        return self.gettext("%(day)s, %(time)s in %(place)s; for you %(day_here)s, %(time_here)s (%(here)s)", **values)

    def span(self, span: Span, reading: Reading, wording: str) -> str:
        """When it is to happen: coarse words stay coarse, and are followed by the last day that they allow.

        `by 2030, that is by December 31, 2030`; `no date given: “over the medium term”`.
        """
        if span.earliest is None:
            return self.gettext("no date given: %(wording)s", wording=self.quoted(wording))
        if span.latest is None:
            return self.gettext("from %(day)s on", day=self.day(span.earliest))
        if span.precision is Precision.DAY:
            if span.earliest != span.latest:
                return self._interval(span.earliest, span.latest)
            day = self.day(span.latest)
            return self.gettext("by %(day)s", day=day) if reading is Reading.BY else day
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
            return self.gettext("from %(day)s on", day=self.day(first))
        values = {"first": self.day(first), "last": self.day(last), "year": str(first.year)}
        match span.precision:
            case Precision.DAY:
                return self.day(last) if first == last else self._interval(first, last)
            case Precision.MONTH if (first.year, first.month) == (last.year, last.month):
                month = str(format_skeleton("yMMMM", last, locale=self._locale))
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

    def weekday(self, day: date) -> str:
        """`Friday, December 24, 2021`."""
        return self._first(format_date(day, "full", self._locale), day)

    def month(self, day: date) -> str:
        """`February 2022`."""
        return str(format_skeleton("yMMMM", day, locale=self._locale))

    def days(self, first: date, last: date) -> str:
        """A day without its year, or days from one to another: `Dec 24`, `Dec 25 – 26`."""
        if first == last:
            return self._first(str(format_skeleton("MMMd", first, locale=self._locale)), first)
        return str(format_interval(first, last, "MMMd", locale=self._locale))

    def at(self, instant: datetime, zone: str) -> str:
        """An instant on the clocks of a zone: `December 24, 2021, 8:00 AM (Toronto)`."""
        local = instant.astimezone(zone_named(zone))
        return self.gettext(
            "%(day)s, %(time)s (%(place)s)", day=self.day(local.date()), time=self.clock(local), place=self.place(zone)
        )

    def listing(self, things: Iterable[str]) -> str:
        """`a, b, and c`."""
        return format_list(list(things), locale=self._locale)

    def clock(self, local: datetime | time) -> str:
        """A time of day: `8:00 AM`."""
        return format_time(local, "short", locale=self._locale)

    def place(self, zone: str) -> str:
        """The city that a zone is named after, or what else it is called."""
        return get_timezone_location(zone_named(zone), self._locale, return_city=True)

    def _interval(self, first: date, last: date) -> str:
        return str(format_interval(first, last, "yMMMMd", locale=self._locale))

    def _first(self, written: str, day: date) -> str:
        # CLDR lets French months begin on the "1"; people write "1er".
        return re.sub(r"\b1 ", "1er ", written, count=1) if self.language == "fr" and day.day == 1 else written


def _catalogue(language: str) -> gettext.NullTranslations:
    if language == Language.EN:
        return gettext.NullTranslations()
    source = resources.files("services.scheduler") / "locales" / f"{language}.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=LOCALES[language], abort_invalid=True))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


_WORDS = {language.value: Words(language.value, _catalogue(language.value)) for language in Language}


def words_in(language: Language | str) -> Words:
    """The words of a language; `KeyError` for one that we don't speak."""
    return _WORDS[str(language)]
