"""Text of others as one line of what is seen, and lines of a length."""

from unicodedata import category, combining

from contracts.text import BREAKS, UNFIT, is_seen

_VIRAMA = 9
"""The combining class of signs that join the next letter to theirs."""


def plain(text: str, instead: str = "…") -> str:
    """Text of others as one line of what is seen: no breaks, no controls, no overrides of the writing direction.

    What enters today needs none of it; what an older process let in, or an older row holds, does. Where nothing would
    be seen, `instead` stands: many a receiver takes no empty text.
    """
    line = one_line(text)
    return line if is_seen(line) else instead


def one_line(text: str) -> str:
    """The same, and nothing where nothing is left."""
    return UNFIT.sub("", BREAKS.sub(" ", text))


def shorten(text: str, length: int) -> str:
    """At most `length` characters, cut at a word where one ends in the second half, and then with an ellipsis.

    No letter loses its accents and no emoji comes apart, unless it alone is longer.
    """
    if len(text) <= length:
        return text
    cut = text[: _between_graphemes(text, max(length - 1, 0))]
    space = cut.rfind(" ")
    if space > length // 2:
        cut = cut[:space]
    return (cut.rstrip(" ,;:.–—") + "…")[:length]


def cut_between_words(text: str, length: int) -> str:
    """At most `length` characters, cut between words, and then with an ellipsis; inside of one only where none fits."""
    if len(text) <= length:
        return text
    kept = text[:length].rpartition(" ")[0].rstrip(" ,;:.–—")
    return f"{kept}…" if kept else shorten(text, length)


def _between_graphemes(text: str, at: int) -> int:
    """The last place up to `at` that is inside of nothing which is drawn as one (UAX #29); `at` where there is none."""
    place = at
    while place > 0 and _is_inside(text, place):
        place -= 1
    return place or at


def _is_inside(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if category(after)[0] == "M" or category(after) == "Cf" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True  # an accent, a joiner, a tag, a colour of skin
    if before == "\u200d" or combining(before) == _VIRAMA:
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        first = at
        while first > 0 and _is_flag_letter(text[first - 1]):
            first -= 1
        return (at - first) % 2 == 1
    return "\u1160" <= after <= "\u11ff" or "\ud7b0" <= after <= "\ud7fb"  # the rest of a Hangul syllable


def _is_flag_letter(c: str) -> bool:
    return "\U0001f1e6" <= c <= "\U0001f1ff"


def capitalized(text: str) -> str:
    """The text with a capital at its beginning, or behind the mark that Spanish begins with; the rest stays."""
    mark = text[:1] if text[:1] in ("¿", "¡") else ""
    rest = text.removeprefix(mark)
    return mark + rest[:1].upper() + rest[1:]
