"""Cursors: where the next page of a list begins, opaque to the reader and checked when they come back.

A cursor carries the place of a page's last item, whatever the list is ordered by. It is not signed, since it opens
nothing that isn't open; but it has to be one that we could have written.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import TypeAdapter, WithJsonSchema

from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.sentences import Sentence

P = TypeVar("P")
R = TypeVar("R")


BAD_CURSOR = ProblemKind(400, "bad-cursor", Sentence("This cursor is none that was given out here"))

_WRITTEN = re.compile(r"[A-Za-z0-9_-]{2,400}")
"""Unpadded base64url (RFC 4648, 5)."""

Cursor = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{_WRITTEN.pattern}$"})] | None,
    Query(description="`next_cursor` of the page before, as it was given; any other is refused with 400."),
]
"""The parameter of every list that has pages. The document shows its form; `Cursors.read` checks all there is."""


class BadCursor(Problem):
    """No cursor of this list."""

    def __init__(self) -> None:
        super().__init__(BAD_CURSOR, Sentence("Use the `next_cursor` of an answer as it is, or none"))


class Cursors(Generic[P]):
    """The cursors of one list, whose places are of type `P`: an id, or a tuple of what the list is ordered by."""

    def __init__(self, place: Any) -> None:
        self._places: TypeAdapter[P] = TypeAdapter(place)

    def write(self, place: P) -> str:
        """The cursor for what follows this place."""
        return base64.urlsafe_b64encode(self._places.dump_json(place)).decode().rstrip("=")

    def read(self, cursor: str) -> P:
        """The place that a cursor carries; raises `BadCursor` for what `write` did not write."""
        if not _WRITTEN.fullmatch(cursor):
            raise BadCursor
        try:
            written = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            place = self._places.validate_json(written)
        except (binascii.Error, ValueError):  # pydantic's ValidationError is one
            raise BadCursor from None
        if self.write(place) != cursor:  # "2021" would be read as an instant, 1.0 as a number
            raise BadCursor
        return place

    def page(self, found: Sequence[R], limit: int, place_of: Callable[[R], P]) -> tuple[Sequence[R], str | None]:
        """Cut what was found, asked for as `limit` + 1 rows, to a page; and the cursor of the next, if there is one."""
        page = found[:limit]
        return page, self.write(place_of(page[-1])) if len(found) > limit else None
