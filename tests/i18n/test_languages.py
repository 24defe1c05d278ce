"""Which languages there are, told in one place, and which of them a reader gets."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

import services
from services.i18n.languages import (
    LANGUAGES,
    REGIONS,
    SOURCE,
    ReaderLanguage,
    choose_language,
    languages_to_ask_for,
    nearest_language,
)

SERVICES = Path(services.__file__).parent
ELSEWHERE = ("i18n/languages.py", "registry/wordings/", "migrations/versions/")
"""Where languages may be listed: the tables, what reads wordings in each of them, and what stands in databases."""


def languages_in(literal: ast.AST) -> set[str]:
    """The languages that stand side by side in a tuple, list, set or mapping, as codes or as members."""
    match literal:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            told = [*parts]
        case ast.Dict(keys=keys):
            told = [key for key in keys if key is not None]
        case _:
            return set()
    codes = {part.value for part in told if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    members = {part.attr.lower() for part in told if isinstance(part, ast.Attribute)}
    return (codes | members) & {*LANGUAGES, *REGIONS}


def lists_of_languages() -> Iterator[str]:
    for path in SERVICES.rglob("*.py"):
        name = str(path.relative_to(SERVICES))
        if any(place in name for place in ELSEWHERE):
            continue
        for literal in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if len(languages_in(literal)) > 1:
                yield f"{name}:{literal.lineno}"  # type: ignore[attr-defined]  # literals have lines


def test_each_language_has_one_row_and_nobody_else_lists_them() -> None:
    assert list(lists_of_languages()) == []
    assert languages_in(ast.parse("{'en': 1, 'fr': 2}", mode="eval").body) == {"en", "fr"}
    assert languages_in(ast.parse("('es', 'fr')", mode="eval").body) == {"es", "fr"}


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


def test_who_asks_for_a_language_gets_one_of_ours_or_hears_which_there_are() -> None:
    asked = TypeAdapter(ReaderLanguage)

    assert [asked.validate_python(tag) for tag in languages_to_ask_for()] == languages_to_ask_for()
    for tag in ("tlh", "es-ES", "EN", ""):
        with pytest.raises(ValidationError):
            asked.validate_python(tag)
    with pytest.raises(ValidationError, match=f"there are {', '.join(languages_to_ask_for())}"):
        asked.validate_python("tlh")


@pytest.mark.parametrize(
    ("tag", "nearest"), [("fr", "fr"), ("fr-CA", "fr"), ("es-419", "es"), ("pt", SOURCE), ("zh-Hant", SOURCE)]
)
def test_what_a_later_release_was_asked_for_is_written_in_the_nearest_of_ours(tag: str, nearest: str) -> None:
    assert nearest_language(tag) == nearest
