"""Poison, a dead or frozen broker, a dead database, an old schema, a second notifier: what the house does then."""

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
from tests.journeys.house import House, day
from tests.journeys.operating import ON_BOTH

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

HOOKS = ("slack", "webhook")


@pytest.fixture
async def furnished(house: House) -> House:
    if not await house.observer.connection.fetchval("select exists (select from notifier.subscription)"):
        for channel in HOOKS:
            await house.subscribe(channel, "everything", events=["status-changed", "milestone-due"])
        await house.import_statement()
    return house


@pytest.fixture(scope="module")
def ids() -> list[str]:
    from services.registry.catalogue.loading import load

    return [commitment.id for commitment in load().commitments if not commitment.milestones]


async def test_poison_on_each_topic_is_put_aside_with_a_reason_and_stops_nothing(
    furnished: House, ids: list[str]
) -> None:
    house = furnished
    ours = [t for t in OWN if {"scheduler", "notifier"} & set(t.readers) and t not in FOLLOWED]
    read_here = [*ours, *FOLLOWED, *map(ingest_topic, ("ca-gac", "mx-sre", "us-dos"))]
    for topic in read_here:
        await house.produce(topic.name, ids[0].encode(), b"{ this is no JSON", {"ce_id": "nonsense"})
    await house.insist_on_status(ids[0], "in-progress")
    await house.rest()

    for topic in (one for one in read_here if one.is_ingest):
        (answer,) = await house.read_topic(rejected_topic(str(topic.ministry)).name)
        refused = json.loads(answer.value)
        assert (refused["reason"], refused["report_id"], refused["topic"]) == ("unreadable", None, topic.name)
        (sent,) = await house.read_topic(topic.name)
        assert (refused["partition"], refused["offset"]) == (sent.partition, sent.offset)
        assert await house.read_topic(topic.dead) == [], "its sender is told, and can mend it"
    for topic in ours:
        groups = len({"scheduler", "notifier"} & set(topic.readers))
        for _ in range(100):
            letters = await house.read_topic(topic.dead)
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
        assert (await house.metrics(service)).values["pledgewire_dead_letters"] == {
            f"{service} {topic}": 1.0 for topic in read
        }
        for topic in read:
            lies = len(await house.read_topic(f"{topic}-dead"))
            await house.expect_metric(service, "pledgewire_dead_letter_depth", f"{topic}-dead", lies)
    for topic in FOLLOWED:
        for service in topic.readers:
            # It is passed over and logged, with its place: what a process holds in its memory it can read again.
            await house.expect_metric(service, "pledgewire_records_followed", f"passed-over {topic.name}", 1.0)
            assert '"action": "record_passed_over"' in house.fleet.log(service).read_text()
        assert await house.read_topic(topic.dead) == []
    await house.assert_nothing_lost()


async def test_a_key_made_and_revoked_behind_poison_is_heard_of_at_once_and_after_a_restart(furnished: House) -> None:
    """What can't be read on a followed topic hides nothing that lies behind it."""
    house = furnished
    (topic,) = FOLLOWED
    await house.produce(topic.name, b"0123456789abcdef", b"{ this is no JSON", {"ce_id": "nonsense"})
    made = await house.http.post(
        f"{house.url('registry')}/keys",
        json={"client": "behind", "roles": ["operator"]},
        headers=house.headers | {"Idempotency-Key": str(uuid4())},
    )
    assert made.status_code == 201, made.text
    key, key_id = made.json()["key"], made.json()["key_id"]

    async def answered(status: int) -> None:
        url, headers = f"{house.url('notifier')}/deliveries", {"Authorization": f"Bearer {key}"}
        async with asyncio.timeout(30):
            while (await house.http.get(url, headers=headers)).status_code != status:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.1)

    await answered(200)
    await asyncio.to_thread(house.fleet.stop, "notifier")
    house.fleet.start("notifier")
    await asyncio.to_thread(house.fleet.wait_ready, "notifier")
    await answered(200)
    revoked = await house.http.delete(
        f"{house.url('registry')}/keys/{key_id}", headers=house.headers | {"Idempotency-Key": str(uuid4())}
    )
    assert revoked.status_code == 200, revoked.text
    await answered(401)
    await house.assert_nothing_lost()


async def test_updates_are_accepted_while_the_broker_is_dead_and_arrive_when_it_is_back(
    furnished: House, ids: list[str]
) -> None:
    house = furnished
    before = len(await house.arrivals())
    house.stack.kill_broker()
    for commitment in ids[1:6]:
        response = await house.post_status(commitment, "in-progress")
        assert response.status_code == 201, response.text
    await house.expect_troubles("kafka", *ON_BOTH)
    await asyncio.to_thread(house.stack.start_broker)
    await house.rest(seconds=120)
    await house.expect_troubles(None, *ON_BOTH)

    await house.assert_nothing_lost()
    assert len(await house.arrivals()) == before + 5 * len(HOOKS)


async def test_a_frozen_kafka_shows_in_every_process_by_age(furnished: House, ids: list[str]) -> None:
    """Nothing is refused and nothing fails: it only stands still."""
    house = furnished
    await house.rest()
    await house.logs_told()
    await house.expect_troubles(None, *ON_BOTH, "portal")
    kafka = house.stack.processes()["kafka-0"]
    os.kill(kafka, signal.SIGSTOP)
    try:
        assert (await house.post_status(ids[41], "in-progress")).status_code == 201
        await house.expect_troubles("kafka", *ON_BOTH, "portal")
        await house.expect_troubles("outbox", "registry")
        # Of one update: the news, the state that it makes, and the head of the log that tells who changed it.
        await house.expect_metric("registry", "pledgewire_outbox_unpublished", "", 3.0)
        waiting = await house.observer.connection.fetch("select topic from registry.outbox where published_at is null")
        seen = (await house.metrics("registry")).values
    finally:
        os.kill(kafka, signal.SIGCONT)
    await house.rest(seconds=120)
    await house.expect_troubles(None, *ON_BOTH, "portal")

    assert sorted(row["topic"] for row in waiting) == ["audit-head-registry", "commitment-state", "status-changed"]
    assert seen["pledgewire_oldest_waiting_seconds"]["events"] >= 1
    assert all(math.isnan(lag) for lag in seen["pledgewire_consumer_lag"].values())
    await house.expect_metric("registry", "pledgewire_oldest_waiting_seconds", "events", 0.0)
    await house.assert_nothing_lost()


async def test_new_code_on_an_old_schema_says_so_and_waits(furnished: House) -> None:
    """Another service's migration is not there yet: it neither dies of it nor works on what it does not know."""
    house = furnished
    await house.rest()
    *_, older, newest = revisions(VERSIONS)
    set_revision = "update scheduler.alembic_version set version_num = $1"
    await asyncio.to_thread(house.fleet.stop, "scheduler")
    await house.observer.connection.execute(set_revision, older)
    house.fleet.start("scheduler")
    try:
        async with asyncio.timeout(30):
            # While the database is not connected yet, that is what it says.
            said = f"the schema scheduler is at revision {older}, this code needs {newest}"
            while said not in (troubles := await house.troubles_if_up("scheduler")).get("schema", ""):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        assert "kafka" in troubles  # it has not begun to read
    finally:
        await house.observer.connection.execute(set_revision, newest)
    await asyncio.to_thread(house.fleet.wait_ready, "scheduler")

    assert "the service waits for its schema" in house.fleet.log("scheduler").read_text()
    await house.expect_troubles(None, "scheduler")


async def test_a_card_that_got_no_answer_comes_all_the_same(furnished: House, ids: list[str]) -> None:
    """One receiver hangs longer than an attempt may take; its next attempt lies ahead of a clock that stands still."""
    house = furnished
    await house.read_all()
    await house.behave("slack", "everything", fail_first=1, status=503, delay=10)

    assert (await house.post_status(ids[40], "in-progress")).status_code == 201
    await house.unanswered(1)
    await house.behave("slack", "everything", delay=0)
    await house.rest()

    await house.expect_event("everything", "status-changed", ids[40], status="in-progress")
    assert [message.commitment_id for message in await house.read("everything")] == [ids[40]]
    await house.assert_nothing_lost()


async def test_a_dead_database_is_answered_with_503_and_everything_goes_on_after(
    furnished: House, ids: list[str]
) -> None:
    house = furnished
    before = len(await house.arrivals())
    await house.insist_on_status(ids[6], "in-progress")
    house.stack.kill_postgres()
    try:
        response = await house.post_status(ids[7], "in-progress")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert int(response.headers["retry-after"]) > 0
        alive = await house.http.get(f"{house.url('registry')}/livez")
        assert alive.status_code == 200
        await house.expect_troubles("database", *ON_BOTH)
    finally:
        await asyncio.to_thread(house.stack.start_postgres)
    async with type(house.observer)(house.database_url) as observer:
        house.observer = observer
        await house.insist_on_status(ids[7], "in-progress")
        await house.rest(seconds=120)
        # The kill may have fallen between a message and its record.
        await house.assert_nothing_lost(doubles=len(HOOKS))
        assert len(await house.arrivals()) >= before + 2 * len(HOOKS)
    await house.expect_troubles(None, *ON_BOTH)
    assert house.fleet.revive() == [], "no process died of it"


async def test_a_second_notifier_shares_the_work_and_nothing_is_lost_or_doubled(
    furnished: House, ids: list[str]
) -> None:
    """It joins and leaves while updates come in, so that partitions move twice."""
    house = furnished
    before = len(await house.arrivals())
    house.fleet.add_twin("notifier-2", "notifier")
    posting = asyncio.create_task(_post_all(house, ids[8:40]))
    house.fleet.start("notifier-2")
    await asyncio.to_thread(house.fleet.wait_ready, "notifier-2")
    await posting
    posting = asyncio.create_task(_post_all(house, ids[8:40], status="at-risk"))
    async with asyncio.timeout(60):
        while len(await house.arrivals()) <= before + 32 * len(HOOKS):  # noqa: ASYNC110  until the second round is told
            await asyncio.sleep(0.05)
    await asyncio.to_thread(house.fleet.stop, "notifier-2")
    await posting
    await house.rest()

    assert len(await house.arrivals()) == before + 2 * 32 * len(HOOKS)
    await house.assert_nothing_lost(doubles=0)


async def _post_all(house: House, ids: list[str], status: str = "in-progress") -> None:
    for commitment in ids:
        await house.insist_on_status(commitment, status)


@pytest.mark.parametrize("service", ["registry", "scheduler", "notifier", "portal"])
async def test_sigterm_drains_and_ends_with_0(furnished: House, service: str, ids: list[str]) -> None:
    house = furnished
    child = house.fleet.members[service].child
    assert child is not None
    child.identity.signal(signal.SIGTERM)

    assert await asyncio.to_thread(house.fleet.wait_end, service) == 0
    house.fleet.start(service)
    await asyncio.to_thread(house.fleet.wait_ready, service)
    await house.assert_nothing_lost()


async def test_two_schedulers_fire_each_reminder_once(furnished: House) -> None:
    house = furnished
    house.fleet.add_twin("scheduler-2", "scheduler")
    house.fleet.start("scheduler-2")
    await asyncio.to_thread(house.fleet.wait_ready, "scheduler-2")
    for number in range(1, 60):
        await house.at(day(number))
    await asyncio.to_thread(house.fleet.stop, "scheduler-2")

    due = [r for r in await house.read_topic("milestone-due") if dict(r.headers).get("ce_id") != b"nonsense"]
    fired = await house.observer.connection.fetchval("select count(*) from scheduler.reminder where state = 'fired'")
    assert len({dict(r.headers)["ce_id"] for r in due}) == len(due) == fired
    await house.assert_nothing_lost()


def test_all_public_topics_have_a_reader_here() -> None:
    assert {reader for topic in PUBLIC for reader in topic.readers} >= {"scheduler", "notifier", "portal"}
