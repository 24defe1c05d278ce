"""Three languages, whole: what is said, the dates, and which language a reader gets."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from contracts.vocabulary import Country, Language, Offset, Precision, Span
from services.portal import words
from services.portal.voices import LOCALES, choose_language, load_voices

VOICES = load_voices()
MARKERS = {"_": None, "gettext": None, "ngettext": (1, 2), "say": None, "count": (1, 2)}


def messages() -> set[str | tuple[str, ...]]:
    """Every message in code and templates."""
    sources = [("**.py", "python"), ("templates/**.html", "jinja2")]
    return {found[2] for found in extract_from_dir(Path(words.__file__).parent, sources, keywords=MARKERS)}


def catalogue_of(language: Language) -> Catalog:
    with (LOCALES / f"{language}.po").open("rb") as source:
        return read_po(source, locale=str(language))


@pytest.mark.parametrize("language", list(Language))
def test_every_message_is_said_and_none_is_left_over(language: Language) -> None:
    catalogue = catalogue_of(language)
    said = {message.id: message for message in catalogue if message.id}

    assert {id_ if isinstance(id_, str) else tuple(id_) for id_ in said} == messages()
    assert [message.id for message in said.values() if message.fuzzy or not message.string] == []
    assert [message.id for message in said.values() if list(message.check(catalogue))] == []
    assert not catalogue.obsolete


@pytest.mark.parametrize("language", list(Language))
def test_every_message_keeps_the_values_that_it_is_given(language: Language) -> None:
    catalogue = catalogue_of(language)
    for message in catalogue:
        singular = message.id[0] if isinstance(message.id, tuple) else message.id
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for name in (
            "%(n)s",
            "%(num)s",
            "%(who)s",
            "%(when)s",
            "%(source)s",
            "%(before)s",
            "%(after)s",
            "%(milestone)s",
            "{n}",
        ):
            assert all((name in singular) == (name in string) for string in strings), message.id


def test_nothing_is_singular_in_french_and_plural_in_spanish() -> None:
    def days(n: int) -> list[str]:
        return [VOICES[language].count("%(n)s day ago", "%(n)s days ago", n) for language in Language]

    assert days(0) == ["0 days ago", "hace 0 días", "il y a 0 jour"]
    assert days(1) == ["1 day ago", "hace 1 día", "il y a 1 jour"]
    assert days(2) == ["2 days ago", "hace 2 días", "il y a 2 jours"]


@pytest.mark.parametrize(
    ("edtf", "earliest", "latest", "precision", "said"),
    [
        ("2022-06", date(2022, 6, 1), date(2022, 6, 30), "month", "June 2022, junio de 2022, juin 2022"),
        ("2022-22", date(2022, 6, 21), date(2022, 9, 22), "season", "summer 2022, verano de 2022, été 2022"),
        ("2030", date(2030, 1, 1), date(2030, 12, 31), "year", "2030, 2030, 2030"),
        ("202X", date(2020, 1, 1), date(2029, 12, 31), "decade", "the 2020s, la década de 2020, les années 2020"),
        (None, None, None, "undated", "no date given, sin fecha, sans date"),
        ("2022/..", date(2022, 1, 1), None, "year", "from 2022 on, 2022 en adelante, 2022 et après"),
        (
            "2022-06/..",
            date(2022, 6, 1),
            None,
            "month",
            "from June 2022 on, junio de 2022 en adelante, juin 2022 et après",
        ),
        (
            "2022-22/..",
            date(2022, 6, 1),
            None,
            "season",
            "from summer 2022 on, verano de 2022 en adelante, été 2022 et après",
        ),
        (
            "202X/..",
            date(2020, 1, 1),
            None,
            "decade",
            "from the 2020s on, la década de 2020 en adelante, les années 2020 et après",
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

    assert said == ", ".join(voice.span(span) for voice in VOICES.values())


def test_a_day_is_written_out() -> None:
    day = date(2023, 1, 10)
    span = Span(edtf="2023-01-10", earliest=day, latest=day, precision=Precision.DAY)

    assert [voice.span(span) for voice in VOICES.values()] == [
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
    for voice in VOICES.values():
        assert "9" in voice.span(told) and "10" in voice.span(told) and "2021" in voice.span(told)


def test_what_is_far_is_told_roughly() -> None:
    english = VOICES[Language.EN]

    assert english.from_now(90) == "in 90 days"
    assert english.from_now(10_257) == "in 28 years"
    assert english.from_now(-335) == "11 months ago"
    assert english.from_now(0) == "today"


def test_names_come_in_the_language() -> None:
    spanish = VOICES[Language.ES]

    assert spanish.countries([Country.CA, Country.MX, Country.US]) == "Canadá, México y Estados Unidos"
    assert spanish.zone("America/Mexico_City") == "Ciudad de México"
    assert spanish.step("before-7d") == "7 días antes"
    assert spanish.step("before-1bd") == "1 día hábil antes"
    assert [spanish.step(f"after-2{unit}") for unit in ("d", "bd", "w", "m")] == [
        "2 días después",
        "2 días hábiles después",
        "2 semanas después",
        "2 meses después",
    ]
    assert [VOICES[Language.FR].step(f"before-2{unit}") for unit in ("d", "bd", "w", "m")] == [
        "2 jours avant",
        "2 jours ouvrables avant",
        "2 semaines avant",
        "2 mois avant",
    ]
    assert spanish.step("on-the-day") == "ese mismo día"
    assert spanish.name_of("unknown-thing") == "unknown thing"
    assert spanish.instant(datetime(2023, 1, 10, 23, 30, tzinfo=UTC)) == "10 ene 2023, 23:30 UTC"


@pytest.mark.parametrize(
    ("direction", "count", "unit", "said"),
    [
        ("after", 90, "days", "90 days after NALS; 90 días después de: NALS; 90 jours après : NALS"),
        ("before", 1, "weeks", "1 week before NALS; 1 semana antes de: NALS; 1 semaine avant : NALS"),
        ("before", 2, "months", "2 months before NALS; 2 meses antes de: NALS; 2 mois avant : NALS"),
        ("after", 1, "years", "1 year after NALS; 1 año después de: NALS; 1 an après : NALS"),
        ("before", 0, "days", "before NALS; antes de: NALS; avant : NALS"),
        ("after", 0, "days", "after NALS; después de: NALS; après : NALS"),
    ],
)
def test_the_distance_from_an_event_is_said(direction: str, count: int, unit: str, said: str) -> None:
    offset = Offset.model_validate({"direction": direction, "count": count, "unit": unit})

    assert said == "; ".join(voice.distance(offset, "NALS").replace("\xa0", " ") for voice in VOICES.values())
    assert VOICES[Language.EN].distance(None, "NALS") == "NALS"


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "chosen"),
    [
        ("fr", "es", "en", "fr"),
        (None, "es", "en", "es"),
        ("tlh", None, "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        (None, None, "en;q=0.1, es-MX;q=0.9", "es"),
        (None, None, "de, es;q=0", "en"),
        (None, None, "es;q=loud, fr;q=0.2", "fr"),
        (None, None, None, "en"),
        ("", "", ",;;q=,", "en"),
    ],
)
def test_the_reader_gets_the_language_that_fits_best(
    asked: str | None, kept: str | None, accepted: str | None, chosen: str
) -> None:
    assert chosen == choose_language(asked, kept, accepted)
