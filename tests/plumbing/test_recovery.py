"""A database and its topics that no longer agree, with a real broker: either may have been put back."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic_core import from_json, to_json

from services.plumbing.clock import EPOCH
from services.plumbing.database import Connection, Database
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.topic_reader import TopicReader
from services.plumbing.outbox import Outgoing, append, take_seqs
from services.plumbing.recovery.comparison import OutboxComparison
from services.plumbing.recovery.taking_over import Effects
from services.plumbing.relay import OutboxSettings, Relay
from services.plumbing.retention.outbox_rows import PublishedRows
from services.plumbing.sending_gate import SendingGate
from tests.plumbing.conftest import MakeTopic, ReadTopic

pytestmark = pytest.mark.slow

TABLES = ("outbox", "outbox_seq", "outbox_lease", "topic_position", "recovery")


class Heard:
    """A service that remembers what it took over."""

    def __init__(self) -> None:
        self.missed: list[UUID] = []

    def event_id(self, headers: Sequence[tuple[str, bytes | None]]) -> UUID:
        return UUID((dict(headers)["id"] or b"").decode())

    async def take_over(
        self, connection: Connection, topic: str, missed: Sequence[Outgoing], waiting: Sequence[Outgoing]
    ) -> Effects:
        self.missed += [one.event_id for one in missed]
        return Effects(waiting)


async def say(database: Database, topic: str, *keys: str, again: UUID | None = None) -> list[UUID]:
    """Write an event for each key, as a service does; `again` is its id where it was derived, and said before."""
    async with database.transaction() as connection:
        seqs = await take_seqs(connection, topic, keys)
        records = []
        for key, seq in zip(keys, seqs, strict=True):
            id_ = again or uuid4()
            records.append(Outgoing(id_, topic, key, {"id": str(id_)}, to_json({"seq": seq, "id": str(id_)})))
        await append(database, connection, records, EPOCH)
    return [record.event_id for record in records]


class Service:
    """A service's outbox, and what a process of it would do."""

    def __init__(self, database: Database, producer: KafkaProducer, kafka: KafkaSettings, topic: str) -> None:
        self.database, self.topic = database, topic
        self._producer, self._kafka = producer, kafka
        self.heard, self.gate = Heard(), SendingGate()

    async def starts(self) -> int:
        """A process starts, publishes what there is, and ends; how many events it published."""
        self.heard, self.gate = Heard(), SendingGate()
        comparison = OutboxComparison(self.database, TopicReader(self._kafka), [self.topic], self.heard)
        relay = Relay(self.database, self._producer, OutboxSettings(), comparison, self.gate)
        published = 0
        while count := await relay.publish_once():
            published += count
        await relay._lease.release()
        return published

    async def says(self, *keys: str) -> list[UUID]:
        return await say(self.database, self.topic, *keys)

    async def backs_up(self) -> None:
        async with self.database.connection() as connection:
            for table in TABLES:
                await connection.execute(f"drop table if exists backup_{table}")
                await connection.execute(f"create table backup_{table} as table {table}")

    async def restores(self) -> None:
        async with self.database.connection() as connection:
            for table in TABLES:
                await connection.execute(f"delete from {table}")
                await connection.execute(f"insert into {table} overriding system value table backup_{table}")

    async def releases(self) -> None:
        async with self.database.connection() as connection:
            await connection.execute("update recovery set released_at = clock_timestamp()")

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        async with self.database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(query)]

    async def topic_is_made_anew(self) -> None:
        admin = AIOKafkaAdminClient(**self._kafka.client_options())
        await admin.start()
        try:
            await admin.delete_topics([self.topic])
            for _ in range(100):
                try:
                    await admin.create_topics([NewTopic(self.topic, 3, 1)])
                except Exception:
                    continue
                break
        finally:
            await admin.close()


@pytest.fixture
async def service(database: Database, producer: KafkaProducer, kafka: KafkaSettings, make_topic: MakeTopic) -> Service:
    return Service(database, producer, kafka, await make_topic())


def by_key(records: Sequence[object]) -> dict[str, list[tuple[int, str]]]:
    """What a reader sees of each key: number and id, in order."""
    seen: dict[str, list[tuple[int, str]]] = {}
    for record in records:
        value = from_json(record.value)  # type: ignore[attr-defined]
        seen.setdefault(record.key.decode(), []).append((value["seq"], value["id"]))  # type: ignore[attr-defined]
    return seen


async def test_what_was_in_flight_when_a_process_died_is_no_old_backup(service: Service, read_topic: ReadTopic) -> None:
    said = await service.says("a", "b", "a")
    await service.starts()
    async with service.database.connection() as connection:
        # As after a death between the broker's word and the mark.
        await connection.execute("update outbox set published_at = null, at_partition = null, at_offset = null")
        await connection.execute("delete from topic_position")

    assert await service.starts() == 0

    assert (service.gate.held_since, service.heard.missed) == (None, [])
    assert await service.rows("select count(*) from outbox where published_at is null") == [(0,)]
    assert len(await read_topic(service.topic, len(said))) == len(said)


async def test_an_old_backup_takes_over_sends_nothing_and_numbers_on(service: Service, read_topic: ReadTopic) -> None:
    await service.says("a", "b")
    await service.starts()
    await service.backs_up()
    missed = await service.says("a", "c", "a")
    await service.starts()
    await service.restores()
    accepted = await service.says("a", "b", "c")  # while Kafka can't be reached yet

    assert await service.starts() == 0  # nothing goes out before the operator's word

    assert service.gate.held_since
    assert not service.gate.is_open
    assert sorted(service.heard.missed) == sorted(missed)
    assert await service.rows("select taken_over ->> t, remarks from recovery, outbox_seq s(t) limit 1") == [("3", [])]
    await service.releases()
    assert await service.starts() == 3
    seen = by_key(await read_topic(service.topic, 8))
    assert {key: [seq for seq, _ in events] for key, events in seen.items()} == {
        "a": [1, 2, 3, 4],
        "b": [1, 2],
        "c": [1, 2],
    }
    assert [seen[key][-1][1] for key in ("a", "b", "c")] == [str(id_) for id_ in accepted]
    assert await service.rows("select last from outbox_seq order by key") == [(4,), (2,), (2,)]


async def test_what_was_said_again_just_as_the_topic_has_it_keeps_its_number(service: Service) -> None:
    """A number that was given out anew meanwhile can make a repeat the same, byte for byte, as what was told."""
    await service.says("a")
    await service.starts()
    await service.backs_up()
    (forgotten,) = await service.says("a")
    (repeated,) = await service.says("a")
    await service.starts()
    await service.restores()
    (meanwhile,) = await service.says("a")
    await say(service.database, service.topic, "a", again=repeated)
    await service.starts()

    assert service.heard.missed == [forgotten, repeated]
    kept = {
        UUID(str(id_)): from_json(bytes(value))["seq"]
        for id_, value in await service.rows(  # type: ignore[arg-type]
            "select event_id, value from outbox"
        )
    }
    assert (kept[forgotten], kept[repeated], kept[meanwhile]) == (2, 3, 4)


async def test_an_empty_database_knows_everything_after_it_has_read_its_topic(service: Service) -> None:
    await service.backs_up()
    said = await service.says(*"abcabcabc")
    await service.starts()
    await service.restores()

    await service.starts()

    assert sorted(service.heard.missed) == sorted(said)
    await service.restores()
    await service.starts()
    assert sorted(service.heard.missed) == sorted(said)  # and once more, after a second restore


async def test_a_topic_that_was_made_anew_gets_everything_again_with_the_same_ids_in_order(
    service: Service, read_topic: ReadTopic
) -> None:
    said = await service.says(*"abcabcabcabc")
    await service.starts()
    before = by_key(await read_topic(service.topic, len(said)))
    await service.topic_is_made_anew()

    assert await service.starts() == len(said)

    assert by_key(await read_topic(service.topic, len(said))) == before
    assert service.gate.held_since is None
    assert await service.starts() == 0


async def test_a_topic_that_is_made_anew_under_a_running_relay_is_noticed_at_the_next_event(
    service: Service, read_topic: ReadTopic
) -> None:
    comparison = OutboxComparison(service.database, TopicReader(service._kafka), [service.topic], Heard())
    relay = Relay(service.database, service._producer, OutboxSettings(), comparison)
    said = await service.says("a", "a", "a")
    assert await relay.publish_once() == 3
    await service.topic_is_made_anew()
    said += await service.says("a")

    for _ in range(4):  # out of order, then compared, then all in order
        await relay.publish_once()

    seen = by_key(await read_topic(service.topic, 5))["a"]
    assert [id_ for _, id_ in seen[-4:]] == [str(id_) for id_ in said]
    assert [seq for seq, _ in seen[-4:]] == [1, 2, 3, 4]


async def test_who_writes_beside_the_relay_is_noticed(service: Service, producer: KafkaProducer) -> None:
    """A second system on the same topic, such as the old one that somebody forgot to stop."""
    comparison = OutboxComparison(service.database, TopicReader(service._kafka), [service.topic], service.heard)
    relay = Relay(service.database, producer, OutboxSettings(), comparison, service.gate)
    await service.says("a")
    assert await relay.publish_once() == 1
    id_ = uuid4()
    await producer.publish([Outgoing(id_, service.topic, "a", {"id": str(id_)}, to_json({"seq": 2, "id": str(id_)}))])
    await service.says("a")
    assert await relay.publish_once() == 1

    assert await relay.publish_once() == 0

    assert service.heard.missed == [id_]
    assert service.gate.held_since


async def test_a_database_that_is_put_back_under_a_running_process_closes_its_gate(service: Service) -> None:
    comparison = OutboxComparison(service.database, TopicReader(service._kafka), [service.topic], service.heard)
    settings = OutboxSettings(lease_seconds=0.3)
    relay = Relay(service.database, service._producer, settings, comparison, service.gate)
    await service.says("a")
    assert await relay.publish_once() == 1
    await service.backs_up()
    missed = await service.says("a", "b")
    await asyncio.sleep(0.2)  # so that the lease is renewed, and the one in the backup is an older one
    assert await relay.publish_once() == 2
    assert service.gate.is_open
    await service.restores()
    relay._lease.doubt()

    assert await relay.publish_once() == 0

    assert sorted(service.heard.missed) == sorted(missed)
    assert service.gate.held_since
    assert not service.gate.is_open


async def test_a_process_beside_the_holder_sends_once_it_sees_that_the_holder_has_compared(service: Service) -> None:
    settings = OutboxSettings(lease_seconds=5)
    holder = Relay(service.database, service._producer, settings)
    beside, gate = SendingGate(), SendingGate()
    other = Relay(service.database, service._producer, settings, None, beside)
    await holder._lease.hold()
    assert await other.publish_once() == 0
    assert not beside.is_open  # nobody has compared

    for _ in range(2):
        await holder.publish_once()
        holder._lease.doubt()
        other._lease.doubt()
        await other.publish_once()

    assert beside.is_open
    assert not gate.is_open


async def test_what_was_pruned_and_turns_up_again_is_no_news(service: Service) -> None:
    """It had its effects, and nothing is held because of it; numbers go on behind it."""
    await service.says("a", "b", "a")
    await service.starts()
    async with service.database.transaction() as connection:
        step = await PublishedRows({service.topic: timedelta(0)}, {}).step(connection, EPOCH, None, 100)
        await connection.execute("delete from topic_position")
    assert (step.pruned, await service.rows("select part, rows, through from pruned order by part")) == (
        3,
        [("a", 2, 2), ("b", 1, 1)],
    )
    await service.says("a")

    assert await service.starts() == 1

    assert (service.gate.held_since, service.heard.missed) == (None, [])
    assert [from_json(bytes(row[0]))["seq"] for row in await service.rows("select value from outbox")] == [3]  # type: ignore[call-overload]
    assert await service.starts() == 0
