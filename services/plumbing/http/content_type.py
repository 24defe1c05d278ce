"""The media type of a body, and what a route takes: decided here for all routes of all services.

Every text is UTF-8 without a byte order mark; a browser can't send one of our types without being asked first
(`text/plain` and forms it can), so the type is matched exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers

from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.sentences import Sentence, sentence_of
from services.plumbing.strict_json import JsonRefused, is_utf8_by_sight, read_json

JSON = "application/json"

MEDIA_TYPE = ProblemKind(415, "media-type", Sentence("The body is of another media type than this takes"))
ENCODING = ProblemKind(415, "encoding", Sentence("Send the body in UTF-8, without a byte order mark"))
CONTENT_CODING = ProblemKind(415, "content-coding", Sentence("Send the body without a content coding"))
BODY_TYPES = (MEDIA_TYPE, ENCODING, CONTENT_CODING)
"""What a body can be refused for before it is read."""
EMPTY_BODY = ProblemKind(400, "empty-body", Sentence("There is no body"))
UNREADABLE_JSON = {
    kind: ProblemKind(400, kind, Sentence("The body can't be read as JSON in one way only"))
    for kind in ("not-json", "duplicate-key", "too-deep")
}
"""By the kind of `JsonRefused`; another encoding has been refused as such by then."""


@dataclass(frozen=True)
class AcceptedBody:
    """What a route takes: the media types, the first of which is named as what to send, and whether it needs one."""

    media_types: Sequence[str] = (JSON,)
    is_required: bool = False


def content_type(headers: Headers) -> str:
    """The media type that the headers give, without parameters and in small letters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def check_body(headers: Headers, body: bytes, accepted: AcceptedBody) -> None:
    """Raise a 400 or 415 problem for a body that isn't what a route takes, or that could be read in two ways.

    A body where none is asked for is read by nobody; it is checked all the same.
    """
    if not body and not accepted.is_required:
        return
    media_type = content_type(headers)
    if media_type not in accepted.media_types:
        raise Problem(
            MEDIA_TYPE,
            title=Sentence("Send the body as %(media_types)s", media_types=", ".join(accepted.media_types)),
        )
    if _charset(headers) not in ("", "utf-8") or not is_utf8_by_sight(body):
        raise Problem(ENCODING)
    if not body:
        raise Problem(EMPTY_BODY, Sentence("Send one as %(media_types)s", media_types=accepted.media_types[0]))
    if media_type == JSON:
        try:
            read_json(body)
        except JsonRefused as refused:
            raise Problem(UNREADABLE_JSON[refused.kind], sentence_of(refused)) from None


def _charset(headers: Headers) -> str:
    for parameter in headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()[:40]
    return ""
