"""The catalogues: every message of the code is in each, no other is kept, and nothing that is filled in gets lost."""

import re
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from contracts.vocabulary import LanguageTag
from services.i18n import catalogue
from services.i18n.catalogue import compiled, is_translated
from services.i18n.extraction import messages_in_code, updated
from services.i18n.languages import LANGUAGES, SOURCE
from services.i18n.words import words_in

HERE = Path(catalogue.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != SOURCE]
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def catalogue_of(language: LanguageTag) -> Catalog:
    return read_po(BytesIO((HERE / "locales" / f"{language}.po").read_bytes()), locale=LANGUAGES[language].locale)


def test_every_language_but_that_of_the_code_has_a_catalogue() -> None:
    assert {path.stem for path in (HERE / "locales").iterdir()} == set(TRANSLATED)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_of_the_code_is_translated_and_no_other_is_kept(language: LanguageTag) -> None:
    held = catalogue_of(language)
    in_code = {message.id for message in messages_in_code() if message.id}
    translated = {message.id for message in held if message.id and is_translated(message)}

    assert sorted(map(str, in_code - translated)) == [], "to be translated"
    assert sorted(map(str, translated - in_code)) == [], "in no code any more"
    assert not held.obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_fills_in_the_same_values(language: LanguageTag) -> None:
    held = catalogue_of(language)
    for message in held:
        if not message.id or not is_translated(message):
            continue
        wanted = set(PLACEHOLDER.findall(message.id if isinstance(message.id, str) else message.id[1]))
        for text in [message.string] if isinstance(message.string, str) else message.string:
            assert wanted == set(PLACEHOLDER.findall(text)), message.id
        assert not list(message.check(held)), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_that_is_brought_up_to_the_code_keeps_its_translations(language: LanguageTag) -> None:
    whole = (HERE / "locales" / f"{language}.po").read_text(encoding="utf-8")
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
        ("en", ["due in 0 days", "due in 1 day", "due in 2 days"]),
        ("es", ["vence en 0 días", "vence en 1 día", "vence en 2 días"]),
        ("fr", ["échéance dans 0 jour", "échéance dans 1 jour", "échéance dans 2 jours"]),
    ],
)
def test_numbers_take_the_right_plural(language: str, expected: list[str]) -> None:
    words = words_in(language)

    assert expected == [words.ngettext("due in %(number)s day", "due in %(number)s days", n) for n in (0, 1, 2)]


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
