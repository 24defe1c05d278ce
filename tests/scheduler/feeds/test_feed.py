"""What is known of a feed without rendering it: its token's hash, its validator, what is still held in memory."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.feeds.documents import DocumentCache
from services.scheduler.feeds.rendering.feed import FEED_FORMATS, etag, new_token, token_hash, unchanged

FEED = UUID("01900000-0000-7000-8000-000000000001")
TAG = etag("form", "calendar.ics", FEED, "marker")


def test_a_validator_is_another_one_when_anything_of_it_is() -> None:
    others = {
        etag("other", "calendar.ics", FEED, "marker"),
        etag("form", "events.rss", FEED, "marker"),
        etag("form", "calendar.ics", uuid4(), "marker"),
        etag("form", "calendar.ics", FEED, ""),
        TAG,
    }

    assert len(others) == 5
    assert etag("form", "calendar.ics", FEED, "marker") == TAG
    assert len({etag("form", kind, FEED, "marker") for kind in FEED_FORMATS}) == 3


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        (f'"a", W/"b",{TAG}', True),
        ("*", True),
        ('"a"', False),
        (TAG.strip('"'), False),
        ("", False),
        (None, False),
    ],
)
def test_what_is_known_is_unchanged(header: str | None, expected: bool) -> None:
    assert unchanged(header, TAG) is expected


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}

    assert len({token_hash(token) for token in tokens}) == 100
    assert {len(token) for token in tokens} == {43}


@given(st.text())
def test_any_text_has_a_hash_and_is_no_fault(text: str) -> None:
    assert len(token_hash(text)) == 32


def test_what_is_rendered_takes_up_a_bounded_room_and_the_longest_unread_goes_first() -> None:
    copies = DocumentCache(10)
    for tag in ("a", "b"):
        copies.put(tag, b"xxxx")
    assert copies.get("a") == b"xxxx"

    copies.put("c", b"xxxx")
    copies.put("c", b"xxxx")

    assert [copies.get(tag) is not None for tag in ("a", "b", "c")] == [True, False, True]
    copies.put("too long", b"x" * 11)
    assert copies.get("too long") is None
    copies.put("d", b"x" * 10)
    assert copies.get("d") == b"x" * 10
