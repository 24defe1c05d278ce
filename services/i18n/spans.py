"""The name of a span of days, which is the same wherever it is shown, and what a milestone's date says with it.

A span is called as coarsely as its words are. Where one unit (a month, a season, a year, a decade) holds both of its
ends, it is that unit's name; else both ends are named.
"""

import re
from datetime import date

from contracts.vocabulary import Precision, Reading, Span
from services.i18n.catalogue import N_
from services.i18n.words import DayForm, Words

_SEASON = re.compile(r"(\d{4})-(2[1-4])", re.ASCII)
"""How EDTF writes a season that has a name here."""

_SEASONS = {
    "21": (N_("spring %(year)s"), N_("in spring %(year)s")),
    "22": (N_("summer %(year)s"), N_("in summer %(year)s")),
    "23": (N_("autumn %(year)s"), N_("in autumn %(year)s")),
    "24": (N_("winter %(year)s"), N_("in winter %(year)s")),
}


def span_name(span: Span, words: Words, form: DayForm = "long", *, inside: bool = False) -> str:
    """`summer 2022`, `the 2020s`, `from 2022 on`, `no date given`; days stand in the given form.

    `inside` says that it is in that time: `in summer 2022`.
    """
    first, last = span.earliest, span.latest
    if first is None:
        return words.gettext("no date given")
    if last is None:
        return _from(span, first, words)
    values = {"first": words.day(first, form), "last": words.day(last, form), "year": str(first.year)}
    match span.precision:
        case Precision.DAY:
            return values["last"] if first == last else words.days(first, last, form)
        case Precision.MONTH if (first.year, first.month) == (last.year, last.month):
            month = words.month(last)
            return words.gettext("in %(month)s", month=month) if inside else month
        case Precision.SEASON if (season := _SEASONS.get((span.edtf or "")[5:])) and len(span.edtf or "") == 7:
            values["year"] = (span.edtf or "")[:4]
            return words.gettext(season[1] if inside else season[0], **values)
        case Precision.YEAR if first.year == last.year:
            return words.gettext("in %(year)s", **values) if inside else values["year"]
        case Precision.YEAR:
            return f"{first.year}–{last.year}"
        case Precision.DECADE if first.year // 10 == last.year // 10:
            return words.gettext("in the %(year)ss", **values) if inside else words.gettext("the %(year)ss", **values)
    return words.gettext("%(first)s to %(last)s", **values)


def date_phrase(span: Span, reading: Reading, wording: str, words: Words, form: DayForm = "long") -> str:
    """When it is to happen: coarse words stay coarse, and are followed by the last day that they allow.

    `by 2030, that is by December 31, 2030`; `from 2022 on`; `no date given: “over the medium term”`. A single day
    stands in the given form.
    """
    if span.earliest is None and reading is Reading.RECURRING:
        return words.gettext("recurring, no date given: %(wording)s", wording=words.quoted(wording))
    if span.earliest is None:
        return words.gettext("no date given: %(wording)s", wording=words.quoted(wording))
    if span.latest is None:
        return span_name(span, words, form)
    if span.precision is Precision.DAY:
        if span.earliest != span.latest:
            return words.days(span.earliest, span.latest, form)
        day = words.day(span.latest, form)
        return words.gettext("by %(day)s", day=day) if reading is Reading.BY else day
    coarse_form: DayForm = "medium" if form == "full" else form
    values = {
        "span": span_name(span, words, coarse_form, inside=reading is not Reading.BY),
        "day": words.day(span.latest),
    }
    if reading is Reading.BY:
        return words.gettext("by %(span)s, that is by %(day)s", **values)
    return words.gettext("%(span)s, that is by %(day)s", **values)


def _from(span: Span, first: date, words: Words) -> str:
    """An open span by its beginning: `from June 2022 on`."""
    match span.precision:
        case Precision.DAY:
            return words.gettext("from %(day)s on", day=words.day(first))
        case Precision.YEAR:
            return words.gettext("from %(year)s on", year=str(first.year))
        case Precision.SEASON if season := _SEASONS.get((span.edtf or "")[5:7]):
            begin = words.gettext(season[0], year=(span.edtf or "")[:4])
        case Precision.DECADE:
            begin = words.gettext("the %(year)ss", year=str(first.year // 10 * 10))
        case _:
            begin = words.month(first)
    return words.gettext("from %(span)s on", span=begin)
