"""A feed: what somebody's calendar or reader holds, in which language, behind an address that only they know.

The address has 256 random bits in it and is shown once; kept is its SHA-256, which is also what it is found by, so
that the time of a look-up tells nothing (above 112 bits of entropy a plain hash suffices: OWASP ASVS 5.0, 6.5.2).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

FeedFormat = Literal["calendar.ics", "events.atom", "events.rss"]
FEED_FORMATS: tuple[FeedFormat, ...] = ("calendar.ics", "events.atom", "events.rss")

ALARM = 7
"""Days before a milestone on which a calendar reminds of it, unless its owner wants it otherwise."""


@dataclass(frozen=True)
class Filters:
    """What a feed holds; an empty list asks for everything, and all of them have to agree."""

    countries: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    commitments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Feed:
    """A feed as it is kept; nothing of it changes but its token, its end and when it was read."""

    id: UUID
    owner: str
    name: str
    language: str
    zone: str
    alarms: tuple[int, ...]
    """Days before."""
    filters: Filters
    created_at: datetime


def new_token() -> str:
    """A fresh secret for an address: 256 random bits, 43 characters that need no escaping."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is kept of a token; text that was never one of ours has a hash, too, and nothing is found by it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def etag(form: str, kind: FeedFormat, feed: UUID, marker: str) -> str:
    """The strong validator of what is rendered (RFC 9110, 8.8.3): the same for the same state, without rendering it.

    `form` stands for how we render, `marker` for the state of all that the feed holds.
    """
    return f'"{hashlib.sha256(f"{form} {kind} {feed} {marker}".encode()).hexdigest()[:32]}"'


def unchanged(if_none_match: str | None, tag: str) -> bool:
    """Whether a request's If-None-Match names this validator (RFC 9110, 13.1.2: compared weakly)."""
    named = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return tag in named or named == ["*"]
