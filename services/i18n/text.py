"""Text of others as one line of what is seen, and lines of a length."""

from contracts.text import BREAKS, UNFIT


def plain(text: str) -> str:
    """Text of others as one line of what is seen: no breaks, no controls, no overrides of the writing direction.

    What enters today needs none of it; what an older process let in, or an older row holds, does.
    """
    return UNFIT.sub("", BREAKS.sub(" ", text))


def shorten(text: str, length: int) -> str:
    """At most `length` characters, cut at a word where one ends in the second half, and then with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: max(length - 1, 0)]
    space = cut.rfind(" ")
    if space > length // 2:
        cut = cut[:space]
    return (cut.rstrip(" ,;:.–—") + "…")[:length]


def capitalized(text: str) -> str:
    """The text with a capital at its beginning; the rest stays as it is."""
    return text[:1].upper() + text[1:]
