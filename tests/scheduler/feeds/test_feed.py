"""What is known of a feed without rendering it: its token's hash, its validator, and what is still held in memory."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.feeds.documents import DocumentCache, document_tag
from services.scheduler.feeds.rendering.feed import FEED_FORMATS, new_token, token_hash

FEED = UUID("01900000-0000-7000-8000-000000000001")
TAG = document_tag("form", "calendar.ics", FEED, "marker")


def test_a_validator_is_another_one_when_anything_of_it_is() -> None:
    others = {
        document_tag("other", "calendar.ics", FEED, "marker"),
        document_tag("form", "events.rss", FEED, "marker"),
        document_tag("form", "calendar.ics", uuid4(), "marker"),
        document_tag("form", "calendar.ics", FEED, ""),
        TAG,
    }

    assert len(others) == 5
    assert document_tag("form", "calendar.ics", FEED, "marker") == TAG
    assert len({document_tag("form", format_, FEED, "marker") for format_ in FEED_FORMATS}) == 3


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
