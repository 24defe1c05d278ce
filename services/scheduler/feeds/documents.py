"""What stands at a feed's address: rendered once for each state of it, and kept for the next reader."""

import asyncio
import hashlib
import inspect
from collections import OrderedDict
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from importlib import metadata
from uuid import UUID

from fastapi import Response

from services.i18n.catalogue import fingerprint
from services.plumbing.clock import Clock
from services.plumbing.http.etags import etag, is_current
from services.plumbing.http.problems import NOT_FOUND, Problem
from services.plumbing.sentences import Sentence
from services.scheduler.feeds.rendering import calendars, passages, syndication
from services.scheduler.feeds.rendering.feed import (
    FeedFormat,
    token_hash,
)
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.feeds.store import FeedState, FeedStore
from services.scheduler.ladders import planned_as

MEDIA = {
    "calendar.ics": "text/calendar; charset=utf-8",
    "events.atom": "application/atom+xml; charset=utf-8",
    "events.rss": "application/rss+xml; charset=utf-8",
}

_CACHE_BYTES = 16 * 1024 * 1024


class DocumentCache:
    """What was rendered, by its validator; the longest unread go first when it is too much."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def get(self, tag: str) -> bytes | None:
        """What was rendered under this validator, if it is still here."""
        if tag in self._held:
            self._held.move_to_end(tag)
        return self._held.get(tag)

    def put(self, tag: str, body: bytes) -> None:
        """Hold it."""
        if tag not in self._held:
            self._held[tag] = body
            self._size += len(body)
        while self._size > self._most:
            _, dropped = self._held.popitem(last=False)
            self._size -= len(dropped)


class FeedDocuments:
    """Gives what stands at an address, rendered once for each state of it."""

    def __init__(self, store: FeedStore, clock: Clock, settings: FeedSettings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._form = _rendering_digest(settings)
        self._copies = DocumentCache(_CACHE_BYTES)
        self._one_at_a_time = asyncio.Lock()

    async def answer(self, kind: FeedFormat, token: str, if_none_match: str | None) -> Response:
        """The feed, or 304 to who has it in this state; raises a 404 problem, the same for whatever isn't there."""
        now, hashed = self._clock.now(), token_hash(token)
        known = await self._store.state(kind, hashed, now)
        if known is None:
            raise _unknown_address()
        await self._store.note_read(known, now)
        tag = self._tag(kind, known)
        if is_current(if_none_match, tag):
            return Response(status_code=304, headers=_headers(tag, known))
        body = self._copies.get(tag)
        if body is None:
            known, tag, body = await self._rendered(kind, hashed, now)
        return Response(body, headers=_headers(tag, known) | {"Content-Type": MEDIA[kind]})

    async def _rendered(self, kind: FeedFormat, hashed: bytes, now: datetime) -> tuple[FeedState, str, bytes]:
        """What is there now, which may be newer than what was asked a moment ago."""
        async with self._one_at_a_time:  # many at once would take the time that the tick needs
            portal = self._settings.portal_url
            if kind == "calendar.ics":
                with_entries = await self._store.calendar(hashed, now)
                if with_entries is None:
                    raise _unknown_address()
                known, entries = with_entries
                render = partial(calendars.render_calendar, known.feed, entries, self._settings.uid_domain, portal)
            else:
                with_items = await self._store.items(kind, hashed, now)
                if with_items is None:
                    raise _unknown_address()
                known, items = with_items
                write = syndication.atom if kind == "events.atom" else syndication.rss
                render = partial(write, known.feed, items, portal)
            tag = self._tag(kind, known)
            body = self._copies.get(tag)
            if body is None:
                body = await asyncio.to_thread(render)
                self._copies.put(tag, body)
        return known, tag, body

    def _tag(self, kind: FeedFormat, known: FeedState) -> str:
        return document_tag(self._form, kind, known.feed.id, known.marker)


def document_tag(renderer: str, format_: FeedFormat, feed_id: UUID, marker: str) -> str:
    """The validator of a document, without rendering it: the same for the same state of all that a feed holds.

    `renderer` stands for how we render, `marker` for that state.
    """
    return etag(f"{renderer} {format_} {feed_id} {marker}".encode())


def _rendering_digest(settings: FeedSettings) -> str:
    """Stands for how we render: other code, words, links or libraries are other bytes."""
    digest = hashlib.sha256(f"{settings.portal_url} {settings.uid_domain}".encode())
    digest.update(fingerprint())
    for renderer in (calendars, syndication, passages, planned_as):
        digest.update(inspect.getsource(renderer).encode())
    for library in ("icalendar", "feedgen", "babel", "tzdata"):
        digest.update(metadata.version(library).encode())
    return digest.hexdigest()


def _headers(tag: str, known: FeedState) -> dict[str, str]:
    return {
        "ETag": tag,
        "Last-Modified": format_datetime(known.changed_at.astimezone(UTC).replace(microsecond=0), usegmt=True),
        "Cache-Control": "private, no-cache",  # kept, and asked for each time: a revoked one ends at once
        "X-Robots-Tag": "noindex",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _unknown_address() -> Problem:
    return Problem(NOT_FOUND, headers={"Cache-Control": "no-store"}, title=Sentence("Nothing is at this address"))
