"""Feeds over HTTP: their owners make and end them with a key, whoever has an address reads.

An address is a secret. It stands in the answer that made it and nowhere else: not in logs, traces or metrics, and not
in what is read at it.
"""

import asyncio
import hashlib
import inspect
from collections import OrderedDict
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import partial
from importlib import metadata
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response, Security
from fastapi.security import HTTPBearer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.vocabulary import Country, Instant, Language, Line, Slug
from services.i18n.catalogue import fingerprint
from services.i18n.text import plain
from services.plumbing.clock import Clock
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.problems import Problem, problems
from services.plumbing.ids import new_id
from services.plumbing.zones import UnknownZone, zone_named
from services.scheduler.feeds import bulletins, calendars
from services.scheduler.feeds.feed import (
    ALARM,
    FEED_FORMATS,
    Feed,
    FeedFormat,
    Filters,
    etag,
    new_token,
    token_hash,
    unchanged,
)
from services.scheduler.feeds.store import FeedState, FeedStore, TooManyFeeds

MOST_FEEDS = 100
"""Feeds that one client may have."""

MEDIA = {
    "calendar.ics": "text/calendar; charset=utf-8",
    "events.atom": "application/atom+xml; charset=utf-8",
    "events.rss": "application/rss+xml; charset=utf-8",
}

_CACHE_BYTES = 16 * 1024 * 1024


class FeedSettings(BaseSettings):
    """Where addresses and links lead, and what makes the ids of calendar entries ours."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULER_")

    public_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^\s]+[^/\s]$")
    """Where this service's HTTP interface is reached from a calendar program, without a slash at its end."""
    portal_url: str = Field(default="http://127.0.0.1:8080", pattern=r"^https?://[^\s]+[^/\s]$")
    """Where the pages for people are, without a slash at its end."""
    uid_domain: str = Field(default="pledgewire", pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=100)
    """The part of a calendar entry's UID behind its @; never to be changed, since calendars know entries by it."""


def _known_zone(name: str) -> str:
    try:
        zone_named(name)
    except UnknownZone as error:
        raise ValueError("no zone of the IANA time zone database") from error
    return name


def _visible(name: str) -> str:
    if not plain(name).strip():
        raise ValueError("a name has to have something to be seen")
    return name


def _once_each(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]
Slugs = Annotated[tuple[Slug, ...], Field(max_length=100), AfterValidator(_once_each)]
Days = Annotated[int, Field(ge=0, le=366, strict=True)]


class _FeedModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class FeedFilters(_FeedModel):
    """What a feed holds; an empty list asks for everything, and all lists have to agree."""

    countries: Annotated[tuple[Country, ...], Field(max_length=100), AfterValidator(_once_each)] = ()
    themes: Slugs = ()
    sections: Slugs = ()
    commitments: Slugs = ()


class NewFeed(_FeedModel):
    """A calendar and two feeds of events to be."""

    name: Annotated[Line, Field(max_length=100), AfterValidator(_visible)] = "Pledgewire"
    """What calendar programs and readers show as its title."""
    language: Language = Language.EN
    zone: Zone = "America/New_York"
    filters: FeedFilters = FeedFilters()
    alarms: Annotated[tuple[Days, ...], Field(max_length=5), AfterValidator(_once_each)] = (ALARM,)
    """Days before a milestone on which the calendar reminds; none for a calendar without alarms."""


class FeedAnswer(_FeedModel):
    """A feed as its owner sees it; its addresses aren't kept."""

    id: UUID
    name: str
    language: Language
    zone: str
    filters: FeedFilters
    alarms: tuple[int, ...]
    created_at: Instant
    last_read_on: date | None
    """The day (UTC) on which somebody last read at one of its addresses."""


class FeedAddresses(_FeedModel):
    """Where to read; whoever has one of them may."""

    calendar: str
    """iCalendar."""
    atom: str
    rss: str


class MadeFeed(FeedAnswer):
    """A feed with its addresses: they are shown this once."""

    addresses: FeedAddresses


class FeedList(_FeedModel):
    """One's own feeds that aren't revoked, the oldest first."""

    items: tuple[FeedAnswer, ...]


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

    async def answer(self, kind: FeedFormat, token: str, if_none_match: str | None, *, head: bool) -> Response:
        """The feed, or 304 to who has it in this state; raises a 404 problem, the same for whatever isn't there."""
        now, hashed = self._clock.now(), token_hash(token)
        known = await self._store.state(kind, hashed, now)
        if known is None:
            raise _unknown_address()
        await self._store.note_read(known, now)
        tag = self._tag(kind, known)
        if unchanged(if_none_match, tag):
            return Response(status_code=304, headers=_headers(tag, known))
        body = self._copies.get(tag)
        if body is None:
            known, tag, body = await self._rendered(kind, hashed, now)
        headers = _headers(tag, known) | {"Content-Type": MEDIA[kind], "Content-Length": str(len(body))}
        return Response(b"" if head else body, headers=headers)

    async def _rendered(self, kind: FeedFormat, hashed: bytes, now: datetime) -> tuple[FeedState, str, bytes]:
        """What is there now, which may be newer than what was asked a moment ago."""
        async with self._one_at_a_time:  # many at once would take the time that the tick needs
            portal = self._settings.portal_url
            if kind == "calendar.ics":
                held = await self._store.calendar(hashed, now)
                if held is None:
                    raise _unknown_address()
                known, entries = held
                render = partial(calendars.render_calendar, known.feed, entries, self._settings.uid_domain, portal)
            else:
                told = await self._store.bulletins(kind, hashed, now)
                if told is None:
                    raise _unknown_address()
                known, events = told
                write = bulletins.atom if kind == "events.atom" else bulletins.rss
                render = partial(write, known.feed, events, portal)
            tag = self._tag(kind, known)
            body = self._copies.get(tag)
            if body is None:
                body = await asyncio.to_thread(render)
                self._copies.put(tag, body)
        return known, tag, body

    def _tag(self, kind: FeedFormat, known: FeedState) -> str:
        return etag(self._form, kind, known.feed.id, known.marker)


def add_feeds(app: FastAPI, store: FeedStore, keys: ApiKeys, clock: Clock, settings: FeedSettings) -> None:
    """Give the scheduler's application the routes of feeds."""
    reading = FeedDocuments(store, clock, settings)
    bearer = HTTPBearer(auto_error=False, scheme_name="api-key", description="`pw_<client>_<secret>`")

    def owner(request: Request, _: Annotated[object, Security(bearer)]) -> Caller:
        return keys.require(request, "subscriber", "editor")

    Owner = Annotated[Caller, Depends(owner)]  # noqa: N806  a type, bound to this application's keys

    @app.post(
        "/feeds",
        status_code=201,
        tags=["feeds"],
        operation_id="make_feed",
        responses=problems(401, 403, 409, 413, 415, 422, 503),
    )
    async def make_feed(form: NewFeed, caller: Owner) -> MadeFeed:
        """Make a feed. Its addresses are shown in this answer only."""
        token = new_token()
        filters = Filters(**{name: tuple(map(str, terms)) for name, terms in form.filters})
        feed = Feed(new_id(), caller.client, form.name, form.language, form.zone, form.alarms, filters, clock.now())
        try:
            await store.add(feed, token_hash(token), MOST_FEEDS)
        except TooManyFeeds:
            raise Problem(409, "too-many-feeds", f"A client has at most {MOST_FEEDS} feeds; revoke one") from None
        return _made_feed(feed, None, token, settings)

    @app.get("/feeds", tags=["feeds"], operation_id="list_feeds", responses=problems(401, 403, 503))
    async def list_feeds(caller: Owner) -> FeedList:
        """One's own feeds that aren't revoked, without their addresses."""
        return FeedList(items=tuple(FeedAnswer(**_feed_fields(*held)) for held in await store.owned(caller.client)))

    @app.delete(
        "/feeds/{id_}",
        status_code=204,
        tags=["feeds"],
        operation_id="revoke_feed",
        responses=problems(401, 403, 404, 422, 503),
    )
    async def revoke_feed(id_: UUID, caller: Owner) -> None:
        """Revoke a feed: its addresses are unknown from now on; again does no harm."""
        if not await store.revoke(id_, caller.client, clock.now()):
            raise Problem(404, "not-found", "There is no such feed")

    @app.post(
        "/feeds/{id_}/rotate",
        tags=["feeds"],
        operation_id="rotate_feed",
        responses=problems(401, 403, 404, 422, 503),
    )
    async def rotate_feed(id_: UUID, caller: Owner) -> MadeFeed:
        """Give a feed new addresses; the old ones are unknown from now on."""
        token = new_token()
        rotated = await store.rotate(id_, caller.client, token_hash(token))
        if rotated is None:
            raise Problem(404, "not-found", "There is no such feed")
        return _made_feed(*rotated, token, settings)

    for kind in FEED_FORMATS:
        _add_reading(app, reading, kind)


def _add_reading(app: FastAPI, reading: FeedDocuments, kind: FeedFormat) -> None:
    async def read_feed(token: str, request: Request) -> Response:
        return await reading.answer(kind, token, request.headers.get("if-none-match"), head=request.method == "HEAD")

    media = MEDIA[kind].partition(";")[0]
    read_feed.__doc__ = f"Read at an address (`{media}`), without a key; `If-None-Match` spares what is known."
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": "What it holds.", "content": {media: {"schema": {"type": "string"}}}},
        304: {"description": "Nothing has changed."},
        **problems(404, 422, 503),
    }
    path, name = f"/feeds/{{token}}/{kind}", kind.replace(".", "_")
    app.get(path, tags=["feeds"], operation_id=f"read_{name}", response_class=Response, responses=answers)(read_feed)
    app.head(path, include_in_schema=False)(read_feed)


def _rendering_digest(settings: FeedSettings) -> str:
    """Stands for how we render: other code, words, links or libraries are other bytes."""
    digest = hashlib.sha256(f"{settings.portal_url} {settings.uid_domain}".encode())
    digest.update(fingerprint())
    for renderer in (calendars, bulletins):
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
    return Problem(404, "not-found", "Nothing is at this address", headers={"Cache-Control": "no-store"})


def _feed_fields(feed: Feed, last_read_on: date | None) -> dict[str, Any]:
    return {
        "id": feed.id,
        "name": feed.name,
        "language": feed.language,
        "zone": feed.zone,
        "filters": vars(feed.filters),
        "alarms": feed.alarms,
        "created_at": feed.created_at,
        "last_read_on": last_read_on,
    }


def _made_feed(feed: Feed, last_read_on: date | None, token: str, settings: FeedSettings) -> MadeFeed:
    calendar, atom, rss = (f"{settings.public_url}/feeds/{token}/{kind}" for kind in FEED_FORMATS)
    return MadeFeed(**_feed_fields(feed, last_read_on), addresses=FeedAddresses(calendar=calendar, atom=atom, rss=rss))
