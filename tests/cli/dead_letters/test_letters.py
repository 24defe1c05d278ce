"""What a letter says of itself, which are meant, and what may be removed: whatever order they come in."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.dead_letters.letters import LetterId, Settlement, chosen, emptied_up_to, letter
from services.plumbing.recovery.taking_over import TopicRecord

AT = datetime(2027, 1, 1, tzinfo=UTC)
SAID = Settlement("dropped", "ana", AT, "A test")


def record(offset: int = 0, topic: str = "status-changed-dead", **headers: str) -> TopicRecord:
    said = {"dead_group": "notifier", "dead_topic": topic.removesuffix("-dead"), "dead_reason": "no"} | headers
    at = round((AT + timedelta(seconds=offset)).timestamp() * 1000)
    return TopicRecord(topic, 0, offset, b"k", tuple((n, v.encode()) for n, v in said.items()), b"v", at)


def test_a_letter_has_the_headers_of_the_record_and_says_where_it_came_from() -> None:
    one = letter(record(7, dead_partition="2", dead_offset="41", dead_error="UnreadableRecord", ce_id="x"), {})

    assert (one.origin, one.origin_partition, one.origin_offset) == ("status-changed", 2, 41)
    assert (one.group, one.error, one.reason, one.headers) == ("notifier", "UnreadableRecord", "no", (("ce_id", b"x"),))
    assert (one.lacks, one.settled) == (None, None)
    assert LetterId.of(str(one.id)) == one.id


@pytest.mark.parametrize("kind", ["too large", "unread", "null"])
def test_what_was_not_kept_whole_says_so(kind: str) -> None:
    assert letter(record(dead_value=kind), {}).lacks


@pytest.mark.parametrize("text", ["", "status-changed/0/1", "a-dead/0", "a-dead/x/1", "a-dead/0/1/2", "a-dead/0/-1"])
def test_what_is_no_id_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        LetterId.of(text)


def test_what_was_said_of_an_earlier_topic_s_letters_is_said_of_no_new_ones() -> None:
    """
    A topic that was made again counts from 0: the letter at the same place is another one.
    """
    first = letter(record(3), {})

    assert letter(record(3), {(first.id, first.put_aside_at): SAID}).settled == SAID
    assert letter(record(3), {(first.id, first.put_aside_at - timedelta(days=1)): SAID}).settled is None


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["a-dead", "b-dead"])), max_size=30), st.randoms())
def test_only_what_is_settled_is_removed_and_all_that_can_be(which: list[tuple[bool, str]], random: Random) -> None:
    letters = []
    for offset, (is_settled, topic) in enumerate(which):
        lying = record(offset, topic)
        at = datetime.fromtimestamp(lying.timestamp / 1000, UTC)
        letters.append(letter(lying, {(LetterId(topic, 0, offset), at): SAID} if is_settled else {}))
    random.shuffle(letters)

    ends = emptied_up_to(letters)

    for one in letters:
        is_below = one.id.offset < ends.get((one.id.topic, 0), 0)
        assert one.settled or not is_below
        older = [other for other in letters if other.id.topic == one.id.topic and other.id.offset <= one.id.offset]
        assert is_below == all(other.settled for other in older)
    assert chosen(letters) == sorted((one for one in letters if not one.settled), key=lambda one: one.put_aside_at)


def test_a_topic_is_named_with_and_without_its_ending() -> None:
    letters = [letter(record(1), {}), letter(record(2, "milestone-due-dead", dead_group="portal"), {})]

    assert chosen(letters, topic="status-changed") == chosen(letters, topic="status-changed-dead") == letters[:1]
    assert chosen(letters, group="portal") == letters[1:]
    assert chosen(letters, [letters[1].id]) == letters[1:]
