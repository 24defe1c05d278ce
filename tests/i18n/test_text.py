"""Text of others: one line of what is seen, of a length."""

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
    assert capitalized("") == ""
