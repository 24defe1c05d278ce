"""`/feeds`: owners make feeds, and revoke them, with a key.

An address is a secret. It stands in the answer that made it and nowhere else: not in logs, traces or metrics, and not
in what is read at it.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from contracts.filters import Filters
from services.plumbing.clock import Clock
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind, not_found
from services.plumbing.ids import new_id
from services.plumbing.sentences import Sentence
from services.scheduler.feeds.forms import FeedList, MadeFeed, NewFeed, feed_answer, made_feed
from services.scheduler.feeds.rendering.feed import (
    Feed,
    new_token,
    token_hash,
)
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.feeds.store import FeedStore, TooManyFeeds

MOST_FEEDS = 100
"""Feeds that one client may have."""
TOO_MANY_FEEDS = ProblemKind(
    409, "too-many-feeds", Sentence("A client has at most %(most_feeds)s feeds; revoke one", most_feeds=MOST_FEEDS)
)


def feed_routes(store: FeedStore, keys: ApiKeys, clock: Clock, settings: FeedSettings) -> APIRouter:
    """The routes by which feeds are made, listed, revoked and rotated.

    They take a key with the role `subscriber` or `editor`, and know its client's own feeds only.
    """
    router = APIRouter(tags=["feeds"])
    Owner = Annotated[Caller, Depends(keys.caller("subscriber", "editor"))]  # noqa: N806  a type

    @router.post(
        "/feeds",
        status_code=201,
        operation_id="make_feed",
        responses=problems(401, 403, TOO_MANY_FEEDS),
    )
    async def make_feed(form: NewFeed, caller: Owner) -> MadeFeed:
        """Make a feed. Its addresses are shown in this answer only."""
        token = new_token()
        filters = Filters(**{name: frozenset(map(str, terms)) for name, terms in form.filters})
        feed = Feed(new_id(), caller.client, form.name, form.language, form.zone, form.alarms, filters, clock.now())
        try:
            await store.add(feed, token_hash(token), MOST_FEEDS, caller.actor)
        except TooManyFeeds:
            raise Problem(TOO_MANY_FEEDS) from None
        return made_feed(feed, None, token, settings)

    @router.get("/feeds", operation_id="list_feeds", responses=problems(401, 403))
    async def list_feeds(caller: Owner) -> FeedList:
        """One's own feeds that aren't revoked, without their addresses."""
        return FeedList(items=tuple(feed_answer(*owned) for owned in await store.owned(caller.client)))

    @router.delete(
        "/feeds/{id_}",
        status_code=204,
        operation_id="revoke_feed",
        responses=problems(401, 403, 404),
    )
    async def revoke_feed(id_: UUID, caller: Owner) -> None:
        """Revoke a feed: its addresses are unknown from now on; again does no harm."""
        if not await store.revoke(id_, caller.actor, clock.now()):
            raise not_found(Sentence("There is no such feed"))

    @router.post(
        "/feeds/{id_}/rotate",
        operation_id="rotate_feed",
        responses=problems(401, 403, 404),
    )
    async def rotate_feed(id_: UUID, caller: Owner) -> MadeFeed:
        """Give a feed new addresses; the old ones are unknown from now on."""
        token = new_token()
        rotated = await store.rotate(id_, caller.actor, token_hash(token), clock.now())
        if rotated is None:
            raise not_found(Sentence("There is no such feed"))
        return made_feed(*rotated, token, settings)

    return router
