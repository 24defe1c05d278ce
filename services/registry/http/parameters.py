"""How requests name things: ids in paths, days in bodies, words and pages in queries."""

import re
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import Field

from contracts.entered import EnteredLine
from contracts.vocabulary import Span
from services.registry.rules.edtf_dates import UnreadableDate, span_of
from services.registry.rules.errors import Invalid, ResourceNotFound
from services.registry.rules.plannable_dates import check_plannable

T = TypeVar("T")

LONGEST_PAGE = 200
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE)]
SearchWords = Annotated[EnteredLine, Field(max_length=100)]

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_slug(text: str) -> bool:
    """Whether it could be the id of anything here."""
    return len(text) <= 96 and _SLUG.fullmatch(text) is not None


def id_in_path(text: str, what: str) -> str:
    """The id in a path; raises `ResourceNotFound` for what can't be one."""
    # It names nothing, and is not sent to the database or back to the asker.
    if not is_slug(text):
        raise ResourceNotFound(f"There is no such {what}")
    return text


def found(thing: T | None, what: str) -> T:
    """The thing; raises `ResourceNotFound` where there is none."""
    if thing is None:
        raise ResourceNotFound(f"There is no such {what}")
    return thing


def span_in_body(edtf: str | None) -> Span:
    """The days of a date in a body; raises `Invalid` for what is no date, or none that can be planned."""
    try:
        span = span_of(edtf)
    except UnreadableDate as error:
        raise Invalid(str(error), field="edtf") from None
    check_plannable(span, "edtf")
    return span
