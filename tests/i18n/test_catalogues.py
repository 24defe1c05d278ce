"""The catalogues: every message of the code is in each, no other is kept, and nothing that is filled in gets lost."""

import re
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from contracts.vocabulary import LanguageTag
from services.i18n import catalogue
from services.i18n.catalogue import compiled
from services.i18n.extraction import messages_in_code, updated
from services.i18n.languages import LANGUAGES, REGIONS, SOURCE, conventions_of
from services.i18n.words import words_in
from tests.i18n.catalogue_faults import faults

HERE = Path(catalogue.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != SOURCE]
REGIONAL = [region for region in REGIONS if (HERE / "locales" / f"{region}.po").exists()]


def text_of(language: LanguageTag) -> str:
    return (HERE / "locales" / f"{language}.po").read_text(encoding="utf-8")


def read(text: str, language: LanguageTag) -> Catalog:
    return read_po(BytesIO(text.encode()), locale=conventions_of(language).locale)


def catalogue_of(language: LanguageTag) -> Catalog:
    return read(text_of(language), language)


def test_every_language_but_that_of_the_code_has_a_catalogue() -> None:
    """
    A region has one where its words differ, and nobody else has any.
    """
    assert {path.stem for path in (HERE / "locales").iterdir()} == {*TRANSLATED, *REGIONAL}


@pytest.mark.parametrize("language", [*TRANSLATED, *REGIONAL])
def test_a_catalogue_is_whole_and_nothing_in_it_is_stale(language: LanguageTag) -> None:
    """
    Every message of the code is translated, no other is kept, none is a guess; each fills in the same values.
    """
    found = faults(
        catalogue_of(language), messages_in_code(), conventions_of(language), is_whole=language in TRANSLATED
    )

    assert sorted(found) == []


SPOILED: dict[str, tuple[Callable[[str], str], str]] = {
    "a message that is not there": (
        lambda text: re.sub(r'msgid "Delivered"\nmsgstr ".*"\n\n', "", text),
        "missing: Delivered",
    ),
    "a message without a text": (
        lambda text: re.sub(r'(msgid "Delivered"\nmsgstr) ".*"', r'\1 ""', text),
        "missing: Delivered",
    ),
    "a text for one and none for many": (
        lambda text: re.sub(
            r'(msgid_plural "in %\(number\)s days"\nmsgstr\[0\] ".*"\nmsgstr\[1\]) ".*"', r'\1 ""', text
        ),
        "missing: in %(number)s day",
    ),
    "a guess": (
        lambda text: text.replace('msgid "Delivered"', '#, fuzzy\nmsgid "Delivered"'),
        "guess: Delivered",
    ),
    "a message that the code says otherwise by now": (
        lambda text: text.replace('msgid "Delivered"', 'msgid "Has been delivered"'),
        "left over: Has been delivered",
    ),
    "a message that was put aside": (
        lambda text: text + '\n#~ msgid "Brought"\n#~ msgstr "x"\n',
        "left over: Brought",
    ),
    "a value that is left out": (
        lambda text: re.sub(r'(msgid "Source: %\(source\)s"\nmsgstr) ".*"', r'\1 "x"', text),
        "values: Source: %(source)s",
    ),
    "a value by another name": (
        lambda text: re.sub(r'(msgid "Source: %\(source\)s"\nmsgstr) ".*"', r'\1 "%(fuente)s"', text),
        "values: Source: %(source)s",
    ),
    "a number that is left out for one": (
        lambda text: re.sub(r'(msgid_plural "in %\(number\)s days"\nmsgstr\[0\]) ".*"', r'\1 "x"', text),
        "values: in %(number)s day",
    ),
}
"""What a hurried hand does to a catalogue, and what is to be found in it then."""


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_missing_or_stale_is_found(language: LanguageTag, how: str) -> None:
    spoil, fault = SPOILED[how]
    whole = text_of(language)

    assert spoil(whole) != whole
    assert fault in faults(read(spoil(whole), language), messages_in_code(), conventions_of(language))


def test_a_space_that_may_break_the_line_is_found() -> None:
    spoiled = text_of("fr").replace("\u00a0:", " :", 1)

    assert [fault[:8] for fault in faults(read(spoiled, "fr"), messages_in_code(), LANGUAGES["fr"])] == ["spaces: "]


@pytest.mark.parametrize("language", [*TRANSLATED, *REGIONAL])
def test_catalogues_are_as_the_extraction_writes_them(language: LanguageTag) -> None:
    assert updated(language, text_of(language)) == text_of(language)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_that_is_brought_up_to_the_code_keeps_its_translations(language: LanguageTag) -> None:
    whole = text_of(language)
    older = whole.replace('msgid "Delivered"', 'msgid "Brought"')

    again = {message.id: message.string for message in read_po(StringIO(updated(language, older)))}

    kept = {message.id: message.string for message in catalogue_of(language)}
    assert again == kept | {"": again[""], "Delivered": ""}
    assert updated(language, older).splitlines()[:8] == whole.splitlines()[:8]


def test_a_new_language_begins_with_every_message_and_no_translation() -> None:
    new = read_po(StringIO(updated("es", "")))

    assert {message.id for message in new} == {message.id for message in messages_in_code()}
    assert not [message.id for message in new if message.id and any(message.string)]
    assert new.locale_identifier == LANGUAGES["es"].locale
    assert new.plural_forms == catalogue_of("es").plural_forms


def test_what_is_not_translated_yet_is_shown_in_english() -> None:
    new = compiled(read_po(StringIO(updated("es", "")), locale="es_MX"))

    assert new.gettext("Delivered") == "Delivered"
    assert [new.ngettext("%(number)s day ago", "%(number)s days ago", n) for n in (1, 2)] == [
        "%(number)s day ago",
        "%(number)s days ago",
    ]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["in 0 days", "in 1 day", "in 2 days"]),
        ("es", ["en 0 días", "en 1 día", "en 2 días"]),
        ("fr", ["dans 0 jour", "dans 1 jour", "dans 2 jours"]),
    ],
)
def test_numbers_take_the_right_plural(language: str, expected: list[str]) -> None:
    words = words_in(language)

    assert expected == [words.ngettext("in %(number)s day", "in %(number)s days", n) for n in (0, 1, 2)]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["Due in 0 days: X", "Due in 1 day: X", "Due in 2 days: X"]),
        ("es", ["Vence en 0 días: X", "Vence en 1 día: X", "Vence en 2 días: X"]),
        ("fr", ["Échéance dans 0 jour\u00a0: X", "Échéance dans 1 jour\u00a0: X", "Échéance dans 2 jours\u00a0: X"]),
    ],
)
def test_a_number_comes_with_what_is_counted(language: str, expected: list[str]) -> None:
    one, many = "Due in %(number)s day: %(milestone)s", "Due in %(number)s days: %(milestone)s"

    assert [words_in(language).ngettext(one, many, n, milestone="X") for n in (0, 1, 2)] == expected
