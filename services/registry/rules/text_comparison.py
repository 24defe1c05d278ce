"""Copies of a statement: the same words, however another publisher's page has laid them out.

Not words are: front matter between `---` lines (where the page stands and when it was changed), how letters are
composed (Unicode NFC), characters that nobody sees (category Cf: zero-width spaces and joiners, soft hyphens,
byte-order marks, direction marks), and which whitespace parts the words, line ends included.
"""

import re
import unicodedata
from dataclasses import dataclass

AROUND = 40
"""Characters that are shown on either side of a difference."""

_FRONT_MATTER = re.compile(r"\s*---[^\S\n]*\n.*?\n---[^\S\n]*(?:\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class TextDifference:
    """Where two texts part: how far into the words (characters), and what stands there in each."""

    position: int
    expected: str
    found: str


def collapse_whitespace(text: str) -> str:
    """The text with every run of Unicode whitespace, no-break spaces and line wraps too, made one space."""
    return " ".join(text.split())


def canonical(text: str) -> str:
    """The words alone; of two copies of one statement they are the same."""
    seen = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) != "Cf")
    lines = seen.replace("\r\n", "\n").replace("\r", "\n")
    front = _FRONT_MATTER.match(lines)
    return collapse_whitespace(unicodedata.normalize("NFC", lines[front.end() :] if front else lines))


def first_difference(expected: str, found: str) -> TextDifference | None:
    """Where two canonical texts part for the first time, from the beginning of the word; None where they don't."""
    if expected == found:
        return None
    shorter = min(len(expected), len(found))
    at = next((i for i in range(shorter) if expected[i] != found[i]), shorter)
    start = expected.rfind(" ", 0, at) + 1
    return TextDifference(start, _shown(expected, start), _shown(found, start))


def _shown(text: str, at: int) -> str:
    return text[max(at - AROUND, 0) : at + AROUND]
