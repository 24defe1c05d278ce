"""Feeds over HTTP: their owners make and end them with a key, whoever has an address reads.

An address is a secret. It stands in the answer that made it and nowhere else: not in logs, traces or metrics, and not
in what is read at it.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Security
from fastapi.security import HTTPBearer

from services.plumbing.clock import Clock
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.problems import Problem, problems
from services.plumbing.ids import new_id
from services.scheduler.feeds.documents import FeedDocuments
from services.scheduler.feeds.forms import FeedAnswer, FeedList, MadeFeed, NewFeed, feed_fields, made_feed
from services.scheduler.feeds.reading_routes import add_reading_route
from services.scheduler.feeds.rendering.feed import (
    FEED_FORMATS,
    Feed,
    Filters,
    new_token,
    token_hash,
)
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.feeds.store import FeedStore, TooManyFeeds

MOST_FEEDS = 100
"""Feeds that one client may have."""


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
        return made_feed(feed, None, token, settings)

    @app.get("/feeds", tags=["feeds"], operation_id="list_feeds", responses=problems(401, 403, 503))
    async def list_feeds(caller: Owner) -> FeedList:
        """One's own feeds that aren't revoked, without their addresses."""
        return FeedList(items=tuple(FeedAnswer(**feed_fields(*held)) for held in await store.owned(caller.client)))

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
        return made_feed(*rotated, token, settings)

    for kind in FEED_FORMATS:
        add_reading_route(app, reading, kind)
