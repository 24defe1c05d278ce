"""One language: its messages, and days, times, places and lists as its readers write them."""

import gettext
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from functools import cache
from typing import Literal

from babel import Locale
from babel.dates import (
    format_date,
    format_interval,
    format_skeleton,
    format_time,
    get_timezone_location,
)
from babel.lists import format_list
from babel.numbers import format_decimal

from contracts.vocabulary import LanguageTag
from services.i18n.catalogue import translations_of
from services.i18n.languages import (
    choose_language,
    conventions_of,
    is_same_language,
    written_as,
    written_languages,
)
from services.plumbing.zones import UnknownZone, on_clocks, zone_named

DayForm = Literal["full", "long", "medium"]
"""`Tuesday, December 31, 2030`; `December 31, 2030`; `Dec 31, 2030`."""

_LONGEST_UNGROUPED = 999

_FIRST_OF_MONTH = re.compile(r"(?<!\d)1(?=[ \u00a0]\D|[ \u2009]?–)")


class Words:
    """One language: its catalogue and its calendar. Stateless, and made once for each."""

    def __init__(self, language: LanguageTag, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        conventions = conventions_of(language)
        self.locale = Locale.parse(conventions.locale)
        self.catalogue = catalogue
        self._first_of_month = conventions.first_of_month

    def speaks(self, language: LanguageTag) -> bool:
        """Whether what is in another language, or as another region writes it, needs no mark among these words."""
        return is_same_language(self.language, language)

    def gettext(self, message: str, **values: object) -> str:
        """The message in this language; `%(name)s` stands for a value."""
        return self.catalogue.gettext(message) % values if values else self.catalogue.gettext(message)

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """The message in the form that the number asks for; `%(number)s` stands for it."""
        return self.catalogue.ngettext(one, many, number) % {"number": self.number(number), **values}

    def number(self, number: int) -> str:
        """A whole number: `1,234`, `1 234`."""
        return format_decimal(number, locale=self.locale) if abs(number) > _LONGEST_UNGROUPED else str(number)

    def listed(self, items: Iterable[str]) -> str:
        """`a, b, and c` as the language lists things; nothing for none."""
        things = list(items)
        return format_list(things, locale=self.locale) if things else ""

    def label(self, name: str) -> str:
        """A label with its colon; French sets a space before it."""
        return self.gettext("%(label)s:", label=name)

    def line(self, label: str, value: str) -> str:
        """`label: value`; French sets a space before the colon."""
        return self.gettext("%(label)s: %(value)s", label=label, value=value)

    def quoted(self, text: str) -> str:
        """In the quotation marks of the language."""
        return self.gettext("“%(text)s”", text=text)

    def day(self, day: date, form: DayForm = "long") -> str:
        """A calendar day."""
        return self._dated(format_date(day, form, self.locale))

    def days(self, first: date, last: date, form: DayForm = "long") -> str:
        """Days from one to another: `Dec 9 – 10, 2021`; weekdays aren't named."""
        return self._dated(
            str(format_interval(first, last, "yMMMMd" if form == "long" else "yMMMd", locale=self.locale))
        )

    def days_without_year(self, first: date, last: date) -> str:
        """A day, or days from one to another: `Dec 24`, `Dec 25 – 26`."""
        if first == last:
            return self._dated(str(format_skeleton("MMMd", first, locale=self.locale)))
        return self._dated(str(format_interval(first, last, "MMMd", locale=self.locale)))

    def month(self, day: date) -> str:
        """`February 2022`."""
        return str(format_skeleton("yMMMM", day, locale=self.locale))

    def months(self, first: date, last: date) -> str:
        """Months from that of one day to that of another: `June – August 2022`; one month by its name."""
        if (first.year, first.month) == (last.year, last.month):
            return self.month(first)
        return str(format_interval(first, last, "yMMMM", locale=self.locale))

    def interval(self, first: str, last: str) -> str:
        """From one thing in time to another, by their names: `spring 2022 – autumn 2022`."""
        return str(self.locale.interval_formats[None].format(first, last))

    def time_of_day(self, local: datetime | time) -> str:
        """What a wall clock shows: `8:00 AM`."""
        return format_time(local, "short", locale=self.locale)

    def place(self, zone: str) -> str:
        """The city that an IANA zone is named after, or what else it is called; an unknown zone by its own name."""
        try:
            return get_timezone_location(zone_named(zone), self.locale, return_city=True)
        except UnknownZone:
            return zone

    @property
    def weekdays(self) -> tuple[str, ...]:
        """The days of the week as they stand by themselves, from Monday on."""
        return tuple(str(self.locale.days["stand-alone"]["wide"][number]) for number in range(7))

    def moment(self, instant: datetime, zone: str, place: str | None = None, form: DayForm = "long") -> str:
        """A point in time in the reader's zone; where clocks in the zone `place` differ, in that one first.

        `July 24, 2023, 9:29 AM (Mexico City)`; `July 1, 2022, 12:00 AM in Mexico City, 1:00 AM for you (Toronto)`.
        Raises `UnknownZone`.
        """
        there, here = on_clocks(instant, zone_named(place or zone)), on_clocks(instant, zone_named(zone))
        values = {
            "day": self.day(there.date(), form),
            "time": self.time_of_day(there),
            "place": self.place(place or zone),
        }
        if there.replace(tzinfo=None) == here.replace(tzinfo=None):
            return self.gettext("%(day)s, %(time)s (%(place)s)", **values)
        values |= {"time_here": self.time_of_day(here), "here": self.place(zone)}
        if there.date() == here.date():
            return self.gettext("%(day)s, %(time)s in %(place)s, %(time_here)s for you (%(here)s)", **values)
        values["day_here"] = self.day(here.date(), form)
        return self.gettext("%(day)s, %(time)s in %(place)s; for you %(day_here)s, %(time_here)s (%(here)s)", **values)

    def _dated(self, written: str) -> str:
        """French months begin on the "1er"; no other number that stands alone is in a date of four-digit years."""
        if self._first_of_month == "1":
            return written
        return _FIRST_OF_MONTH.sub(self._first_of_month, written)


def words_in(language: LanguageTag) -> Words:
    """The words of a language, or of a region; `KeyError` for one that there is not."""
    written = written_as(language)
    if written is None:
        raise KeyError(language)
    return _made(written)


@cache
def _made(written: LanguageTag) -> Words:
    return Words(written, translations_of(written))


def answer_language(accepted: str | None) -> tuple[LanguageTag, Callable[[str], str]]:
    """The language of an answer to who accepts these (a header Accept-Language), and how messages are said in it."""
    words = words_in(choose_language(None, None, accepted))
    return words.language, words.catalogue.gettext


for _language in written_languages():
    words_in(_language)  # a catalogue that can't be read stops a process as it starts, not its first reader
