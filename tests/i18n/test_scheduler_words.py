"""The words of calendars and feeds: nothing is left untranslated, themes are called as in the register."""

import re
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from contracts.topics import MINISTRIES
from contracts.vocabulary import Precision, Reading, Span, Status
from services.registry import catalogue
from services.scheduler import languages
from services.scheduler.languages import plain, words_in

PLACE = Path(languages.__file__).parent
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def messages_in_code() -> set[object]:
    keywords = {"gettext": None, "ngettext": (1, 2), "N_": None}
    return {
        message
        for path in PLACE.rglob("*.py")
        for _, message, _, _ in extract("python", BytesIO(path.read_bytes()), keywords=keywords)
    }


def catalogue_of(language: str) -> Catalog:
    source = (PLACE / "locales" / f"{language}.po").read_bytes()
    return read_po(BytesIO(source), locale=languages.LOCALES[language])


@pytest.mark.parametrize("language", ["es", "fr"])
def test_every_message_of_the_code_is_translated_and_no_other_is_kept(language: str) -> None:
    translated = {m.id for m in catalogue_of(language) if m.id and m.string and all(m.string) and not m.fuzzy}

    assert messages_in_code() == translated


@pytest.mark.parametrize("language", ["es", "fr"])
def test_a_translation_fills_in_the_same_values(language: str) -> None:
    for message in catalogue_of(language):
        if not message.id:
            continue
        wanted = set(PLACEHOLDER.findall(message.id if isinstance(message.id, str) else message.id[1]))
        for text in [message.string] if isinstance(message.string, str) else message.string:
            assert wanted == set(PLACEHOLDER.findall(text)), message.id


def test_every_status_and_ministry_has_a_name() -> None:
    assert set(languages.STATUSES) == set(Status)
    assert set(languages.MINISTRIES) == set(MINISTRIES)


def test_themes_are_called_as_in_the_register() -> None:
    for theme in catalogue.load().themes:
        for language in ("en", "es", "fr"):
            assert words_in(language).theme(theme.id) == theme.title.in_language(language)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["Due in 0 days: X", "Due in 1 day: X", "Due in 2 days: X"]),
        ("es", ["Vence en 0 días: X", "Vence en 1 día: X", "Vence en 2 días: X"]),
        ("fr", ["Échéance dans 0 jour : X", "Échéance dans 1 jour : X", "Échéance dans 2 jours : X"]),
    ],
)
def test_numbers_take_the_right_plural(language: str, expected: list[str]) -> None:
    one, many = "Due in %(number)s day: %(milestone)s", "Due in %(number)s days: %(milestone)s"

    assert [words_in(language).ngettext(one, many, n, milestone="X") for n in (0, 1, 2)] == expected


YEAR = Span(edtf="2030", earliest=date(2030, 1, 1), latest=date(2030, 12, 31), precision=Precision.YEAR)
DECADE = Span(edtf="202X", earliest=date(2020, 1, 1), latest=date(2029, 12, 31), precision=Precision.DECADE)
SUMMER = Span(edtf="2022-22", earliest=date(2022, 6, 1), latest=date(2022, 8, 31), precision=Precision.SEASON)
MONTH = Span(edtf="2022-12", earliest=date(2022, 12, 1), latest=date(2022, 12, 31), precision=Precision.MONTH)
OPEN = Span(edtf="2022/..", earliest=date(2022, 1, 1), latest=None, precision=Precision.YEAR)
UNDATED = Span(edtf=None, earliest=None, latest=None, precision=Precision.UNDATED)


@pytest.mark.parametrize(
    ("language", "span", "reading", "expected"),
    [
        ("en", YEAR, Reading.BY, "by 2030, that is by December 31, 2030"),
        ("es", YEAR, Reading.BY, "para 2030, es decir, a más tardar el 31 de diciembre de 2030"),
        ("fr", YEAR, Reading.BY, "d’ici 2030, c’est-à-dire au plus tard le 31 décembre 2030"),
        ("en", DECADE, Reading.DURING, "in the 2020s, that is by December 31, 2029"),
        ("fr", SUMMER, Reading.ON, "à l’été 2022, c’est-à-dire au plus tard le 31 août 2022"),
        ("es", MONTH, Reading.ON, "en diciembre de 2022, es decir, a más tardar el 31 de diciembre de 2022"),
        ("fr", OPEN, Reading.FROM, "à partir du 1er janvier 2022"),
        ("en", UNDATED, Reading.UNDATED, "no date given: “over the medium term”"),
    ],
)
def test_coarse_words_stay_coarse(language: str, span: Span, reading: Reading, expected: str) -> None:
    assert words_in(language).span(span, reading, "over the medium term") == expected


def test_plain_text_is_one_line_of_what_is_seen() -> None:
    assert plain("a\r\n\tb\u202ec\ufffe\ud800\x00d\u2028e") == "a bcd e"
