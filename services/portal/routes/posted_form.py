"""A form as a browser posts it, and whether it was posted from our own page.

The page has a key in it that belongs to the link and to the browser (a cookie), so neither a page of somebody else nor
a form that was copied from another browser can post it.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

FORM_TYPE = "application/x-www-form-urlencoded"
TAKES_FORM: dict[str, Any] = {"requestBody": {"required": True, "content": {FORM_TYPE: {"schema": {"type": "object"}}}}}
"""What a route says that takes a form."""
KEY_FIELD = "form-key"
_COOKIE = "visit"
_MOST_FIELDS = 100
_OURS = ("same-origin", "none")


@dataclass(frozen=True)
class PostedForm:
    """The fields of a form, by name."""

    fields: Mapping[str, list[str]]

    def one(self, name: str) -> str:
        """What was entered into a field, without space around it; empty where there is none."""
        values = self.fields.get(name, [])
        return values[0].strip() if values else ""

    def all(self, name: str) -> tuple[str, ...]:
        """What was chosen of several."""
        return tuple(self.fields.get(name, ()))


async def posted_form(request: Request) -> PostedForm:
    """The form of a request; raises a 422 exception for what is none."""
    try:
        body = (await request.body()).decode("ascii")
        fields = parse_qs(body, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise HTTPException(422) from None
    return PostedForm(fields)


class Visit:
    """One browser that looks at the page of a link."""

    def __init__(self, request: Request, link: str) -> None:
        self._site = request.headers.get("sec-fetch-site", "none")
        self._known = request.cookies.get(_COOKIE, "")
        self._name = self._known if 20 <= len(self._known) <= 80 else secrets.token_urlsafe(24)
        self._link = link

    @property
    def key(self) -> str:
        """What stands in the forms of the page."""
        return hmac.new(self._name.encode(), self._link.encode(), "sha256").hexdigest()

    def has_posted(self, form: PostedForm) -> bool:
        """Whether a form was posted from our page, in this browser."""
        return self._site in _OURS and hmac.compare_digest(self.key.encode(), form.one(KEY_FIELD).encode())

    def keep(self, response: Response) -> Response:
        """The response, by which the browser is known again until it is closed."""
        if self._name != self._known:
            response.set_cookie(_COOKIE, self._name, samesite="lax", httponly=True)
        return response
