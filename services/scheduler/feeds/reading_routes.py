"""`GET /feeds/{token}/…`: whoever has an address reads, without a key."""

from typing import Any

from fastapi import FastAPI, Request, Response

from services.plumbing.http.problems import problems
from services.scheduler.feeds.documents import MEDIA, FeedDocuments
from services.scheduler.feeds.rendering.feed import (
    FeedFormat,
)


def add_reading_route(app: FastAPI, reading: FeedDocuments, kind: FeedFormat) -> None:
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
