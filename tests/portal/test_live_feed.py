"""The feed in memory: what is held, what a reader is told, and what a reader that comes back still has to be told."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from services.i18n.languages import LANGUAGES
from services.i18n.words import words_in
from services.portal.event_lines import event_line
from services.portal.live_feed import SKIPPED, TOPICS, LiveEvent, LiveFeed, RecordPosition, events_after
from tests.contracts.golden_records import PATHS, example, record_of, wire

DUE = example("milestone-due.v1.coal-finance-in-7-days")
CREATED = example("commitment-created.v1.land-and-waters")
TOLD = [path for path in PATHS if wire(path).topic.name in TOPICS]


async def read_from(
    feed: LiveFeed, count: int, last: RecordPosition | None = None, commitment: str | None = None
) -> list[LiveEvent]:
    """What a reader is told until it has so many events."""
    told: list[LiveEvent] = []
    async with asyncio.timeout(5):
        async for event in feed.follow(last, commitment):
            told.append(event)
            if len(told) == count:
                break
    return told


async def test_what_was_held_is_told_first_and_what_comes_next_follows() -> None:
    feed = LiveFeed()
    await feed.take([record_of(DUE, 1), record_of(DUE, 2)])
    reading = asyncio.create_task(read_from(feed, 4))
    await asyncio.sleep(0)
    await feed.take([record_of(DUE, 3)])
    await asyncio.sleep(0)
    await feed.take([record_of(DUE, 4)])

    assert [event.position.offset for event in await reading] == [1, 2, 3, 4]


async def test_a_record_that_is_read_again_is_told_once() -> None:
    feed = LiveFeed()
    await feed.take([record_of(DUE, 7)])
    await feed.take([record_of(DUE, 6), record_of(DUE, 7)])

    assert [event.position.offset for event in feed.latest()] == [6, 7]


async def test_partitions_are_put_in_order_by_their_time_and_only_the_newest_are_held() -> None:
    feed = LiveFeed(size=3)
    batch = [record_of(DUE, n, partition, written_ms=n * 10 + partition) for partition in (0, 1) for n in (1, 2, 3)]
    await feed.take(batch)

    assert [(event.position.partition, event.position.offset) for event in feed.latest()] == [(1, 2), (0, 3), (1, 3)]


async def test_a_reader_can_ask_for_one_commitment() -> None:
    feed = LiveFeed()
    await feed.take([record_of(DUE, 1), record_of(CREATED, 1)])

    assert [h.position.topic for h in await read_from(feed, 1, commitment="nals-2021-coal-finance")] == [
        "milestone-due"
    ]


async def test_a_reader_that_comes_back_is_told_what_it_missed() -> None:
    feed = LiveFeed()
    await feed.take([record_of(DUE, n, written_ms=n) for n in (1, 2, 3)])

    assert [
        event.position.offset for event in await read_from(feed, 1, last=RecordPosition("milestone-due", 0, 2))
    ] == [3]


async def test_other_partitions_are_told_from_a_minute_before() -> None:
    feed = LiveFeed()
    await feed.take(
        [
            record_of(DUE, 1, partition=0, written_ms=1_000_000),
            record_of(DUE, 5, partition=1, written_ms=900_000),
            record_of(DUE, 6, partition=1, written_ms=950_000),
            record_of(DUE, 7, partition=1, written_ms=1_000_001),
        ]
    )

    assert [event.position.offset for event in events_after(feed.latest(), RecordPosition("milestone-due", 0, 1))] == [
        6,
        7,
    ]


async def test_a_reader_from_long_ago_is_told_everything_that_is_held() -> None:
    feed = LiveFeed()
    await feed.take([record_of(DUE, n) for n in (100, 101)])

    assert [event.position.offset for event in events_after(feed.latest(), RecordPosition("milestone-due", 0, 3))] == [
        100,
        101,
    ]


@pytest.mark.parametrize(
    "text",
    ["", "milestone-due", "milestone-due-0", "nonsense-0-1", "milestone-due-0--1", "milestone-due-٣-1", "x" * 999],
)
def test_an_id_that_is_none_of_ours_is_no_position(text: str) -> None:
    assert None is RecordPosition.parse(text)


def test_a_position_reads_back_what_it_wrote() -> None:
    position = RecordPosition("commitment-created", 5, 123_456)

    assert position == RecordPosition.parse(str(position))


async def test_an_unreadable_record_is_skipped_and_counted() -> None:
    feed = LiveFeed()
    before = SKIPPED.labels("milestone-due")._value.get()
    unreadable = [replace(DUE, value=b"\xff not json"), replace(DUE, value=None)]
    await feed.take([record_of(record, n) for n, record in enumerate([*unreadable, DUE], start=1)])

    assert [event.position.offset for event in feed.latest()] == [3]
    assert before + 2 == SKIPPED.labels("milestone-due")._value.get()


async def test_closing_ends_the_streams() -> None:
    feed = LiveFeed()
    reading = asyncio.create_task(read_from(feed, 1))
    await asyncio.sleep(0)
    feed.close()

    assert await reading == []


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
async def test_every_public_event_can_be_told_in_every_language(path: Path) -> None:
    feed = LiveFeed()
    await feed.take([record_of(wire(path), 1)])
    (event,) = feed.latest()

    told = [event_line(event, words_in(language)) for language in LANGUAGES]

    assert len({(one.kind, str(one.title), str(one.text), one.when) for one in told}) == len(LANGUAGES)
    assert all(str(one.text) and "%(" not in str(one.text) for one in told)


async def test_a_reminder_by_somebodys_own_ladder_is_not_taken_for_a_second_one() -> None:
    """It stands on a topic of its own, which is not public: the feed shows the usual one alone."""
    feed = LiveFeed()
    usual, own = (example(f"{topic}.v1.rappel-tardif") for topic in ("milestone-due", "own-ladder-due"))
    before = SKIPPED.labels("own-ladder-due")._value.get()
    await feed.take([record_of(usual, 1), record_of(own, 2)])

    assert [event.position.topic for event in feed.latest()] == ["milestone-due"]
    assert SKIPPED.labels("own-ladder-due")._value.get() == before + 1
    assert RecordPosition.parse("own-ladder-due-0-2") is None
