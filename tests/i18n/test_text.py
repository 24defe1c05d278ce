"""Text of others: one line of what is seen, of a length."""

import pytest

from services.i18n.text import capitalized, plain, shorten


def test_text_of_others_is_one_line_of_what_is_seen() -> None:
    assert plain("a\r\nb\u2028c \u202eRTL\u2069\x7f\x00\ufeff") == "a b c RTL"
    assert plain("a\r\n\tb\u202ec\ufffe\ud800\x00d\u2028e") == "a bcd e"


def test_a_cut_ends_at_a_word_and_says_so() -> None:
    assert shorten("one two three", 10) == "one two…"
    assert shorten("short", 5) == "short"
    assert shorten("abcdefgh", 5) == "abcd…"


def test_a_capital_at_the_beginning_leaves_the_rest() -> None:
    assert capitalized("état des lieux, NALS") == "État des lieux, NALS"
    assert capitalized("¿ya se celebró?") == "¿Ya se celebró?"
    assert capitalized("") == ""


@pytest.mark.parametrize(
    "grapheme",
    [
        *("é", "e\u0301\u0323", "👩🏽\u200d🚀", "🇲🇽", "🏴\U000e0067\U000e0062\U000e007f", "क्ष"),
        *("ᄒ\u1161\u11ab", "1\ufe0f\u20e3", "\u0e19\u0e49"),
    ],
)
def test_a_text_is_cut_between_graphemes(grapheme: str) -> None:
    text = grapheme * 30

    for length in range(len(grapheme) + 1, len(text)):
        cut = shorten(text, length)
        assert len(cut) <= length
        assert cut.endswith("…")
        assert set(cut[:-1].split(grapheme)) == {""}


def test_a_grapheme_that_is_longer_than_its_place_is_cut_all_the_same() -> None:
    assert shorten("e" + "\u0301" * 500, 100) == "e" + "\u0301" * 98 + "…"


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\ufeff", "\u202e\u2069", "\r\n", "\uffff"])
def test_where_nothing_is_seen_something_stands(text: str) -> None:
    assert plain(text) == "…"
    assert plain(text, instead="nals-2022") == "nals-2022"
