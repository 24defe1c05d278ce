"""Cursors come back as they were written, or are refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts.vocabulary import Slug
from services.registry.http.paging import BadCursor, is_slug, read_cursor, write_cursor

slugs = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+){0,5}", fullmatch=True).filter(lambda slug: len(slug) <= 96)


@given(slugs)
def test_a_cursor_names_what_it_was_written_for(slug: str) -> None:
    assert is_slug(slug)
    assert read_cursor(write_cursor(slug)) == slug


@given(st.text(max_size=60))
def test_any_other_text_is_refused_or_one_that_we_could_have_written(text: str) -> None:
    try:
        named = read_cursor(text)
    except BadCursor:
        return
    assert write_cursor(named) == text


@given(slugs, st.data())
def test_a_cursor_that_was_tampered_with_never_reads_as_the_same(slug: str, data: st.DataObject) -> None:
    cursor = write_cursor(slug)
    at = data.draw(st.integers(0, len(cursor) - 1))
    forged = cursor[:at] + data.draw(st.characters().filter(lambda c: c != cursor[at])) + cursor[at + 1 :]
    with contextlib.suppress(BadCursor):
        assert read_cursor(forged) != slug


@given(st.text(alphabet="ab-1A\n\x00_", max_size=8))
def test_ids_are_what_the_contracts_call_so(text: str) -> None:
    adapter = TypeAdapter(Slug)
    try:
        adapter.validate_python(text)
    except ValueError:
        assert not is_slug(text)
    else:
        assert is_slug(text)


@pytest.mark.parametrize("cursor", ["", "abc", "YWZ0ZXI6", "YWZ0ZXI6QQ", "é", "YWZ0ZXI6YQ=="])
def test_forged_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        read_cursor(cursor)
