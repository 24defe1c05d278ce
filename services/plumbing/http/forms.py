"""What the models of all HTTP interfaces have in common, and the checks of fields that several of them need."""

import json
import re
from collections.abc import Hashable, Iterable
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from services.plumbing.sentences import Sentence
from services.plumbing.zones import is_zone, zone_names

V = TypeVar("V", bound=tuple[Hashable, ...])


class RequestModel(BaseModel):
    """What is sent to us: closed, so that a misspelt member is refused and not ignored.

    Not strict: FastAPI hands over parsed JSON, in which an enum is a string and a tuple a list. Where a form has
    numbers or truth values, which would be converted, take `StrictRequestModel`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class StrictRequestModel(RequestModel):
    """What is sent to us, read as strictly as an event: a number as text is refused. Its bodies need `strict_body`."""

    model_config = ConfigDict(strict=True)


class ResponseModel(BaseModel):
    """What we answer: in the document every member is required, since all of them are always there."""

    model_config = ConfigDict(
        frozen=True, use_attribute_docstrings=True, json_schema_serialization_defaults_required=True
    )


def strict_body(form: type[StrictRequestModel]) -> WrapValidator:
    """Read a body as JSON once more: FastAPI hands over Python's types.

    In those a strict model refuses a date or an enumeration as text and a tuple as a list.
    """
    return WrapValidator(lambda value, _: form.model_validate_json(json.dumps(value)))


def _known_zone(name: str) -> str:
    if not is_zone(name):
        raise PydanticCustomError("zone", "no zone of the IANA time zone database")
    return name


def zone_schema(names: Iterable[str]) -> WithJsonSchema:
    """How the document says which zones are taken: name by name, since what is none is refused."""
    return WithJsonSchema({"type": "string", "enum": sorted(names), "description": "A zone of the IANA database"})


def refuse_repeats(values: V) -> V:
    """The values; raises ValueError where one stands twice."""
    if len(set(values)) < len(values):
        raise ValueError(Sentence("something stands here twice"))
    return values


def _day_from_query(value: Any) -> Any:
    # Left alone, pydantic reads "1637193600" as a count of seconds.
    if isinstance(value, str) and not (len(value) == 10 and value[4] == value[7] == "-"):
        raise PydanticCustomError("day", "a day is written YYYY-MM-DD")
    return value


def _instant_from_query(value: Any) -> Any:
    # Left alone, pydantic reads "1637193600" as a count of seconds.
    if isinstance(value, str) and "T" not in value.upper():
        raise PydanticCustomError("instant", "an instant is written as in RFC 3339, with an offset")
    return value


def _entered_instant(value: Any) -> Any:
    # Left alone, pydantic reads 1637193600, also as text, as a count of seconds.
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise PydanticCustomError("instant", "an instant is written as in RFC 3339, with an offset")
    return value.upper()


def _written_number(value: Any) -> Any:
    # Left alone, pydantic reads "1_0" as ten, and " 1", "+1" and "1.0" as one.
    if isinstance(value, str) and not re.fullmatch("-?[0-9]{1,19}", value):
        raise PydanticCustomError("number", "a number is written in digits")
    return value


ZoneName = TypeAliasType("ZoneName", Annotated[str, AfterValidator(_known_zone), zone_schema(zone_names())])
"""An IANA zone that our zone data has, as `America/Mexico_City`."""
WRITTEN_NUMBER = BeforeValidator(_written_number)
"""Of a whole number in a query or a path; behind its bounds, which its schema would not name otherwise."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
EnteredInstant = Annotated[AwareDatetime, BeforeValidator(_entered_instant)]
"""An instant in a body: RFC 3339, with seconds and an offset."""
QueryDay = Annotated[date, BeforeValidator(_day_from_query)]
QueryInstant = Annotated[AwareDatetime, BeforeValidator(_instant_from_query)]
