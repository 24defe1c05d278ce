"""Whoever comes new loads the present from the compacted topic or over HTTP, and follows from there without a gap."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import TypeAdapter

from contracts.topics import COMMITMENT_STATE, OWN
from services.cli.topic_check import check_topics
from services.cli.topics import apply_topics
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.topic_reader import TopicReader
from services.plumbing.recovery.comparison import OutboxComparison
from services.plumbing.relay import OutboxSettings, Relay
from services.plumbing.sending_gate import SendingGate
from services.registry.actions.commitment_states import StatePublisher
from services.registry.actions.taking_over import TOPICS, MissedRegistryEvents
from services.registry.views.status_updates import StatusUpdateEntry
from services.registry.wordings import ReadingPolicy, Wording, read
from tests.registry import newcomer
from tests.registry.newcomer import Json, read_topics, value_of, written
from tests.registry.scenes import COAL, MOVED, PROOF, TARGET, Register, dated, new_commitment, outcome

pytestmark = pytest.mark.slow

EVENTS = ("commitment-created", "milestone-scheduled", "status-changed", "commitment-assessed")
WRITES = [topic for topic in OWN if "registry" in topic.writers]


@pytest.fixture
async def kafka(kafka_environment: dict[str, str]) -> KafkaSettings:
    """The broker, with the registry's topics on it as new."""
    settings = KafkaSettings()
    admin = AIOKafkaAdminClient(**settings.client_options())
    await admin.start()
    try:
        known = {topic.name for topic in WRITES} & set(await admin.list_topics())
        if known:
            await admin.delete_topics(sorted(known))
        async with asyncio.timeout(30):
            while known & set(await admin.list_topics()):  # noqa: ASYNC110  the broker tells nobody
                await asyncio.sleep(0.1)
        await apply_topics(settings)
    finally:
        await admin.close()
    return settings


class Publishing:
    """What a registry's process does beside HTTP: it tells states, and publishes."""

    def __init__(self, register: Register, kafka: KafkaSettings) -> None:
        gate = SendingGate()
        self._producer = KafkaProducer(kafka)
        comparison = OutboxComparison(
            register.database, TopicReader(kafka), [topic.name for topic in TOPICS], MissedRegistryEvents()
        )
        self._relay = Relay(register.database, self._producer, OutboxSettings(), comparison, gate)
        self._states = StatePublisher(register.database, register.clock, may_write=lambda: gate.is_open)
        self._register = register
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Publishing":
        self._tasks = [asyncio.create_task(one.run(self._stopping)) for one in (self._relay, self._states)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        await self._producer.close()

    async def at_rest(self) -> None:
        """Return once every state is told and all is published."""
        async with asyncio.timeout(30):
            while await self._is_busy():  # noqa: ASYNC110  the tables tell nobody
                await asyncio.sleep(0.05)

    async def _is_busy(self) -> bool:
        count = self._register.count
        waits = await count("state_due") + await count("outbox where published_at is null")
        return bool(waits or not await count("topic_position"))


@pytest.fixture
async def publishing(register: Register, kafka: KafkaSettings) -> AsyncIterator[Publishing]:
    async with Publishing(register, kafka) as running:
        yield running


async def get(register: Register, path: str) -> bytes:
    answer = await register.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.content


async def much_happens(register: Register) -> None:
    for request in (
        ("POST", f"/commitments/{COAL}/status-updates", {"status": "in-progress", "party": "CA", "note": "begun"}),
        ("POST", f"/commitments/{COAL}/status-updates", {"status": "met", "party": "CA", "evidence": PROOF}),
        ("POST", f"/commitments/{COAL}/assessments", {"organisation": "Watch", "assessment": "stalled"}),
        ("POST", f"/commitments/{COAL}/assessments", {"organisation": "Watch", "assessment": "on-track"}),
        ("PUT", f"/milestones/{TARGET}/schedule", dated("2031")),
        ("PUT", "/anchors/nals-2022", MOVED),
        ("POST", "/commitments", new_commitment()),
        ("POST", "/anchors/nals-2022/outcome", outcome("held")),
    ):
        register.clock.at = max(register.clock.at, register.clock.at.replace(year=2023, month=1, day=13))
        answer = await register.send(*request, by="watch" if "assessments" in request[1] else "desk")
        assert answer.status_code in (200, 201), answer.text


async def read_as(register: Register, state: Json) -> dict[str, Json]:
    """What the statement's policy makes of the milestones' words: the policy is the statement's, not a commitment's."""
    statement = json.loads(await get(register, f"/statements/{state['statement']['id']}"))
    policy = ReadingPolicy.model_validate(statement["reading_policy"])
    made_on = date.fromisoformat(state["statement"]["made_on"])
    milestones = [one["milestone"] for one in state["milestones"]]
    read_as = {one["id"]: read(one["wording"], one["wording_language"], made_on, policy) for one in milestones}
    return {id_: TypeAdapter(Wording).dump_python(wording, mode="json") for id_, wording in read_as.items()}


async def test_the_topic_alone_gives_the_registers_documents(
    register: Register, publishing: Publishing, kafka: KafkaSettings
) -> None:
    """
    Byte for byte: the list, each milestone's version, the anchors on which something hangs, the lines of the snapshot;
    and each commitment, its past taken from the two topics of events that are kept for ever.
    """
    await much_happens(register)
    await publishing.at_rest()

    states = newcomer.last_states(await read_topics(kafka, [COMMITMENT_STATE.name]))
    listed = {"items": [newcomer.entry(state) for state in newcomer.in_order(states.values())], "next_cursor": None}
    assert written(listed) == await get(register, "/commitments?limit=200")
    in_use = newcomer.anchors(states.values())
    shown = json.loads(await get(register, "/anchors"))["items"]
    assert [written(one) for one in in_use] == [written(one) for one in shown if one["milestones"]]
    lines = (await get(register, "/snapshot")).splitlines()
    assert json.loads(lines[0])["commitments"] == len(lines) - 1 == len(states)
    for line in lines[1:]:
        state = states[json.loads(line)["commitment"]["id"]]
        assert line == written({name: said for name, said in state.items() if name != "seq"})

    events = await read_topics(kafka, EVENTS)
    for id_, state in states.items():
        for one in state["milestones"]:
            version = {"milestone_id": one["milestone"]["id"], "schedule_version": one["schedule_version"]}
            path = f"/milestones/{one['milestone']['id']}/schedule-version"
            assert written(version) == await get(register, path)
        past = [one for one in events if one.key == id_.encode()]
        record = newcomer.record(state, past, await read_as(register, state), StatusUpdateEntry.model_fields)
        assert written(record) == await get(register, f"/commitments/{id_}")


async def test_snapshot_and_what_follows_lack_nothing(
    register: Register, publishing: Publishing, kafka: KafkaSettings
) -> None:
    """
    While updates and moves go on: a snapshot and the events from its position on, those left out that it includes, have
    no gap, and end where the register ends.
    """
    await publishing.at_rest()

    async def update(number: int) -> None:
        status = "in-progress" if number % 2 else "at-risk"
        assert (await register.report(COAL, status=status)).status_code == 201
        moved = await register.send("PUT", f"/milestones/{TARGET}/schedule", dated(str(2031 + number)))
        assert moved.status_code == 200

    snapshots = []
    for number in range(8):
        _, snapshot = await asyncio.gather(update(number), get(register, "/snapshot"))
        snapshots.append(snapshot.splitlines())
    await publishing.at_rest()

    end = newcomer.last_states(await read_topics(kafka, [COMMITMENT_STATE.name]))
    assert end[COAL]["version"] == 9
    for head, *lines in snapshots:
        present = {(state := json.loads(line))["commitment"]["id"]: state for line in lines}
        position = {(one["topic"], one["partition"]): one["offset"] for one in json.loads(head)["position"]}
        for record in await read_topics(kafka, EVENTS, position):
            follow(present[(record.key or b"").decode()], record.topic, value_of(record))
        assert {id_: stands(state) for id_, state in present.items()} == {id_: stands(one) for id_, one in end.items()}
        assert {id_: one["includes"] for id_, one in present.items()} == {
            id_: one["includes"] for id_, one in end.items()
        }


def follow(state: Json, topic: str, event: Json) -> None:
    """Apply an event that the state does not include; between the two there is no gap."""
    included = next(one for one in state["includes"] if one["topic"] == topic)
    if event["seq"] <= included["through"]:
        return
    assert event["seq"] == included["through"] + 1
    included["through"] = event["seq"]
    if topic == "status-changed":
        state["status"], state["version"] = event["overall"], event["version"]
    if topic == "milestone-scheduled":
        for one in state["milestones"]:
            if one["milestone"]["id"] == event["milestone"]["id"]:
                one["milestone"], one["schedule_version"] = event["milestone"], event["schedule_version"]


def stands(state: Json) -> Json:
    milestones = {one["milestone"]["id"]: (one["schedule_version"], one["milestone"]) for one in state["milestones"]}
    return {"status": state["status"], "version": state["version"], "milestones": milestones}


async def test_verify_knows_a_compacted_topic(register: Register, publishing: Publishing, kafka: KafkaSettings) -> None:
    """
    States that were overtaken are let go in the outbox and by the broker, which is no loss; a last one that is gone is.
    """
    for status in ("in-progress", "at-risk", "in-progress"):
        assert (await register.report(COAL, status=status)).status_code == 201
        await publishing.at_rest()
    assert await register.count(f"outbox where topic = 'commitment-state' and key = '{COAL}'") == 2

    async def faults() -> list[str]:
        async with register.database.connection() as connection:
            checks = await check_topics(connection, kafka, written=WRITES)
        return [check.name for check in checks if not check.ok]

    assert not await faults()
    async with register.database.connection() as connection:
        await connection.execute(
            "update outbox set event_id = gen_random_uuid() where id ="
            f" (select max(id) from outbox where topic = 'commitment-state' and key = '{COAL}')"
        )
    assert await faults()


async def test_a_snapshot_that_is_known_is_not_sent_again(register: Register) -> None:
    answer = await register.client.get("/snapshot")
    again = await register.client.get("/snapshot", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await register.report(COAL, status="in-progress")

    assert (
        await register.client.get("/snapshot", headers={"if-none-match": answer.headers["etag"]})
    ).status_code == 200
