"""Fetches that wait long for a record, and no record that waits for a fetch.

A broker answers a fetch as soon as one of its partitions has a record, so one that asks for all may wait for seconds:
nothing is late by it. What makes long waits dangerous is aiokafka: it has one fetch under way for each broker, and
what comes to a partition that this one left out, since its last records were not taken yet, since it was paused or set
back, lies until it returns. So here a fetch waits long only where it asks for all, and one that became wrong under way
is given up. Kafka has no word for that but to close the connection, which therefore carries nothing else; a broker
answers the requests of a connection in turn anyway.

FastStream, for its part, would have to look for records 25 times a second to be quick after a lull: it sleeps as long
as it has waited in vain. Here it never waits in vain.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.conn import CloseReason
from aiokafka.consumer import consumer
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.protocol.fetch import FetchRequest

LONG_MS = 8_000
"""Milliseconds that a fetch waits which asks for all; so often, at least, a consumer hears that Kafka is there."""
SHORT_MS = 40
"""Milliseconds that one waits which left something out."""

_GROUP = "fetches"
"""Which of the client's connections to a broker carries them."""


class PatientConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's consumer, whose `getmany` returns with records only, whatever time-out it is given."""

    def __init__(self, *topics: str, **options: Any) -> None:
        super().__init__(
            *topics, **options | {"consumer_timeout_ms": LONG_MS}
        )  # or its loop goes round five times a second

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """The next records; raises as aiokafka does, `ConsumerStoppedError` among others."""
        wait = max(timeout_ms, LONG_MS)  # now and then it has to look whether the group has an error to tell of
        found: dict[TopicPartition, list[Any]] = {}
        while not found:
            found = await super().getmany(*partitions, timeout_ms=wait, max_records=max_records)
        return found

    def resume(self, *partitions: TopicPartition) -> None:
        """Fetch from these partitions again, from now on, and not from the next look on."""
        super().resume(*partitions)
        self._fetcher._notify(self._fetcher._wait_consume_future)


class PatientFetcher(Fetcher):  # type: ignore[misc]
    """aiokafka's fetcher, which waits `fetch_max_wait_ms` only in fetches that ask for all."""

    def __init__(self, client: Any, subscriptions: Any, **options: Any) -> None:
        self._asked: dict[int, dict[TopicPartition, int]] = {}
        self._long: dict[int, asyncio.Task[Any]] = {}
        super().__init__(_Connections(client), subscriptions, **options)
        client.cluster.add_listener(self._look_again)  # a partition may have another leader

    def _get_actions_per_node(self, assignment: Any) -> Any:
        for node in [node for node in self._long if self._is_outdated(assignment, node)]:
            self._long.pop(node).cancel()
            self._client.drop(node)
        requests, *others = super()._get_actions_per_node(assignment)
        for node, request in requests:
            asked = {TopicPartition(topic, p): offset for topic, some in request.topics for p, offset, _ in some}
            if len(asked) == len(assignment.tps) or asked.keys() == self._led_by(assignment, node):
                self._asked[node] = asked
            else:
                request._max_wait_ms = min(SHORT_MS, self._fetch_max_wait_ms)
        return (requests, *others)

    def _look_again(self, _: Any) -> None:
        self._notify(self._wait_consume_future)

    def _led_by(self, assignment: Any, node: int) -> set[TopicPartition]:
        return {partition for partition in assignment.tps if self._select_read_replica(partition) == node}

    def _is_outdated(self, assignment: Any, node: int) -> bool:
        """Whether a broker has, or may have, something that the long fetch from it does not ask for."""
        asked = self._asked[node]
        for partition in assignment.tps:
            state = assignment.state_value(partition)
            # Without a position it waits for one to be looked up, which aiokafka does between two fetches.
            place = state.position if state.has_valid_position else None
            if asked.get(partition, -1) == place or state.paused or partition in self._records:
                continue
            if self._select_read_replica(partition) == node:
                return True
        return False

    async def _proc_fetch_request(self, assignment: Any, node: int, request: Any) -> Any:
        task = asyncio.current_task()
        if request._max_wait_ms > SHORT_MS and task is not None:
            self._long[node] = task
        try:
            return await super()._proc_fetch_request(assignment, node, request)
        finally:
            if self._long.get(node) is task:
                del self._long[node]


class _Connections:
    """The client of a consumer, with connections of their own for fetches."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node: int, request: Any) -> Any:
        options = {"group": _GROUP} if isinstance(request, FetchRequest) else {}
        return await self._client.send(node, request, **options)

    def drop(self, node: int) -> None:
        """Close the one on which a fetch waits that nobody waits for."""
        connection = self._client._conns.pop((node, _GROUP), None)
        if connection is not None:
            connection.close(CloseReason.SHUTDOWN)


def fetch_patiently() -> None:
    """Have all consumers of this process fetch so, from now on."""
    if consumer.Fetcher not in (Fetcher, PatientFetcher):
        raise RuntimeError("aiokafka's consumer fetches in another way than this version knows")
    consumer.Fetcher = PatientFetcher
