"""What stands between a word and its punctuation, where that is not nothing: French sets spaces that break no line.

Translators type what their keyboard gives; one function makes it right, for every message that is shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

NO_BREAK_SPACE = "\u00a0"

_SPACES = " \u00a0\u2009\u202f"


_GUILLEMETS = "«»"
"""Marks that no address, time or line of code has, so that they get their space even where there is none."""


@dataclass(frozen=True)
class Spacing:
    """What stands before and after marks that have a space beside them, whichever it is. Empty: none may stand there.

    Another mark that nothing stands beside is left alone: it is in an address, a time, or a line of code.
    """

    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)

    def put_into(self, text: str) -> str:
        """The text with its spaces as they have to be; code between backticks stays as it is."""
        parts = text.split("`")
        parts[::2] = map(self._put_into, parts[::2])
        return "`".join(parts)

    def _put_into(self, text: str) -> str:
        for mark, space in self.before.items():
            text = re.sub(f"{_spaces_beside(mark)}{re.escape(mark)}", f"{space}{mark}", text)
        for mark, space in self.after.items():
            text = re.sub(f"{re.escape(mark)}{_spaces_beside(mark)}", f"{mark}{space}", text)
        return text


def _spaces_beside(mark: str) -> str:
    return f"[{_SPACES}]{'*' if mark in _GUILLEMETS else '+'}"


def spaced(translation: str | Sequence[str] | None, spacing: Spacing) -> str | tuple[str, ...]:
    """A translation, in each number where it counts, with its spaces as they have to be; empty where there is none."""
    if translation is None or isinstance(translation, str):
        return spacing.put_into(translation or "")
    return tuple(map(spacing.put_into, translation))
