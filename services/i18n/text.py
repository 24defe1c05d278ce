"""Text of others as one line of what is seen, and lines of a length."""

import re

# Controls end lines where none should end; bidirectional overrides, tags and byte order marks make text look like
# what it isn't; the last two code points of the plane, and halves of pairs, are in no XML document. Marks that only
# join or separate letters stay.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_BREAKS = re.compile("[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]+")


def plain(text: str) -> str:
    """Text of others as one line of what is seen: no breaks, no controls, no overrides of the writing direction."""
    return _UNSEEN.sub("", _BREAKS.sub(" ", text))


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
