"""The media type of a body: read once, and refused once where a route takes another."""

from collections.abc import Mapping

from fastapi import Request

from services.plumbing.http.problems import Problem

JSON = "application/json"


def content_type(headers: Mapping[str, str]) -> str:
    """The media type that the headers (by names in small letters) give, without parameters and in small letters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Whether a body of this type is JSON (RFC 6839 for the suffix)."""
    return media_type == JSON or media_type.endswith("+json")


def require_content_type(request: Request, *accepted: str) -> None:
    """Raise a 415 problem for a body of another type; the first one is named as what to send."""
    if content_type(request.headers) not in accepted:
        raise Problem(415, "media-type", f"Send the body as {accepted[0]}")
