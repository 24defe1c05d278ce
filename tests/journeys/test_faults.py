"""Poison, a dead or frozen broker, a dead database, an old schema, a second notifier: what the instance does then."""

import asyncio
import json
import math
import os
import signal
from uuid import uuid4

import pytest

from contracts.topics import FOLLOWED, OWN, PUBLIC, ingest_topic, rejected_topic
from services.plumbing.schema import revisions
from services.scheduler.migrations import VERSIONS
from tests.journeys.instance import LiveInstance, day
from tests.journeys.operating import ON_BOTH

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

HOOKS = ("slack", "webhook")


@pytest.fixture
async def furnished(instance: LiveInstance) -> LiveInstance:
    if not await instance.observer.connection.fetchval("select exists (select from notifier.subscription)"):
        for channel in HOOKS:
            await instance.subscribe(channel, "everything", events=["status-changed", "milestone-due"])
        await instance.import_statement()
    return instance


@pytest.fixture(scope="module")
def ids() -> list[str]:
    from services.registry.catalogue.loading import load

    return [commitment.id for commitment in load().commitments if not commitment.milestones]


async def test_poison_on_each_topic_is_put_aside_with_a_reason_and_stops_nothing(
    furnished: LiveInstance, ids: list[str]
) -> None:
    instance = furnished
    ours = [t for t in OWN if {"scheduler", "notifier"} & set(t.readers) and t not in FOLLOWED]
    read_here = [*ours, *FOLLOWED, *map(ingest_topic, ("ca-gac", "mx-sre", "us-dos"))]
    for topic in read_here:
        await instance.produce(topic.name, ids[0].encode(), b"{ this is no JSON", {"ce_id": "nonsense"})
    await instance.insist_on_status(ids[0], "in-progress")
    await instance.rest()

    for topic in (one for one in read_here if one.is_ingest):
        (answer,) = await instance.read_topic(rejected_topic(str(topic.ministry)).name)
        refused = json.loads(answer.value)
        assert (refused["reason"], refused["report_id"], refused["topic"]) == ("unreadable", None, topic.name)
        (sent,) = await instance.read_topic(topic.name)
        assert (refused["partition"], refused["offset"]) == (sent.partition, sent.offset)
        assert await instance.read_topic(topic.dead) == [], "its sender is told, and can mend it"
    for topic in ours:
        groups = len({"scheduler", "notifier"} & set(topic.readers))
        for _ in range(100):
            letters = await instance.read_topic(topic.dead)
            if len(letters) >= groups:
                break
            await asyncio.sleep(0.1)
        assert len(letters) == groups, topic.name
        for letter in letters:
            headers = dict(letter.headers)
            assert letter.value == b"{ this is no JSON"
            assert headers["ce_id"] == b"nonsense"
            assert headers["dead_reason"]
            assert headers["dead_topic"] == topic.name.encode()
        assert len({dict(letter.headers)["dead_group"] for letter in letters}) == groups
    for service in ON_BOTH:
        read = {t.name for t in ours if service in t.readers}
        assert (await instance.metrics(service)).values["pledgewire_dead_letters"] == {
            f"{service} {topic}": 1.0 for topic in read
        }
        for topic in read:
            lies = len(await instance.read_topic(f"{topic}-dead"))
            await instance.expect_metric(service, "pledgewire_dead_letter_depth", f"{topic}-dead", lies)
    for topic in FOLLOWED:
        for service in topic.readers:
            # It is passed over and logged, with its place: what a process holds in its memory it can read again.
            await instance.expect_metric(service, "pledgewire_records_followed", f"passed-over {topic.name}", 1.0)
            assert '"action": "record_passed_over"' in instance.fleet.log(service).read_text()
        assert await instance.read_topic(topic.dead) == []
    await instance.assert_nothing_lost()


async def test_a_key_made_and_revoked_behind_poison_is_heard_of_at_once_and_after_a_restart(
    furnished: LiveInstance,
) -> None:
    """What can't be read on a followed topic hides nothing that lies behind it."""
    instance = furnished
    (topic,) = FOLLOWED
    await instance.produce(topic.name, b"0123456789abcdef", b"{ this is no JSON", {"ce_id": "nonsense"})
    made = await instance.http.post(
        f"{instance.url('registry')}/keys",
        json={"client": "behind", "roles": ["operator"]},
        headers=instance.headers | {"Idempotency-Key": str(uuid4())},
    )
    assert made.status_code == 201, made.text
    key, key_id = made.json()["key"], made.json()["key_id"]

    async def answered(status: int) -> None:
        url, headers = f"{instance.url('notifier')}/deliveries", {"Authorization": f"Bearer {key}"}
        async with asyncio.timeout(30):
            while (await instance.http.get(url, headers=headers)).status_code != status:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.1)

    await answered(200)
    await asyncio.to_thread(instance.fleet.stop, "notifier")
    instance.fleet.start("notifier")
    await asyncio.to_thread(instance.fleet.wait_ready, "notifier")
    await answered(200)
    revoked = await instance.http.delete(
        f"{instance.url('registry')}/keys/{key_id}", headers=instance.headers | {"Idempotency-Key": str(uuid4())}
    )
    assert revoked.status_code == 200, revoked.text
    await answered(401)
    await instance.assert_nothing_lost()


async def test_updates_are_accepted_while_the_broker_is_dead_and_arrive_when_it_is_back(
    furnished: LiveInstance, ids: list[str]
) -> None:
    instance = furnished
    before = len(await instance.arrivals())
    instance.stack.kill_broker()
    for commitment in ids[1:6]:
        response = await instance.post_status(commitment, "in-progress")
        assert response.status_code == 201, response.text
    await instance.expect_troubles("kafka", *ON_BOTH)
    await asyncio.to_thread(instance.stack.start_broker)
    await instance.rest(seconds=120)
    await instance.expect_troubles(None, *ON_BOTH)

    await instance.assert_nothing_lost()
    assert len(await instance.arrivals()) == before + 5 * len(HOOKS)


async def test_a_frozen_kafka_shows_in_every_process_by_age(furnished: LiveInstance, ids: list[str]) -> None:
    """Nothing is refused and nothing fails: it only stands still."""
    instance = furnished
    await instance.rest()
    await instance.logs_told()
    await instance.expect_troubles(None, *ON_BOTH, "portal")
    kafka = instance.stack.processes()["kafka-0"]
    os.kill(kafka, signal.SIGSTOP)
    try:
        assert (await instance.post_status(ids[41], "in-progress")).status_code == 201
        await instance.expect_troubles("kafka", *ON_BOTH, "portal")
        await instance.expect_troubles("outbox", "registry")
        # Of one update: the news, the state that it makes, and the head of the log that tells who changed it.
        await instance.expect_metric("registry", "pledgewire_outbox_unpublished", "", 3.0)
        waiting = await instance.observer.connection.fetch(
            "select topic from registry.outbox where published_at is null"
        )
        seen = (await instance.metrics("registry")).values
    finally:
        os.kill(kafka, signal.SIGCONT)
    await instance.rest(seconds=120)
    await instance.expect_troubles(None, *ON_BOTH, "portal")

    assert sorted(row["topic"] for row in waiting) == ["audit-head-registry", "commitment-state", "status-changed"]
    assert seen["pledgewire_oldest_waiting_seconds"]["events"] >= 1
    assert all(math.isnan(lag) for lag in seen["pledgewire_consumer_lag"].values())
    await instance.expect_metric("registry", "pledgewire_oldest_waiting_seconds", "events", 0.0)
    await instance.assert_nothing_lost()


async def test_new_code_on_an_old_schema_says_so_and_waits(furnished: LiveInstance) -> None:
    """Another service's migration is not there yet: it neither dies of it nor works on what it does not know."""
    instance = furnished
    await instance.rest()
    *_, older, newest = revisions(VERSIONS)
    set_revision = "update scheduler.alembic_version set version_num = $1"
    await asyncio.to_thread(instance.fleet.stop, "scheduler")
    await instance.observer.connection.execute(set_revision, older)
    instance.fleet.start("scheduler")
    try:
        async with asyncio.timeout(30):
            # While the database is not connected yet, that is what it says.
            said = f"the schema scheduler is at revision {older}, this code needs {newest}"
            while said not in (troubles := await instance.troubles_if_up("scheduler")).get("schema", ""):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        assert "kafka" in troubles  # it has not begun to read
    finally:
        await instance.observer.connection.execute(set_revision, newest)
    await asyncio.to_thread(instance.fleet.wait_ready, "scheduler")

    assert "the service waits for its schema" in instance.fleet.log("scheduler").read_text()
    await instance.expect_troubles(None, "scheduler")


async def test_a_card_that_got_no_answer_comes_all_the_same(furnished: LiveInstance, ids: list[str]) -> None:
    """One receiver hangs longer than an attempt may take; its next attempt lies ahead of a clock that stands still."""
    instance = furnished
    await instance.read_all()
    await instance.behave("slack", "everything", fail_first=1, status=503, delay=10)

    assert (await instance.post_status(ids[40], "in-progress")).status_code == 201
    await instance.unanswered(1)
    await instance.behave("slack", "everything", delay=0)
    await instance.rest()

    await instance.expect_event("everything", "status-changed", ids[40], status="in-progress")
    assert [message.commitment_id for message in await instance.read("everything")] == [ids[40]]
    await instance.assert_nothing_lost()


async def test_a_dead_database_is_answered_with_503_and_everything_goes_on_after(
    furnished: LiveInstance, ids: list[str]
) -> None:
    instance = furnished
    before = len(await instance.arrivals())
    await instance.insist_on_status(ids[6], "in-progress")
    instance.stack.kill_postgres()
    try:
        response = await instance.post_status(ids[7], "in-progress")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert int(response.headers["retry-after"]) > 0
        alive = await instance.http.get(f"{instance.url('registry')}/livez")
        assert alive.status_code == 200
        await instance.expect_troubles("database", *ON_BOTH)
    finally:
        await asyncio.to_thread(instance.stack.start_postgres)
    async with type(instance.observer)(instance.database_url) as observer:
        instance.observer = observer
        await instance.insist_on_status(ids[7], "in-progress")
        await instance.rest(seconds=120)
        # The kill may have fallen between a message and its record.
        await instance.assert_nothing_lost(doubles=len(HOOKS))
        assert len(await instance.arrivals()) >= before + 2 * len(HOOKS)
    await instance.expect_troubles(None, *ON_BOTH)
    assert instance.fleet.revive() == [], "no process died of it"


async def test_a_second_notifier_shares_the_work_and_nothing_is_lost_or_doubled(
    furnished: LiveInstance, ids: list[str]
) -> None:
    """It joins and leaves while updates come in, so that partitions move twice."""
    instance = furnished
    before = len(await instance.arrivals())
    instance.fleet.add_twin("notifier-2", "notifier")
    posting = asyncio.create_task(_post_all(instance, ids[8:40]))
    instance.fleet.start("notifier-2")
    await asyncio.to_thread(instance.fleet.wait_ready, "notifier-2")
    await posting
    posting = asyncio.create_task(_post_all(instance, ids[8:40], status="at-risk"))
    async with asyncio.timeout(60):
        while len(await instance.arrivals()) <= before + 32 * len(HOOKS):  # noqa: ASYNC110  until the second round is told
            await asyncio.sleep(0.05)
    await asyncio.to_thread(instance.fleet.stop, "notifier-2")
    await posting
    await instance.rest()

    assert len(await instance.arrivals()) == before + 2 * 32 * len(HOOKS)
    await instance.assert_nothing_lost(doubles=0)


async def _post_all(instance: LiveInstance, ids: list[str], status: str = "in-progress") -> None:
    for commitment in ids:
        await instance.insist_on_status(commitment, status)


@pytest.mark.parametrize("service", ["registry", "scheduler", "notifier", "portal"])
async def test_sigterm_drains_and_ends_with_0(furnished: LiveInstance, service: str, ids: list[str]) -> None:
    instance = furnished
    child = instance.fleet.members[service].child
    assert child is not None
    child.identity.signal(signal.SIGTERM)

    assert await asyncio.to_thread(instance.fleet.wait_end, service) == 0
    instance.fleet.start(service)
    await asyncio.to_thread(instance.fleet.wait_ready, service)
    await instance.assert_nothing_lost()


async def test_two_schedulers_fire_each_reminder_once(furnished: LiveInstance) -> None:
    instance = furnished
    instance.fleet.add_twin("scheduler-2", "scheduler")
    instance.fleet.start("scheduler-2")
    await asyncio.to_thread(instance.fleet.wait_ready, "scheduler-2")
    for number in range(1, 60):
        await instance.at(day(number))
    await asyncio.to_thread(instance.fleet.stop, "scheduler-2")

    due = [r for r in await instance.read_topic("milestone-due") if dict(r.headers).get("ce_id") != b"nonsense"]
    fired = await instance.observer.connection.fetchval("select count(*) from scheduler.reminder where state = 'fired'")
    assert len({dict(r.headers)["ce_id"] for r in due}) == len(due) == fired
    await instance.assert_nothing_lost()


def test_all_public_topics_have_a_reader_here() -> None:
    assert {reader for topic in PUBLIC for reader in topic.readers} >= {"scheduler", "notifier", "portal"}
