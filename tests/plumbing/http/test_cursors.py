"""Cursors come back as they were written, or are refused."""

import base64
import contextlib
import json
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, Field

from services.plumbing.http.cursors import BadCursor, Cursors

BY_ID = Cursors[str](Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=96)])
BY_UUID = Cursors[UUID](UUID)
BY_TIME = Cursors[tuple[datetime, int]](tuple[AwareDatetime, Annotated[int, Field(ge=0, lt=2**63)]])

ids = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+){0,5}", fullmatch=True).filter(lambda id_: len(id_) <= 96)
places = st.tuples(st.datetimes(timezones=st.just(UTC)), st.integers(0, 2**63 - 1))


@given(ids, st.uuids(), places)
def test_a_cursor_carries_the_place_that_it_was_written_for(id_: str, uuid: UUID, place: tuple[datetime, int]) -> None:
    assert BY_ID.read(BY_ID.write(id_)) == id_
    assert BY_UUID.read(BY_UUID.write(uuid)) == uuid
    assert BY_TIME.read(BY_TIME.write(place)) == place


@given(places)
def test_a_cursor_can_stand_in_a_query_as_it_is(place: tuple[datetime, int]) -> None:
    assert set(BY_TIME.write(place)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_other_text_is_refused_or_one_that_we_could_have_written(text: str) -> None:
    for cursors in (BY_ID, BY_UUID, BY_TIME):
        try:
            place = cursors.read(text)
        except BadCursor:
            continue
        assert cursors.write(place) == text


@given(ids, st.data())
def test_a_cursor_that_was_tampered_with_never_reads_as_the_same(id_: str, data: st.DataObject) -> None:
    cursor = BY_ID.write(id_)
    at = data.draw(st.integers(0, len(cursor) - 1))
    forged = cursor[:at] + data.draw(st.characters().filter(lambda c: c != cursor[at])) + cursor[at + 1 :]
    with contextlib.suppress(BadCursor):
        assert BY_ID.read(forged) != id_


def coded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "é",
        "abc",
        coded('["2021-11-18T00:00:00Z",1]') + "=",  # padded
        coded('["2021-11-18T00:00:00Z", 1]'),  # laid out otherwise
        coded('["2021-11-18T00:00:00+00:00",1]'),
        coded('["2021-11-18T00:00:00",1]'),  # no offset
        coded('["2021",1]'),  # pydantic reads a count of seconds
        coded('["2021-11-18T00:00:00Z","1"]'),
        coded('["2021-11-18T00:00:00Z",1.0]'),
        coded('["2021-11-18T00:00:00Z",-1]'),
        coded('["2021-11-18T00:00:00Z",9223372036854775808]'),
        coded('["2021-11-18T00:00:00Z",1,2]'),
        coded("[" * 5000),
        BY_ID.write("another-list"),
    ],
)
def test_forged_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(BadCursor) as refused:
        BY_TIME.read(cursor)

    document = json.loads(bytes(refused.value.response({}).body))
    assert (document["status"], document["type"]) == (400, "/problems/bad-cursor")


@given(st.lists(st.integers(0, 2**63 - 1), max_size=12, unique=True), st.integers(1, 5))
def test_pages_put_together_are_the_list(numbers: list[int], limit: int) -> None:
    by_number, numbers = Cursors[int](int), sorted(numbers)
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(len(numbers) + 1):
        after = by_number.read(cursor) if cursor else -1
        page, cursor = by_number.page([n for n in numbers if n > after][: limit + 1], limit, lambda n: n)
        assert len(page) <= limit
        seen += page
        if cursor is None:
            break

    assert seen == numbers
