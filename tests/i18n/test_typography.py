"""Spaces beside punctuation: as the reader's country sets them, in whatever goes out."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.i18n import catalogue
from services.i18n.languages import LANGUAGES
from services.i18n.text import plain
from services.i18n.typography import Spacing
from tests.contracts.golden_records import PATHS, golden
from tests.i18n.outputs import PLACES, every_output
from tests.notifier.rendering.material import texts

CANADIAN = LANGUAGES["fr"].spacing

BREAKS_OR_WRONG = re.compile(
    r"[ \u2009\u202f][:»](?=\s|$|<)|«(?!\u00a0)|(?<!\u00a0)»|[ \u00a0\u2009\u202f][;?!](?=\s|$|<)"
)
"""A space before a colon or inside guillemets at which a line may break, or one before ; ? ! where Canada sets none."""


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Échéance : demain", "Échéance\u00a0: demain"),
        ("Échéance\u202f: demain", "Échéance\u00a0: demain"),
        ("« le mot »", "«\u00a0le mot\u00a0»"),
        ("«le mot»", "«\u00a0le mot\u00a0»"),
        ("en pause ; en attente", "en pause; en attente"),
        ("Est-ce fait ?", "Est-ce fait?"),
        ("Bravo\u00a0!", "Bravo!"),
        ("à 10:30, https://example.org/a?b", "à 10:30, https://example.org/a?b"),
        ("`Authorization : Bearer` ; voir", "`Authorization : Bearer`; voir"),
        ("%(label)s : %(value)s", "%(label)s\u00a0: %(value)s"),
    ],
)
def test_spaces_stand_as_canada_sets_them(typed: str, shown: str) -> None:
    assert CANADIAN.put_into(typed) == shown


def test_france_would_be_another_row() -> None:
    narrow = "\u202f"
    france = Spacing(
        before={":": "\u00a0", "»": "\u00a0", ";": narrow, "?": narrow, "!": narrow}, after={"«": "\u00a0"}
    )

    assert france.put_into("Est-ce fait ? Oui ; « c’est sûr »") == (
        "Est-ce fait\u202f? Oui\u202f; «\u00a0c’est sûr\u00a0»"
    )


@given(st.text("a1 :;?!«»\u00a0\u202f`", max_size=30))
def test_spaces_are_set_once_and_nothing_else_is_changed(text: str) -> None:
    spaces = str.maketrans("", "", " \u00a0\u2009\u202f")
    told = CANADIAN.put_into(text)

    assert CANADIAN.put_into(told) == told
    assert told.translate(spaces) == text.translate(spaces)
    assert LANGUAGES["en"].spacing.put_into(text) == text


def test_what_a_translator_types_is_shown_as_it_has_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = (catalogue.LOCALES / "fr.po").read_text(encoding="utf-8").replace("\u00a0:", " :").replace("«\u00a0", "« ")
    (tmp_path / "fr.po").write_text(typed, encoding="utf-8")
    monkeypatch.setattr(catalogue, "LOCALES", tmp_path)

    shown = catalogue.translations_of("fr")

    assert shown.gettext("%(label)s:") == "%(label)s\u00a0:"
    assert shown.gettext("“%(text)s”") == "«\u00a0%(text)s\u00a0»"


def words_of_others() -> list[str]:
    """What stands in golden events as somebody wrote it; the longest first, since one may stand in another."""
    found = {text for path in PATHS for text in texts(golden(path)["value"]) if re.search(r"[:;?!«»]", text)}
    return sorted(map(plain, found), key=len, reverse=True)


@pytest.mark.parametrize("place", PLACES)
def test_no_line_breaks_before_a_colon_in_whatever_goes_out_in_french(place: str) -> None:
    others = words_of_others()
    for shown in every_output(place, "fr"):
        ours = " ".join(re.split(r"[ \r\n]+", shown))  # a plain mail is wrapped
        for text in others:
            ours = ours.replace(text, "…")
        assert not BREAKS_OR_WRONG.search(ours), (place, BREAKS_OR_WRONG.search(ours), ours)
