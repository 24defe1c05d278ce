"""Two copies of a statement have the same words, however they are laid out; and a changed word is found."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.catalogue.loading import NALS_2021, load
from services.registry.catalogue.quotes import locate
from services.registry.rules.text_comparison import canonical, first_difference

PUBLISHED = (NALS_2021 / "joint-statement-2021-11-18.txt").read_text(encoding="utf-8")
WORDS = canonical(PUBLISHED)


@pytest.mark.parametrize(
    ("as_published", "as_copied"),
    [
        ("www.whitehouse.gov", "www.gob.mx"),  # in the address, which is front matter
        ("competitive", "com\u200bpetitive"),
        ("region", "re\u00adgion"),
        ("North America", "North\u00a0America"),
        ("North America", "North\u2009America"),
        ("North America", "North\u202f\n  America"),
        ("\n", "\r\n"),
        ("\n", "\r"),
        ("---\ntags", "\ufeff---\ntags"),
        ("COVID-19", "COVID-19\u2060"),
    ],
)
def test_layout_is_not_words(as_published: str, as_copied: str) -> None:
    assert as_published in PUBLISHED
    assert canonical(PUBLISHED.replace(as_published, as_copied)) == WORDS


def test_front_matter_may_be_missing() -> None:
    body = PUBLISHED.split("---\n", 2)[2]
    assert canonical(body) == WORDS
    assert "tags:" not in WORDS


def test_letters_may_be_composed_otherwise() -> None:
    assert canonical(unicodedata.normalize("NFD", "Café à la\n Núñez")) == canonical("Café à la Núñez")


def test_every_quote_is_found_in_a_copy() -> None:
    copied = PUBLISHED.replace(" ", "\u00a0").replace("\n", "\r\n").replace("e", "e\u200b")
    for commitment in load().commitments:
        locate(canonical(commitment.quote.text), canonical(copied))


@given(st.text())
def test_the_words_of_the_words_are_the_words(text: str) -> None:
    """Once canonical, nothing changes any more."""
    once = canonical(text)
    assert canonical(once) == once


@pytest.mark.parametrize(
    ("as_published", "as_copied", "expected", "found"),
    [
        ("by 2050", "by 2040", "2050", "2040"),
        ("We will continue our dialogue", "We may continue our dialogue", "will continue", "may continue"),
    ],
)
def test_another_word_is_shown_with_what_is_around_it(
    as_published: str, as_copied: str, expected: str, found: str
) -> None:
    assert as_published in WORDS
    difference = first_difference(WORDS, WORDS.replace(as_published, as_copied))
    assert difference
    assert WORDS[difference.position :].startswith(expected)
    assert expected in difference.expected
    assert found in difference.found
    assert len(difference.expected) <= 80


def test_what_is_missing_at_the_end_is_a_difference() -> None:
    difference = first_difference(WORDS, WORDS[:-20])
    assert difference
    assert WORDS[-20:] in difference.expected
    assert first_difference(WORDS, WORDS) is None
