"""Entity tags: who has an answer already is told that nothing has changed (RFC 9110, 8.8.3 and 13.1.2)."""

import hashlib

from fastapi import Request
from fastapi.responses import Response


def etag(content: bytes) -> str:
    """A strong validator: the same for the same content, be it the body itself or what the body follows from."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def is_current(if_none_match: str | None, tag: str) -> bool:
    """Whether a request's If-None-Match names this validator; compared weakly, and `*` names any."""
    named = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return tag in named or named == ["*"]


def tagged(request: Request, body: bytes, media_type: str) -> Response:
    """The answer with its tag, or 304 to those who have it."""
    tag = etag(body)
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if is_current(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
