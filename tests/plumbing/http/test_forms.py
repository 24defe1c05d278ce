"""What all interfaces take and refuse alike."""

import json
from datetime import date
from typing import Annotated

import pytest
from fastapi import Body, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, TypeAdapter, ValidationError
from starlette.testclient import TestClient

from services.plumbing.http.forms import (
    QueryDay,
    QueryInstant,
    RequestModel,
    ResponseModel,
    StrictRequestModel,
    ZoneName,
    refuse_repeats,
    strict_body,
)
from services.plumbing.zones import zone_names

zones: TypeAdapter[str] = TypeAdapter(ZoneName)


@given(st.sampled_from(sorted(zone_names())))
def test_every_zone_of_the_zone_data_is_taken(name: str) -> None:
    assert zones.validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["localtime", "Factory", "", "America/Nowhere", "../../etc/passwd", "/etc/localtime", "a\0b"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        zones.validate_python(name)


@pytest.mark.parametrize("text", ["1637193600", "2021-11", "20211118", "2021-11-18T00:00:00Z", "2021-W46-4"])
def test_a_day_in_a_query_is_written_as_a_day(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(QueryDay).validate_python(text)


def test_a_day_and_an_instant_in_a_query_are_read() -> None:
    assert TypeAdapter(QueryDay).validate_python("2021-11-18").isoformat() == "2021-11-18"
    instant = TypeAdapter(QueryInstant).validate_python("2021-11-18T10:00:00-05:00")
    assert instant.isoformat() == "2021-11-18T10:00:00-05:00"


@pytest.mark.parametrize("text", ["1637193600", "2021-11-18", "2021-11-18T10:00:00"])
def test_an_instant_in_a_query_says_its_offset(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(QueryInstant).validate_python(text)


def test_what_stands_twice_is_refused() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Annotated[tuple[str, ...], AfterValidator(refuse_repeats)]).validate_python(("a", "a"))


class Order(StrictRequestModel):
    """Something that is ordered."""

    count: int
    days: tuple[date, ...]


class Lenient(RequestModel):
    """Something else."""

    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"count": 1, "days": ["2021-11-18"]}, 200),
        ({"count": "1", "days": []}, 422),
        ({"count": True, "days": []}, 422),
        ({"count": 1, "days": [], "more": 1}, 422),
        ([], 422),
    ],
)
def test_a_strict_body_is_read_as_json_and_as_nothing_else(body: object, status: int) -> None:
    app = FastAPI()

    @app.post("/")
    def take(order: Annotated[Order, Body(), strict_body(Order)]) -> int:
        return order.count

    with TestClient(app) as client:
        answer = client.post("/", content=json.dumps(body), headers={"content-type": "application/json"})

    assert answer.status_code == status


def test_a_misspelt_member_is_refused_and_a_member_with_a_default_is_always_answered() -> None:
    class Entry(ResponseModel):
        """What is answered."""

        note: str | None = None

    with pytest.raises(ValidationError):
        Lenient.model_validate({"name": ["a"]})
    assert Entry.model_json_schema(mode="serialization")["required"] == ["note"]
