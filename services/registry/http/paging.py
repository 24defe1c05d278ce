"""Cursors: where the next page begins, opaque to the reader and checked when it comes back.

A cursor names the last commitment of a page. It is not signed, since it opens nothing that isn't open; but it has to
be one that we could have written, and the commitment has to be there.
"""

import base64
import binascii
import re

from services.registry.rules.errors import Refusal

LONGEST_PAGE = 200
_PREFIX = "after:"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BadCursor(Refusal):
    """No cursor of ours."""

    kind = "bad-cursor"


def is_slug(text: str) -> bool:
    """Whether it could be the id of anything here."""
    return len(text) <= 96 and _SLUG.fullmatch(text) is not None


def write_cursor(last_id: str) -> str:
    """The cursor for what comes after a commitment."""
    return base64.urlsafe_b64encode(f"{_PREFIX}{last_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """The id that a cursor names; raises `BadCursor` for what `write_cursor` did not write."""
    try:
        named = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        named = ""
    last_id = named.removeprefix(_PREFIX)
    if not is_slug(last_id) or write_cursor(last_id) != cursor:
        raise BadCursor("Use the `next_cursor` of an answer as it is, or none")
    return last_id
