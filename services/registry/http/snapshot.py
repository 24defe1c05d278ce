"""All commitments as they stand, over HTTP, with the position from which to follow them on the topics."""

import asyncio
import hashlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from starlette.background import BackgroundTask

from services.plumbing.database import Database
from services.plumbing.http.etags import is_current
from services.registry.views.present import snapshot_lines
from services.registry.views.snapshot import snapshot

IN_MEMORY = 4 * 1024 * 1024
"""Bytes of one answer; what is more goes through a file."""
AT_ONCE = 2
"""Snapshots that are read from the database at a time; who asks meanwhile waits."""
PIECE = 65_536

NDJSON = "application/x-ndjson"
LINES = {
    "description": "Lines of JSON. The first has `commitments`, how many lines follow, and `position`: of each topic"
    " and partition the offset from which on nothing is missed. Each of the others is a commitment as it stands, as on"
    " the topic `commitment-state` (its schema is there), without `seq`. What is read from the position on may repeat"
    " what a line says: of a topic's events about a commitment those with a `seq` up to `through` in its `includes` are"
    " in it.",
    "content": {NDJSON: {"schema": {"type": "string"}}},
    "headers": {"ETag": {"description": "For `If-None-Match`.", "schema": {"type": "string"}}},
}


class _Lines(Response):
    media_type = NDJSON


def read_routes(database: Database) -> APIRouter:
    """What everybody may read."""
    router = APIRouter()
    turns = asyncio.Semaphore(AT_ONCE)

    @router.get(
        "/snapshot",
        response_class=_Lines,
        responses={200: LINES, 304: {"description": "It is as you have it"}},
        operation_id="read_snapshot",
    )
    async def read_snapshot(request: Request) -> Response:
        """The present of all commitments, at one moment, and where to follow it; it needs no Kafka to be there."""
        # Read to its end before anything is sent: who takes it slowly holds no connection of ours to the database.
        body = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  it is closed behind the answer
        digest = hashlib.sha256()
        try:
            async with turns, snapshot(database) as connection:
                async for line in snapshot_lines(connection):
                    digest.update(line)
                    body.write(line)
        except BaseException:
            body.close()
            raise
        tag = f'"{digest.hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if is_current(request.headers.get("if-none-match"), tag):
            body.close()
            return Response(status_code=304, headers=headers)
        headers["Content-Length"] = str(body.tell())
        body.seek(0)
        return StreamingResponse(
            _pieces(body), media_type=NDJSON, headers=headers, background=BackgroundTask(body.close)
        )

    return router


def _pieces(body: "SpooledTemporaryFile[bytes]") -> Iterator[bytes]:
    while piece := body.read(PIECE):
        yield piece
