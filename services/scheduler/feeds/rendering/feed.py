"""A feed: what somebody's calendar or reader holds, in which language, behind an address that only they know.

The address has 256 random bits in it and is shown once; stored is its SHA-256, by which it is also found, so
that the time of a look-up tells nothing (above 112 bits of entropy a plain hash suffices: OWASP ASVS 5.0, 6.5.2).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.filters import Filters
from services.i18n.languages import nearest_language
from services.i18n.words import Words, words_in

FeedFormat = Literal["calendar.ics", "events.atom", "events.rss"]
FEED_FORMATS: tuple[FeedFormat, ...] = ("calendar.ics", "events.atom", "events.rss")

FILTERED_BY = ("parties", "themes", "sections", "commitments")
"""The filters that a feed has; it tells of events of every type."""

ALARM = 7
"""Days before a milestone on which a calendar reminds of it, unless its owner wants it otherwise."""


@dataclass(frozen=True)
class Feed:
    """A feed as it is stored; nothing of it changes but its token, its end and when it was read."""

    id: UUID
    owner: str
    name: str
    language: str
    zone: str
    alarms: tuple[int, ...]
    """Days before."""
    filters: Filters
    created_at: datetime


def words_of(feed: Feed) -> Words:
    """The words that a feed is written in: in its language, or in the nearest of ours if a later release made it."""
    return words_in(nearest_language(feed.language))


def new_token() -> str:
    """A fresh secret for an address: 256 random bits, 43 characters that need no escaping."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token; text that was never one of ours has a hash, too, and nothing is found by it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
