"""Limits on what is sent to us: size, time and content coding, for every route."""

import asyncio

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from services.plumbing import outbox
from services.plumbing.http.content_type import CONTENT_CODING, AcceptedBody, check_body
from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.sentences import Sentence

LONGEST_BODY = 256 * 1024
"""Bytes; well under the broker's limit for a record, which holds the body and its envelope."""
SLOWEST_BODY = 15
"""Seconds that a whole body may take to come."""
REPEATED_HEADER = ProblemKind(400, "repeated-header", Sentence("A header that has one value is there twice"))
TOO_SLOW = ProblemKind(
    408, "too-slow", Sentence("The body did not arrive within %(slowest_body)s seconds", slowest_body=SLOWEST_BODY)
)
TOO_LARGE = ProblemKind(
    413, "too-large", Sentence("A body has at most %(longest_body)s bytes", longest_body=LONGEST_BODY)
)
EVENT_TOO_LARGE = ProblemKind(413, "event-too-large", outbox.EVENT_TOO_LARGE)
"""What is within the limits of a body, and would make an event that no topic takes."""
_ONCE = ("content-type", "content-encoding", "authorization", "idempotency-key")
"""Headers of which two could be read in two ways."""


def refuse_repeated_headers(headers: Headers) -> None:
    """Raise a 400 problem where a header that has one value stands twice: who looks at the last, who at the first?"""
    for name in _ONCE:
        if len(headers.getlist(name)) > 1:
            raise Problem(REPEATED_HEADER, title=Sentence("The header %(name)s is there twice", name=name))


async def answer_event_too_large(request: Request, error: Exception) -> Response:
    """FastAPI's handler for `outbox.EventTooLarge`: nothing was done."""
    return Problem(EVENT_TOO_LARGE).response(request.scope)


async def checked_body(headers: Headers, receive: Receive, accepted: AcceptedBody) -> Receive:
    """Read the whole body and give it out again; raises a 400, 408, 413 or 415 problem for one that is refused."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Problem(CONTENT_CODING)
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            body = await _whole_body(receive)
    except TimeoutError:
        raise Problem(TOO_SLOW, headers={"Connection": "close"}) from None
    check_body(headers, body, accepted)

    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _whole_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        if len(body) > LONGEST_BODY:
            raise Problem(TOO_LARGE, headers={"Connection": "close"})
        if not message.get("more_body", False):
            break
    return bytes(body)
