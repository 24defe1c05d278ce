"""Spans: as coarse as they were written, and the same name wherever they are shown."""

from datetime import date

import pytest
from pydantic import TypeAdapter

from contracts.open_lists import TOLERANT
from contracts.vocabulary import Precision, Reading, Span
from services.i18n.languages import LANGUAGES
from services.i18n.spans import date_phrase, span_name
from services.i18n.words import words_in
from services.registry.rules.edtf_dates import UNDATED, span_of

WRITTEN_OUT = ("en", "es", "fr")
"""The languages whose words are written out below, in this order."""


@pytest.mark.parametrize(
    ("edtf", "reading", "en", "es", "fr"),
    [
        (
            "2030",
            Reading.BY,
            "by 2030, that is by December 31, 2030",
            "para 2030, es decir, a más tardar el 31 de diciembre de 2030",
            "d’ici 2030, c’est-à-dire au plus tard le 31 décembre 2030",
        ),
        (
            "2022-22",
            Reading.ON,
            "in summer 2022, that is by August 31, 2022",
            "en el verano de 2022, es decir, a más tardar el 31 de agosto de 2022",
            "à l’été 2022, c’est-à-dire au plus tard le 31 août 2022",
        ),
        (
            "2022-08",
            Reading.BY,
            "by August 2022, that is by August 31, 2022",
            "para agosto de 2022, es decir, a más tardar el 31 de agosto de 2022",
            "d’ici août 2022, c’est-à-dire au plus tard le 31 août 2022",
        ),
        (
            "202X",
            Reading.DURING,
            "in the 2020s, that is by December 31, 2029",
            "en la década de 2020, es decir, a más tardar el 31 de diciembre de 2029",
            "dans les années 2020, c’est-à-dire au plus tard le 31 décembre 2029",
        ),
        (
            "2023-01/2023-04",  # "by early 2023"
            Reading.BY,
            "by April 30, 2023",
            "a más tardar el 30 de abril de 2023",
            "au plus tard le 30 avril 2023",
        ),
        (
            "2023-03-10/2023-06-10",  # "within three months"
            Reading.BY,
            "by Saturday, June 10, 2023",
            "a más tardar el sábado, 10 de junio de 2023",
            "au plus tard le samedi 10 juin 2023",
        ),
        (
            "2023-22",  # "before this fall"
            Reading.BY,
            "by the end of summer 2023, that is by August 31, 2023",
            "para finales del verano de 2023, es decir, a más tardar el 31 de agosto de 2023",
            "d’ici la fin de l’été 2023, c’est-à-dire au plus tard le 31 août 2023",
        ),
        (
            "202X",  # "by the end of the decade"
            Reading.BY,
            "by the end of the 2020s, that is by December 31, 2029",
            "para finales de la década de 2020, es decir, a más tardar el 31 de diciembre de 2029",
            "d’ici la fin des années 2020, c’est-à-dire au plus tard le 31 décembre 2029",
        ),
        (
            "2023-01-01",
            Reading.ON,
            "Sunday, January 1, 2023",
            "domingo, 1 de enero de 2023",
            "dimanche 1er janvier 2023",
        ),
        (
            "2023-01-10",
            Reading.BY,
            "by Tuesday, January 10, 2023",
            "a más tardar el martes, 10 de enero de 2023",
            "au plus tard le mardi 10 janvier 2023",
        ),
        ("2021-12-09/2021-12-10", Reading.ON, "Dec 9 – 10, 2021", "9–10 de dic de 2021", "9–10 déc. 2021"),
        (
            None,
            Reading.UNDATED,
            "no date given (“over the medium term”)",
            "sin fecha (“over the medium term”)",
            "aucune date (« over the medium term »)",
        ),
    ],
)
def test_a_span_is_told_as_coarsely_as_it_was_written(
    edtf: str | None, reading: Reading, en: str, es: str, fr: str
) -> None:
    span = span_of(edtf)
    told = [date_phrase(span, reading, "over the medium term", words_in(lang), "full") for lang in WRITTEN_OUT]

    assert [en, es, fr] == [text.replace("\u2009", " ").replace("\xa0", " ") for text in told]


@pytest.mark.parametrize(
    ("edtf", "first", "precision", "en", "es", "fr"),
    [
        ("2022/..", date(2022, 1, 1), Precision.YEAR, "from 2022 on", "a partir de 2022", "à partir de 2022"),
        (
            "2022-08/..",
            date(2022, 8, 1),
            Precision.MONTH,
            "from August 2022 on",
            "desde agosto de 2022",
            "dès août 2022",
        ),
        (
            "2022-22/..",
            date(2022, 6, 1),
            Precision.SEASON,
            "from summer 2022 on",
            "desde el verano de 2022",
            "dès l’été 2022",
        ),
        (
            "202X/..",
            date(2020, 1, 1),
            Precision.DECADE,
            "from the 2020s on",
            "desde la década de 2020",
            "dès les années 2020",
        ),
        (
            "2023-01-01/..",
            date(2023, 1, 1),
            Precision.DAY,
            "from January 1, 2023 on",
            "desde el 1 de enero de 2023",
            "à partir du 1er janvier 2023",
        ),
    ],
)
def test_a_span_without_an_end_is_told_from_its_beginning(
    edtf: str, first: date, precision: Precision, en: str, es: str, fr: str
) -> None:
    span = Span(edtf=edtf, earliest=first, latest=None, precision=precision)

    assert [en, es, fr] == [
        date_phrase(span, Reading.FROM, "in 2022 and beyond", words_in(lang)) for lang in WRITTEN_OUT
    ]
    assert [en, es, fr] == [span_name(span, words_in(lang)) for lang in WRITTEN_OUT]


def test_what_recurs_has_no_date_and_says_so() -> None:
    assert date_phrase(UNDATED, Reading.RECURRING, "every two years", words_in("en")) == (
        "recurring, no date given (“every two years”)"
    )


def test_a_span_over_several_years_is_told_from_its_ends() -> None:
    span = Span(edtf="2022/2024", earliest=date(2022, 1, 1), latest=date(2024, 12, 31), precision=Precision.YEAR)

    assert date_phrase(span, Reading.DURING, "", words_in("en")) == "2022–2024, that is by December 31, 2024"


YEAR, DECADE, SUMMER, MONTH = (span_of(edtf) for edtf in ("2030", "202X", "2022-22", "2022-12"))
OPEN = Span(edtf="2022/..", earliest=date(2022, 1, 1), latest=None, precision=Precision.YEAR)


@pytest.mark.parametrize(
    ("language", "span", "reading", "expected"),
    [
        ("en", YEAR, Reading.BY, "by 2030, that is by December 31, 2030"),
        ("es", YEAR, Reading.BY, "para 2030, es decir, a más tardar el 31 de diciembre de 2030"),
        ("fr", YEAR, Reading.BY, "d’ici 2030, c’est-à-dire au plus tard le 31 décembre 2030"),
        ("en", DECADE, Reading.DURING, "in the 2020s, that is by December 31, 2029"),
        ("fr", SUMMER, Reading.ON, "à l’été 2022, c’est-à-dire au plus tard le 31 août 2022"),
        ("es", MONTH, Reading.ON, "en diciembre de 2022, es decir, a más tardar el 31 de diciembre de 2022"),
        ("fr", OPEN, Reading.FROM, "à partir de 2022"),
        ("en", UNDATED, Reading.UNDATED, "no date given (“over the medium term”)"),
    ],
)
def test_coarse_words_stay_coarse(language: str, span: Span, reading: Reading, expected: str) -> None:
    assert date_phrase(span, reading, "over the medium term", words_in(language)) == expected


@pytest.mark.parametrize(
    ("edtf", "earliest", "latest", "precision", "said"),
    [
        ("2022-06", date(2022, 6, 1), date(2022, 6, 30), "month", "June 2022, junio de 2022, juin 2022"),
        ("2022-22", date(2022, 6, 21), date(2022, 9, 22), "season", "summer 2022, el verano de 2022, l’été 2022"),
        ("2030", date(2030, 1, 1), date(2030, 12, 31), "year", "2030, 2030, 2030"),
        ("202X", date(2020, 1, 1), date(2029, 12, 31), "decade", "the 2020s, la década de 2020, les années 2020"),
        (None, None, None, "undated", "no date given, sin fecha, aucune date"),
        ("2022/..", date(2022, 1, 1), None, "year", "from 2022 on, a partir de 2022, à partir de 2022"),
        (
            "2022-06/..",
            date(2022, 6, 1),
            None,
            "month",
            "from June 2022 on, desde junio de 2022, dès juin 2022",
        ),
        (
            "2022-22/..",
            date(2022, 6, 1),
            None,
            "season",
            "from summer 2022 on, desde el verano de 2022, dès l’été 2022",
        ),
        (
            "202X/..",
            date(2020, 1, 1),
            None,
            "decade",
            "from the 2020s on, desde la década de 2020, dès les années 2020",
        ),
        (
            "2023-01-10/..",
            date(2023, 1, 10),
            None,
            "day",
            "from January 10, 2023 on, desde el 10 de enero de 2023, à partir du 10 janvier 2023",
        ),
    ],
)
def test_a_span_is_said_as_finely_as_it_is_known(
    edtf: str | None, earliest: date | None, latest: date | None, precision: str, said: str
) -> None:
    span = Span(edtf=edtf, earliest=earliest, latest=latest, precision=Precision(precision))

    assert said == ", ".join(span_name(span, words_in(language)) for language in WRITTEN_OUT)


def test_a_day_is_written_out() -> None:
    day = date(2023, 1, 10)
    span = Span(edtf="2023-01-10", earliest=day, latest=day, precision=Precision.DAY)

    assert [span_name(span, words_in(language)) for language in WRITTEN_OUT] == [
        "January 10, 2023",
        "10 de enero de 2023",
        "10 janvier 2023",
    ]


def test_a_span_of_days_names_both() -> None:
    told = Span(
        edtf="2021-12-09/2021-12-10",
        earliest=date(2021, 12, 9),
        latest=date(2021, 12, 10),
        precision=Precision.DAY,
    )
    for language in LANGUAGES:
        name = span_name(told, words_in(language))
        assert "9" in name and "10" in name and "2021" in name


def test_a_precision_or_a_reading_of_a_later_release_leaves_the_days_themselves() -> None:
    words, week = words_in("en"), {"edtf": "2023-07-03/2023-07-09", "earliest": "2023-07-03", "latest": "2023-07-09"}
    span = Span.as_kept(week | {"precision": "week"})
    open_end = Span.as_kept({"edtf": "2023-07-03/..", "earliest": "2023-07-03", "latest": None, "precision": "week"})
    undated = Span.as_kept({"edtf": None, "earliest": None, "latest": None, "precision": "sometime"})
    unheard: Reading = TypeAdapter(Reading).validate_python("not-before", context=TOLERANT)

    assert span_name(span, words) == "Jul 3\u2009–\u20099, 2023"
    assert date_phrase(span, Reading.BY, "", words) == "by July 9, 2023"
    assert span_name(open_end, words) == date_phrase(open_end, unheard, "", words) == "from July 3, 2023 on"
    assert date_phrase(undated, unheard, "in due course", words) == "no date given (“in due course”)"
    assert date_phrase(span_of("2030"), unheard, "", words) == "2030", "nobody says that it ends then"
