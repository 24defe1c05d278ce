"""The outbox on a real database and a real broker: in order, at least once, by one relay at a time."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.plumbing.clock import EPOCH
from services.plumbing.database import Connection, Database
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.lease import Lease
from services.plumbing.outbox import LARGEST_RECORD, EventTooLarge, Outgoing, append, take_seqs
from services.plumbing.relay import Acknowledged, OutboxSettings, Relay, _published_prefix
from services.plumbing.sending_gate import SendingGate
from tests.plumbing.conftest import MakeTopic, ReadTopic
from tests.stand_ins.database_clock import an_hour_ahead


async def say(database: Database, connection: Connection, topic: str, key: str, count: int = 1) -> list[Outgoing]:
    seqs = await take_seqs(connection, topic, [key] * count)
    records = [Outgoing(uuid4(), topic, key, {"seq": str(seq)}, f"{key} {seq}".encode()) for seq in seqs]
    await append(database, connection, records, EPOCH)
    return records


ACK = Acknowledged(0, 0)


class Recording:
    """A producer that remembers, and fails where it is told to."""

    def __init__(self) -> None:
        self.sent: list[UUID] = []
        self.failing_keys: set[str] = set()
        self._published = asyncio.Condition()

    async def publish(self, records: Sequence[Outgoing]) -> list[Acknowledged | BaseException]:
        results: list[Acknowledged | BaseException] = []
        for record in records:
            failed = record.key in self.failing_keys
            results.append(TimeoutError() if failed else Acknowledged(0, len(self.sent)))
            if not failed:
                self.sent.append(record.event_id)
        async with self._published:
            self._published.notify_all()
        return results

    async def wait_for(self, count: int) -> None:
        """Return as soon as so many records have been published; give up after half a minute."""
        async with asyncio.timeout(30), self._published:
            await self._published.wait_for(lambda: len(self.sent) >= count)


async def unpublished(database: Database) -> int:
    async with database.connection() as connection:
        count: int = await connection.fetchval("select count(*) from outbox where published_at is null")
        return count


async def lease_has_run_out(database: Database) -> None:
    """Return once the relay's lease is over by the database's own clock."""
    async with database.connection() as connection:
        await connection.execute(
            "select pg_sleep(greatest(0, extract(epoch from until - clock_timestamp())) + 0.01) from outbox_lease"
        )


async def test_each_key_reads_as_it_was_written_with_seq_from_1_without_a_gap(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, read_topic: ReadTopic
) -> None:
    topic = await make_topic()
    relay = Relay(database, producer, OutboxSettings(batch=50))
    stopping = asyncio.Event()
    running = asyncio.create_task(relay.run(stopping))

    async def write(key: str) -> None:
        for _ in range(25):
            async with database.transaction() as connection:
                await say(database, connection, topic, key, 2)

    # Two writers for each key: seq is theirs to share.
    await asyncio.gather(*(write(key) for key in ("a", "b", "c") for _ in range(2)))
    records = await read_topic(topic, 300)
    stopping.set()
    await running

    for key in ("a", "b", "c"):
        values = [r.value.decode() for r in records if r.key == key.encode() and r.value]
        assert values == [f"{key} {seq}" for seq in range(1, 101)]
    assert await unpublished(database) == 0


async def test_what_waits_for_a_topic_that_is_missing_holds_up_no_other(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, read_topic: ReadTopic
) -> None:
    """More of it than a batch takes lies in front: one ministry's missing topic is nobody else's trouble."""
    topic = await make_topic()
    relay = Relay(database, producer, OutboxSettings(batch=10))
    async with database.transaction() as connection:
        await say(database, connection, f"{topic}-missing", "lost", 25)
        await say(database, connection, topic, "a", 15)

    published = [await relay.publish_once() for _ in range(4)]

    assert published == [0, 10, 5, 0]
    assert [r.value for r in await read_topic(topic, 15)] == [f"a {seq}".encode() for seq in range(1, 16)]
    assert await unpublished(database) == 25, "and is published once the topic is there"


async def test_a_slower_transaction_with_a_lower_id_is_not_skipped(database: Database) -> None:
    recording = Recording()
    relay = Relay(database, recording, OutboxSettings())
    async with database.connection() as slow:
        transaction = slow.transaction()
        await transaction.start()
        (late,) = await say(database, slow, "t", "slow")
        async with database.transaction() as quick:
            (early,) = await say(database, quick, "t", "quick")
        assert await relay.publish_once() == 1
        await transaction.commit()
    assert await relay.publish_once() == 1

    assert recording.sent == [early.event_id, late.event_id]


async def test_a_record_that_fails_holds_back_its_key_and_no_other(database: Database) -> None:
    recording = Recording()
    recording.failing_keys = {"b"}
    relay = Relay(database, recording, OutboxSettings())
    async with database.transaction() as connection:
        for key in ("a", "b", "a", "b"):
            await say(database, connection, "t", key)

    with pytest.raises(ConnectionError, match="2 of 4"):
        await relay.publish_once()
    assert await unpublished(database) == 2

    recording.failing_keys = set()
    assert await relay.publish_once() == 2


def test_what_was_acknowledged_behind_a_failure_of_its_key_is_sent_again() -> None:
    records = [Outgoing(uuid4(), "t", key, {}, b"") for key in ("a", "b", "a", "a", "b")]

    assert _published_prefix(records, [ACK, ACK, TimeoutError(), ACK, ACK]) == [0, 1, 4]


async def test_a_relay_that_dies_before_its_mark_repeats_the_same_ids(database: Database) -> None:
    first, second = Recording(), Recording()
    async with database.transaction() as connection:
        said = await say(database, connection, "t", "a", 3)
    dying = Relay(database, first, OutboxSettings(lease_seconds=0.3))

    class Died(BaseException): ...

    async def publish_and_die(records: Sequence[Outgoing]) -> list[Acknowledged | BaseException]:
        first.sent += [r.event_id for r in records]
        raise Died

    first.publish = publish_and_die  # type: ignore[method-assign]
    with pytest.raises(Died):
        await dying.publish_once()
    successor = Relay(database, second, OutboxSettings(lease_seconds=0.3))
    assert await successor.publish_once() == 0  # the lease of the dead still stands
    await lease_has_run_out(database)
    successor._lease.doubt()  # or it would ask again a moment later
    assert await successor.publish_once() == 3

    assert second.sent == first.sent == [record.event_id for record in said]


async def test_only_one_of_two_relays_publishes(database: Database) -> None:
    one, other = Recording(), Recording()
    relays = [Relay(database, recording, OutboxSettings(batch=5, poll_seconds=0.05)) for recording in (one, other)]
    stopping = asyncio.Event()
    running = [asyncio.create_task(relay.run(stopping)) for relay in relays]
    for _ in range(40):
        async with database.transaction() as connection:
            await say(database, connection, "t", "a", 5)
    async with asyncio.timeout(60):
        while await unpublished(database):  # noqa: ASYNC110  rows of PostgreSQL, which has no event to wait for
            await asyncio.sleep(0.02)
    stopping.set()
    await asyncio.gather(*running)

    assert sorted(len(recording.sent) for recording in (one, other)) == [0, 200]


async def test_a_lease_that_is_given_back_while_another_looks_is_anybodys(database: Database) -> None:
    """As at a rolling restart: between the other's try for the lease and its look at the row it is given back."""
    holder, other = (Lease(database, 60.0, SendingGate()) for _ in range(2))
    assert await holder.hold()
    assert not await other.hold()
    await holder.release()
    async with database.connection() as connection:
        await other._look(connection)

    successor = Lease(database, 60.0, SendingGate())
    assert await successor.hold()
    assert not await other.hold()
    await successor.release()
    other.doubt()  # or it would ask again a moment later
    assert await other.hold()


async def test_a_comparison_whose_confirmation_was_not_heard_counts(database: Database) -> None:
    """Or this process would send nothing for as long as it lives: under its lease nobody compares again."""
    gate = SendingGate()
    lease = Lease(database, 60.0, gate)
    assert await lease.hold()
    async with database.connection() as connection:
        await connection.execute("update outbox_lease set compared = true")
    assert not gate.is_open

    lease.doubt()
    assert await lease.hold()
    assert lease.compared
    assert gate.is_open


async def test_the_lease_begins_and_ends_by_the_databases_clock(database: Database) -> None:
    lease = OutboxSettings(lease_seconds=1.5)
    async with an_hour_ahead(database) as ahead:
        holder, other = Relay(ahead, Recording(), lease), Relay(ahead, Recording(), lease)
        async with ahead.transaction() as connection:
            await say(ahead, connection, "t", "a")
        assert await holder.publish_once() == 1
        async with ahead.transaction() as connection:
            left = await connection.fetchval("select until - clock_timestamp() from outbox_lease")
            await say(ahead, connection, "t", "a")
        assert timedelta(0) < left < timedelta(seconds=1.5)
        assert await other.publish_once() == 0
        await lease_has_run_out(ahead)
        other._lease.doubt()
        assert await other.publish_once() == 1


async def test_an_event_of_a_transaction_that_failed_is_never_published(database: Database) -> None:
    recording = Recording()
    relay = Relay(database, recording, OutboxSettings())
    with pytest.raises(RuntimeError):
        async with database.transaction() as connection:
            await say(database, connection, "t", "a")
            raise RuntimeError("and rolled back")
    async with database.transaction() as connection:
        (record,) = await say(database, connection, "t", "a")

    await relay.publish_once()

    assert recording.sent == [record.event_id]
    assert record.headers["seq"] == "1"


async def test_a_commit_wakes_the_relay_at_once(database: Database) -> None:
    """
    Record after record goes out though the relay looks by itself only once an hour.

    The first may be found as the relay begins, the second as it begins to listen; the others it has to be woken for.
    """
    recording = Recording()
    relay = Relay(database, recording, OutboxSettings(poll_seconds=3600))
    stopping = asyncio.Event()
    running = asyncio.create_task(relay.run(stopping))
    written = []
    for _ in range(4):
        async with database.transaction() as connection:
            written += [record.event_id for record in await say(database, connection, "t", "a")]
        await recording.wait_for(len(written))
    stopping.set()
    await running

    assert recording.sent == written


def test_the_lease_is_as_long_as_its_decision_says() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/decisions/0003-relay-lease.md").read_text()

    assert re.findall(r"`OUTBOX_LEASE_SECONDS` \((\d+)\)", page) == [f"{OutboxSettings().lease_seconds:g}"]


async def test_what_no_topic_would_take_is_refused_before_it_is_written(database: Database) -> None:
    """
    Key and headers count; the transaction that would have told of it fails, and nothing is held back behind it.
    """
    fits = Outgoing(uuid4(), "t", "k" * 100, {"a": "é" * 100}, b"x" * (LARGEST_RECORD - 301))
    with pytest.raises(EventTooLarge):
        async with database.transaction() as connection:
            await append(database, connection, [fits, replace(fits, event_id=uuid4(), value=fits.value + b"x")], EPOCH)
    assert await unpublished(database) == 0

    async with database.transaction() as connection:
        await append(database, connection, [fits], EPOCH)
    assert await unpublished(database) == 1
