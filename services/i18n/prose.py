"""Text in the reader's language in which the words of others keep theirs, so that a channel that can may say so.

What a commitment is called may be there in another language than the reader's. A page in one language marks words in
another (WCAG 2.2, 3.1.2), or a screen reader reads Spanish as if it were English.
"""

import re
from collections.abc import Iterable
from typing import Self

from contracts.vocabulary import ShownText, Text
from services.i18n.text import capitalized, plain, shorten
from services.i18n.words import Words

# No text has these controls: the contracts refuse them, and `plain` takes them out.
_SHIFT, _END = "\x0e", "\x0f"
_SWITCH = re.compile(f"{_SHIFT}([^{_END}]*){_END}")


class Prose(str):
    """A text as it is read, which knows the runs of it that are in another language.

    `runs` together are the text; the language of a run is empty where it is the reader's own.
    """

    runs: tuple[ShownText, ...]

    def __new__(cls, runs: Iterable[ShownText]) -> Self:
        """The text of the runs."""
        kept = tuple(run for run in runs if run.text)
        prose = super().__new__(cls, "".join(run.text for run in kept))
        prose.runs = kept
        return prose

    @classmethod
    def read(cls, written: str) -> Self:
        """The text in which `marked` has marked the words of other languages."""
        if isinstance(written, cls):
            return written
        first, *rest = _SWITCH.split(written)
        return cls([ShownText(first, ""), *map(ShownText, rest[1::2], rest[::2])])

    @property
    def written(self) -> str:
        """The same with its marks, to stand in another text."""
        return "".join(_marked(run) for run in self.runs)

    def capitalized(self) -> Self:
        """With a capital at its beginning."""
        first, *rest = self.runs or (ShownText("", ""),)
        return type(self)([first._replace(text=capitalized(first.text)), *rest])

    def shortened(self, length: int) -> Self:
        """At most `length` characters, as `shorten` cuts them."""
        cut, runs, at = shorten(self, length), list[ShownText](), 0
        if cut == self:
            return self
        for run in self.runs:
            runs.append(run._replace(text=cut[at : at + len(run.text)]))
            at += len(run.text)
        return type(self)([*runs, ShownText(cut[at:], "")])


def marked(shown: ShownText, words: Words, instead: str = "…") -> str:
    """Words of others as one line to stand in a text, marked where they are not in the language of the words.

    Where nothing would be seen, `instead` stands, in nobody's language. Whoever has the whole text reads it by
    `Prose.read`.
    """
    text = plain(shown.text, instead="")
    if not text or words.speaks(shown.language):
        return text or instead
    return _marked(shown._replace(text=text))


def marked_text(text: Text, original: str, words: Words, instead: str = "…") -> str:
    """The words of a text as near to the reader's language as they are there; `original` is that of the record."""
    return marked(text.in_language(words.language, original), words, instead)


def _marked(run: ShownText) -> str:
    return f"{_SHIFT}{run.language}{_END}{run.text}{_SHIFT}{_END}" if run.language else run.text
