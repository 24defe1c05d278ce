"""`GET /feeds/{token}/calendar.ics`, `…/events.atom` and `…/events.rss`: who has an address reads, without a key."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.plumbing.clock import Clock
from services.plumbing.http.problem_documents import problems
from services.scheduler.feeds.documents import MEDIA, FeedDocuments
from services.scheduler.feeds.rendering.feed import FEED_FORMATS, FeedFormat
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.feeds.store import FeedStore


def feed_reading_routes(store: FeedStore, clock: Clock, settings: FeedSettings) -> APIRouter:
    """The routes of the addresses, one for each format."""
    router = APIRouter(tags=["feeds"])
    documents = FeedDocuments(store, clock, settings)
    for format_ in FEED_FORMATS:
        _add_route(router, documents, format_)
    return router


def _add_route(router: APIRouter, documents: FeedDocuments, format_: FeedFormat) -> None:
    async def read_feed(token: str, request: Request) -> Response:
        return await documents.answer(format_, token, request.headers.get("if-none-match"))

    media = MEDIA[format_].partition(";")[0]
    read_feed.__doc__ = f"Read at an address (`{media}`), without a key; `If-None-Match` spares what is known."
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": "What it holds.", "content": {media: {"schema": {"type": "string"}}}},
        304: {"description": "Nothing has changed."},
        **problems(404),
    }
    path, name = f"/feeds/{{token}}/{format_}", format_.replace(".", "_")
    router.get(path, operation_id=f"read_{name}", response_class=Response, responses=answers)(read_feed)
