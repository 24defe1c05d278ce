"""What is said beside a record on another topic: in one transaction, with numbers of its own, after old backups too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID, uuid4, uuid5

import pytest
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
from services.plumbing.sending_gate import SendingGate
from tests.plumbing.conftest import MakeTopic, ReadTopic
from tests.plumbing.test_recovery import Heard, Service

pytestmark = pytest.mark.slow


class Counting(Heard):
    """What waits is to say how much came before it that had been forgotten."""

    async def take_over(
        self, connection: Connection, topic: str, missed: Sequence[Outgoing], waiting: Sequence[Outgoing]
    ) -> Effects:
        await super().take_over(connection, topic, missed, waiting)
        told = {"behind": len(missed)}
        return Effects([replace(one, value=to_json({**from_json(one.value), **told})) for one in waiting])


class TwoMajors(Service):
    """A service that says everything on two topics."""

    def __init__(
        self, database: Database, producer: KafkaProducer, kafka: KafkaSettings, topic: str, later: str
    ) -> None:
        super().__init__(database, producer, kafka, topic)
        self.later = later
        self._relays_with = producer, kafka

    def beside(
        self, topic: str, headers: Mapping[str, str], value: bytes
    ) -> Iterable[tuple[UUID, str, str, dict[str, str], bytes]]:
        if topic == self.topic:
            said = from_json(value)
            id_ = uuid5(UUID(said["id"]), self.later)
            told = {"seq": 0, "id": str(id_), "was": said["id"], "behind": said.get("behind", 0)}
            yield id_, self.later, said["key"], {"id": str(id_)}, to_json(told)

    async def starts(self) -> int:
        producer, kafka = self._relays_with
        self.heard, self.gate = Counting(), SendingGate()
        topics = [self.topic, self.later]
        comparison = OutboxComparison(
            self.database, TopicReader(kafka), topics, self.heard, self.beside, frozenset({self.later})
        )
        relay = Relay(self.database, producer, OutboxSettings(), comparison, self.gate)
        published = 0
        while count := await relay.publish_once():
            published += count
        await relay._lease.release()
        return published

    async def says(self, *keys: str, again: UUID | None = None) -> list[UUID]:
        async with self.database.transaction() as connection:
            seqs = await take_seqs(connection, self.topic, keys)
            records = []
            for key, seq in zip(keys, seqs, strict=True):
                id_ = again or uuid4()
                value = to_json({"seq": seq, "id": str(id_), "key": key})
                records.append(Outgoing(id_, self.topic, key, {"id": str(id_)}, value))
            await append(self.database, connection, records, EPOCH, self.beside)
        return [record.event_id for record in records]


@pytest.fixture
async def service(
    database: Database, producer: KafkaProducer, kafka: KafkaSettings, make_topic: MakeTopic
) -> TwoMajors:
    return TwoMajors(database, producer, kafka, await make_topic(), await make_topic())


async def said(service: TwoMajors, read_topic: ReadTopic, count: int) -> list[dict[str, list[tuple[object, ...]]]]:
    """By topic and key what stands there: number, the id that it has by its first topic, and what it is behind."""
    found = []
    for topic in (service.topic, service.later):
        by_key: dict[str, list[tuple[object, ...]]] = {}
        for record in await read_topic(topic, count):
            value = from_json(record.value or b"")
            row = value["seq"], value.get("was", value["id"]), value.get("behind", 0)
            by_key.setdefault((record.key or b"").decode(), []).append(row)
        found.append(by_key)
    return found


async def test_each_topic_has_everything_once_with_numbers_of_its_own(
    service: TwoMajors, read_topic: ReadTopic
) -> None:
    await service.says("a", "b", "a")
    await service.says("a")

    assert await service.starts() == 8

    first, second = await said(service, read_topic, 4)
    assert first == second
    assert [seq for seq, *_ in first["a"]] == [1, 2, 3]


async def test_nothing_is_said_on_either_topic_where_the_act_is_undone(service: TwoMajors) -> None:
    with pytest.raises(ZeroDivisionError):
        async with service.database.transaction() as connection:
            value = to_json({"seq": 1, "id": str(uuid4()), "key": "a"})
            record = Outgoing(uuid4(), service.topic, "a", {}, value)
            await append(service.database, connection, [record], EPOCH, service.beside)
            raise ZeroDivisionError

    assert await service.rows("select (select count(*) from outbox), (select count(*) from outbox_seq)") == [(0, 0)]


async def test_after_an_old_backup_both_topics_say_the_same(service: TwoMajors, read_topic: ReadTopic) -> None:
    """
    Its effects what was forgotten has once, by the topic that leads; what was accepted meanwhile is behind it on both.
    """
    await service.says("a", "b")
    await service.starts()
    await service.backs_up()
    missed = await service.says("a", "c", "a")
    await service.starts()
    await service.restores()
    accepted = await service.says("a", "b", "c")

    assert await service.starts() == 0

    assert sorted(service.heard.missed) == sorted(missed), "and nothing of the later topic"
    await service.releases()
    assert await service.starts() == 6
    first, second = await said(service, read_topic, 8)
    assert first == second, "numbers, ids and what was reckoned anew"
    assert {key: [seq for seq, *_ in rows] for key, rows in first.items()} == {
        "a": [1, 2, 3, 4],
        "b": [1, 2],
        "c": [1, 2],
    }
    assert [first[key][-1][1] for key in ("a", "b", "c")] == [str(id_) for id_ in accepted]
    assert first["a"][-1][2] >= 2, "and both majors know of it"


async def test_what_is_said_again_is_not_said_twice_on_the_later_topic(
    service: TwoMajors, read_topic: ReadTopic
) -> None:
    """
    The later topic may have been taken over when the act is done once more and the leading one has not been yet.
    """
    await service.says("b")
    await service.starts()
    await service.backs_up()
    (forgotten,) = await service.says("a")
    await service.starts()
    await service.restores()
    [later] = [record for record in await read_topic(service.later, 2) if record.key == b"a"]
    async with service.database.connection() as connection:
        await connection.execute(
            "insert into outbox (event_id, topic, key, headers, value, created_at, published_at)"
            " values ($1, $2, 'a', '{}', $3, now(), now())",
            uuid5(forgotten, service.later),
            service.later,
            later.value,
        )
        await connection.execute("insert into outbox_seq values ($1, 'a', 1)", service.later)

    await service.says("a", again=forgotten)
    await service.starts()
    await service.releases()
    await service.starts()

    first, second = await said(service, read_topic, 2)
    assert first == second
    assert first["a"] == [(1, str(forgotten), 0)]
