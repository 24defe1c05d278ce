"""Templates with placeholders: rendered once, filled for each delivery by joining strings.

What differs between two readers of one message are a few words: the delivery's id, the reason they get it, times on
their own clock. A placeholder is named between two DEL characters. The contracts refuse DEL in every text and `plain`
takes it out, so nobody can write a placeholder into a title or a note; JSON, MJML and HTML carry it unchanged.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

_EDGE = "\x7f"

DELIVERY_ID = f"{_EDGE}delivery-id{_EDGE}"
REASON = f"{_EDGE}reason{_EDGE}"
SUBSCRIPTION_URL = f"{_EDGE}subscription-url{_EDGE}"
UNSUBSCRIBE_URL = f"{_EDGE}unsubscribe-url{_EDGE}"

_ON_IT_URL = "|on-it-url"
MOMENT = "at"

PlaceholderValues = Callable[[str], str]
"""What stands for a placeholder, by its name, for one reader; not yet escaped."""


def moment(instant: datetime, place: str | None = None) -> str:
    """A placeholder for a point in time, to be shown in the reader's zone, after that of the place if there is one."""
    return f"{_EDGE}{MOMENT}|{instant.timestamp()!r}|{place or ''}{_EDGE}"


def on_it_url(milestone_id: str) -> str:
    """A placeholder for the address at which the reader says that they are on a milestone."""
    return f"{_EDGE}{milestone_id}{_ON_IT_URL}{_EDGE}"


def milestone_in(name: str) -> str | None:
    """The milestone of a placeholder that `on_it_url` made, by its name; None for others."""
    return name.removesuffix(_ON_IT_URL) if name.endswith(_ON_IT_URL) else None


def instant_in(seconds: str) -> datetime:
    """The instant of a count of seconds since 1970, as `moment` writes it."""
    return datetime.fromtimestamp(float(seconds), UTC)


def escape_around(text: str, escape: Callable[[str], str]) -> str:
    """The text escaped, its placeholders left as they are: their values are escaped when they come."""
    if _EDGE not in text:
        return escape(text)
    return _EDGE.join(piece if at % 2 else escape(piece) for at, piece in enumerate(text.split(_EDGE)))


@dataclass(frozen=True)
class Template:
    """Literal, placeholder, literal, placeholder … literal."""

    pieces: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """The text, cut at its placeholders."""
        return cls(tuple(text.split(_EDGE)))

    def fill(self, value: PlaceholderValues) -> str:
        """The text with the value of each placeholder in its place."""
        pieces = list(self.pieces)
        for at in range(1, len(pieces), 2):
            pieces[at] = value(pieces[at])
        return "".join(pieces)


def inside_json(text: str) -> str:
    """The text as it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
