"""How requests name things: ids in paths, days in bodies, words and pages in queries."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from fastapi import Query
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from contracts.entered import EnteredLine
from contracts.vocabulary import Day, Instant, Span
from services.plumbing.http.forms import WRITTEN_NUMBER
from services.plumbing.sentences import Sentence, sentence_of
from services.registry.rules.edtf_dates import UnreadableDate, span_of
from services.registry.rules.errors import Invalid, ResourceNotFound, at
from services.registry.rules.plannable_dates import check_plannable
from services.registry.rules.status_history import end_of

T = TypeVar("T")

Thing = Literal["anchor", "commitment", "milestone", "ministry", "statement"]
"""What a path can name."""
_NO_SUCH: Mapping[Thing, Sentence] = {
    "anchor": Sentence("There is no such anchor"),
    "commitment": Sentence("There is no such commitment"),
    "milestone": Sentence("There is no such milestone"),
    "ministry": Sentence("There is no such ministry"),
    "statement": Sentence("There is no such statement"),
}

LONGEST_PAGE = 200
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE), WRITTEN_NUMBER]
_DAY = TypeAdapter(Day)
_INSTANT = TypeAdapter(Instant)


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        if "T" in value.upper():
            return _INSTANT.validate_json(json.dumps(value))
        return end_of(_DAY.validate_json(json.dumps(value)))
    except ValidationError:
        raise PydanticCustomError("moment", "a day is written YYYY-MM-DD, an instant as in RFC 3339") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
"""A moment in a query: an instant, or a day, which stands for its last moment in UTC."""
SearchWords = Annotated[EnteredLine, Field(max_length=100)]

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_slug(text: str) -> bool:
    """Whether it could be the id of anything here."""
    return len(text) <= 96 and _SLUG.fullmatch(text) is not None


def id_in_path(text: str, what: Thing) -> str:
    """The id in a path; raises `ResourceNotFound` for what can't be one."""
    # It names nothing, and is not sent to the database or back to the asker.
    if not is_slug(text):
        raise ResourceNotFound(_NO_SUCH[what])
    return text


def found(thing: T | None, what: Thing) -> T:
    """The thing; raises `ResourceNotFound` where there is none."""
    if thing is None:
        raise ResourceNotFound(_NO_SUCH[what])
    return thing


def span_in_body(edtf: str | None) -> Span:
    """The days of a date in a body; raises `Invalid` for what is no date, or none that can be planned."""
    try:
        span = span_of(edtf)
    except UnreadableDate as error:
        raise Invalid(sentence_of(error), **at("edtf")) from None
    check_plannable(span, Sentence("The date"), "edtf")
    return span
