"""The one parser: what it takes, every other one reads the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.plumbing.strict_json import JsonRefused, read_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


@given(values, st.booleans())
def test_what_has_one_reading_is_read(value: object, ascii_only: bool) -> None:
    try:
        text = json.dumps(value, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return
    assert read_json(text) == value


@given(st.binary(max_size=60))
def test_no_bytes_do_worse_than_to_be_refused(text: bytes) -> None:
    try:
        read_json(text)
    except JsonRefused as refused:
        assert refused.kind in {"encoding", "too-deep", "duplicate-key", "not-json"}


@given(values, st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]))
def test_every_other_encoding_is_seen(value: object, encoding: str) -> None:
    text = json.dumps({"a": value}).encode(encoding)
    with pytest.raises(JsonRefused) as raised:
        read_json(text)
    assert raised.value.kind == "encoding"


def test_brackets_in_prose_are_no_depth() -> None:
    assert read_json(json.dumps({"note": "[" * 5000 + '\\"'}).encode())
