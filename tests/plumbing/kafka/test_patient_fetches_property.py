"""Whatever a reader does to its partitions, no record that it may have waits for a fetch that asks for others."""

import asyncio
import struct
import time
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.plumbing.kafka.consumer import METADATA_SECONDS
from services.plumbing.kafka.patient_fetches import PatientFetcher

LONG = 3_000
QUICK = 1.0
PARTITIONS = ONE, OTHER, _ = TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0)

moves = st.lists(
    st.tuples(st.sampled_from(["write", "take", "set back", "pause", "resume", "wait"]), st.sampled_from(PARTITIONS)),
    min_size=4,
    max_size=14,
)


class BrokerOfOne:
    """Answers fetches as Kafka does: at once where there is a record of any partition that is asked for."""

    def __init__(self) -> None:
        self.ends: defaultdict[TopicPartition, int] = defaultdict(int)
        self._written = asyncio.Event()

    def write(self, partition: TopicPartition) -> None:
        self.ends[partition] += 1
        self._written.set()
        self._written = asyncio.Event()

    async def answer(self, request: Any) -> Any:
        asked = [(TopicPartition(topic, p), offset) for topic, some in request.topics for p, offset, _ in some]
        until = time.monotonic() + request._max_wait_ms / 1000
        while all(self.ends[partition] <= offset for partition, offset in asked):
            try:
                await asyncio.wait_for(self._written.wait(), until - time.monotonic())
            except TimeoutError:
                break
        return SimpleNamespace(
            API_VERSION=4,
            topics=[(p.topic, [(p.partition, 0, end := self.ends[p], end, [], batch(at, end))]) for p, at in asked],
        )


def batch(start: int, end: int) -> bytes:
    if start >= end:
        return b""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 10**6)
    for number in range(end - start):
        builder.append(number, 0, None, b"x", [])
    made = builder.build()
    struct.pack_into(">q", made, 0, start)
    return bytes(made)


class ClientOfOne:
    """What a fetcher needs of aiokafka's client; a connection that is closed forgets what it was asked."""

    def __init__(self, broker: BrokerOfOne) -> None:
        self._loop = asyncio.get_running_loop()
        self._metadata_max_age_ms = METADATA_SECONDS * 1000
        self._conns: dict[Any, Any] = {}
        self._broker = broker
        self.cluster = SimpleNamespace(
            leader_for_partition=lambda _: 0, broker_metadata=lambda _: self, add_listener=lambda _: None
        )

    async def send(self, node: int, request: Any, *, group: Any) -> Any:
        connection = self._conns.setdefault((node, group), Connection())
        # Whether somebody still waits for the answer or not.
        return await asyncio.shield(asyncio.create_task(connection.answer(self._broker, request)))


class Connection:
    """A broker answers the requests of one connection in turn."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def answer(self, broker: BrokerOfOne, request: Any) -> Any:
        async with self._turn:
            return await broker.answer(request)

    def close(self, _: Any) -> None:
        """Those who ask from now on have another one."""


@settings(max_examples=80, deadline=None)
@given(moves)
@example([("write", ONE), ("wait", ONE), ("take", ONE), ("wait", ONE), ("set back", ONE)])
@example(
    [("write", ONE), ("wait", ONE), ("take", ONE), ("wait", ONE), ("pause", ONE), ("set back", ONE), ("wait", ONE)]
)
@example([("write", ONE), ("wait", ONE), ("write", OTHER), ("wait", ONE)])
def test_what_may_be_read_comes_at_once(moves: list[tuple[str, TopicPartition]]) -> None:
    asyncio.run(_play(moves))


async def _play(moves: list[tuple[str, TopicPartition]]) -> None:
    broker, subscriptions = BrokerOfOne(), SubscriptionState()
    subscriptions.assign_from_user(PARTITIONS)
    fetcher = PatientFetcher(
        ClientOfOne(broker),
        subscriptions,
        fetch_max_wait_ms=LONG,
        fetcher_timeout=LONG,
        isolation_level="read_committed",
    )
    places = dict.fromkeys(PARTITIONS, 0)
    for partition in PARTITIONS:
        subscriptions.seek(partition, 0)
    await asyncio.sleep(0.01)

    async def take(seconds: float) -> None:
        for partition, records in (await fetcher.fetched_records([], seconds, max_records=2)).items():
            assert records[0].offset == places[partition]
            places[partition] = records[-1].offset + 1

    def resume(partition: TopicPartition) -> None:
        subscriptions.resume(partition)
        fetcher._notify(fetcher._wait_consume_future)  # as `PatientConsumer.resume` does

    try:
        for move, partition in moves:
            match move:
                case "write":
                    broker.write(partition)
                case "take":
                    await take(0)
                case "set back":
                    places[partition] = max(places[partition] - 1, 0)
                    fetcher.seek_to(partition, places[partition])
                case "pause":
                    subscriptions.pause(partition)
                case "resume":
                    resume(partition)
                case _:
                    await asyncio.sleep(0.06)
            await asyncio.sleep(0.003)
        for partition in PARTITIONS:
            resume(partition)
        async with asyncio.timeout(QUICK):
            while places != {partition: broker.ends[partition] for partition in PARTITIONS}:
                await take(QUICK)
    finally:
        await fetcher.close()
