"""Entity tags: who has an answer is told that nothing has changed, and who writes, whether it has (RFC 9110, 13).

Every answer to GET that is one JSON document gets a tag of its bytes. A route that writes and takes `If-Match` holds it
against what GET would answer now, in the transaction of the write.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.datastructures import Headers

from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.sentences import Sentence

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
"""RFC 9110, 5.6.1.2: who reads a list bears empty elements."""
_PATTERN = r'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$'
IF_MATCH: Mapping[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` with which you read what you change: where it has changed since, nothing is done (412).",
    "schema": {"type": "string", "pattern": _PATTERN},
}
"""The header, as a parameter in OpenAPI, of a route that keeps to it."""
MALFORMED_CONDITION = ProblemKind(
    400, "malformed-condition", Sentence("`If-Match` is `*`, or entity tags with commas between")
)
CHANGED = ProblemKind(412, "changed", Sentence("What you have is not what there is now"))
NO_VERSION = ProblemKind(412, "no-version", Sentence("Nothing here has a version that `If-Match` could name"))


def etag(content: bytes) -> str:
    """A strong validator: the same for the same content, be it the body itself or what the body follows from."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def etag_of(shown: BaseModel) -> str:
    """The tag of what GET answers with this model."""
    return etag(shown.model_dump_json().encode())


def is_current(if_none_match: str | None, tag: str) -> bool:
    """Whether a request's If-None-Match names this validator; compared weakly, and `*` names any."""
    named = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return tag in named or named == ["*"]


def refuse_unmet_conditions(headers: Headers, *, writes: bool, takes_if_match: bool) -> None:
    """Raise a problem for a condition that a route can't hold against anything: it must not be passed over.

    412 for `If-Match` where the route doesn't take it, and for `If-None-Match` of who writes: what is written here is
    there already, or has no name yet.
    """
    if ("if-match" in headers and not takes_if_match) or (writes and "if-none-match" in headers):
        raise Problem(
            NO_VERSION,
            Sentence("Send the request without `If-Match`; where there is `expected_version`, name the version there"),
        )


def check_if_match(headers: Headers, shown: BaseModel | None) -> None:
    """Raise a 412 problem where the request has an `If-Match` that doesn't name what is shown now; None is nothing.

    Compared strongly (RFC 9110, 13.1.1): a weak tag matches nothing. Raises a 400 problem for one that can't be read.
    It is asked by routes, behind the key and the form of the body: what they refuse, they refuse without it (13.2.1).
    """
    if not has_if_match(headers):
        return
    given = ", ".join(headers.getlist("if-match")).strip()
    if not _can_be(given):
        raise Problem(MALFORMED_CONDITION)
    if given == "*" and shown is not None:
        return
    if shown is None or etag_of(shown) not in re.findall(_TAG, given):
        raise Problem(CHANGED, Sentence("Read it again (GET), and decide by what it is now"))


def has_if_match(headers: Headers) -> bool:
    """Whether the request is to be held against what is there."""
    return "if-match" in headers


def tagged(
    request: Request,
    body: bytes,
    media_type: str,
    *,
    kept: str = "no-cache",
    more: Mapping[str, str] | None = None,
) -> Response:
    """The answer with its tag, or 304 to those who have it; `kept` is what caches may do without asking again.

    `more` are headers of either answer.
    """
    tag = etag(body)
    headers = {"ETag": tag, "Cache-Control": kept, **(more or {})}
    if is_current(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _can_be(value: str) -> bool:
    return value.strip() == "*" or _LIST.fullmatch(value) is not None
