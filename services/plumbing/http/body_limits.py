"""Limits on what is sent to us: size, time, content coding, and JSON that parsers would take in different ways.

Duplicate JSON keys, too deep nesting and content codings are refused here, once for every route: the parsers behind
would let the last key win, run out of stack or inflate without bound.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.types import Message, Receive

from services.plumbing.http.content_type import content_type, is_json
from services.plumbing.http.problems import Problem

LONGEST_BODY = 256 * 1024
"""Bytes; well under the broker's limit for a record, which holds the body and its envelope."""
SLOWEST_BODY = 15
"""Seconds that each part of a body may take to come."""
DEEPEST_JSON = 32


async def checked_body(headers: Mapping[str, str], receive: Receive) -> Receive:
    """Read the whole body and give it out again; raises a 400, 408, 413 or 415 problem for one that is refused."""
    if headers.get("content-encoding", "identity") != "identity":
        raise Problem(415, "content-coding", "Send the body without a content coding")
    body = b""
    more = True
    while more:
        try:
            message = await asyncio.wait_for(receive(), SLOWEST_BODY)
        except TimeoutError:
            raise Problem(408, "too-slow", f"The body did not arrive within {SLOWEST_BODY} seconds") from None
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LONGEST_BODY:
            raise Problem(413, "too-large", f"A body has at most {LONGEST_BODY} bytes")
    if is_json(content_type(headers)):
        refuse_bad_json(body)

    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def refuse_bad_json(body: bytes) -> None:
    """Raise a 400 problem for what is no JSON, is nested too deeply, or has a key twice."""
    depth = deepest = 0
    for byte in body:  # brackets inside strings count too: nobody's prose holds 32 of them unclosed
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    if deepest > DEEPEST_JSON:
        raise Problem(400, "too-deep", f"JSON may be nested at most {DEEPEST_JSON} levels deep")
    try:
        json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
    except Problem:
        raise
    except (ValueError, RecursionError) as error:
        raise Problem(400, "not-json", "The body is not JSON", str(error)[:200]) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise Problem(400, "duplicate-key", "A JSON object has the same key twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise Problem(400, "not-json", f"{name} is no JSON")
