"""What a receiver says to what it is sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AcceptedPost:
    """It is good, and kept."""

    status: int
    answer: bytes
    title: str
    delivery_id: str | None
    commitment_id: str | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RefusedPost:
    """It is not. `answer` is what the platform would say; `reason` says more, for our own page."""

    status: int
    answer: bytes
    reason: str


Verdict = AcceptedPost | RefusedPost


def shown(text: str) -> str:
    """Text that can be encoded and shown: half characters and controls other than line ends give way."""
    if text.isascii() and text.isprintable():
        return text
    whole = text.encode("utf-8", "replace").decode()
    return "".join(c for c in whole if c in "\n\t" or not (c < " " or "\x7f" <= c <= "\x9f"))


def title_of(text: str) -> str:
    """One line of at most 300 characters."""
    return shown(" ".join(text.split()))[:300]
