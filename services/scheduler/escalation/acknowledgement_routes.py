"""`POST /milestones/{id}/acknowledgements`: somebody says that they are on it."""

from collections.abc import Callable

from fastapi import Request

from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.problems import Problem

IDEMPOTENCY_KEY_PARAMETER = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Made up by the caller, a new one for each new request. The same request again has the"
            " same answer and no second effect.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ]
}


def reporter(keys: ApiKeys) -> Callable[[Request], Caller]:
    def caller(request: Request) -> Caller:
        caller = keys.require(request, "reporter")
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            raise Problem(415, "media-type", "Send the body as application/json")
        return caller

    return caller


def idempotency_key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Problem(400, "idempotency-key", "Send an `Idempotency-Key` of 1 to 255 printable ASCII characters")
    return key
