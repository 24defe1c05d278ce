"""The paragraph in which a quote stands: words are judged by what is around them."""

import re
from bisect import bisect_right
from collections.abc import Sequence

from services.registry.rules.text_comparison import collapse_whitespace

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def paragraph_starts(published: str) -> tuple[int, ...]:
    """Where each paragraph starts in the whitespace-collapsed text; blank lines part them in the published one."""
    starts = []
    position = 0
    for written in _BLANK_LINE.split(published):
        if paragraph := collapse_whitespace(written):
            starts.append(position)
            position += len(paragraph) + 1
    return tuple(starts)


def passage(text: str, starts: Sequence[int], start: int, end: int) -> tuple[str, int, int]:
    """The paragraph around `text[start:end]`, and where the quote starts and ends in it (end exclusive).

    A quote that runs over a paragraph's end has all the paragraphs that it touches.
    """
    first = bisect_right(starts, start) - 1
    beyond = bisect_right(starts, end - 1)
    opening = starts[first] if first >= 0 else 0
    closing = starts[beyond] - 1 if beyond < len(starts) else len(text)
    return text[opening:closing], start - opening, end - opening
