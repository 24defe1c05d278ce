"""Poison, a dead or frozen broker, a dead database, an old schema, a second notifier: what the house does then."""

import asyncio
import math
import os
import signal

import pytest

from contracts.topics import ALL, INGEST, PUBLIC
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
    read_here = [t for t in ALL if t.is_ingest or {"scheduler", "notifier"} & set(t.readers)]
    for topic in read_here:
        await house.produce(topic.name, ids[0].encode(), b"{ this is no JSON", {"ce_id": "nonsense"})
    await house.insist_on_status(ids[0], "in-progress")
    await house.rest()

    for topic in read_here:
        groups = 1 if topic in INGEST else len({"scheduler", "notifier"} & set(topic.readers))
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
        read = {t.name for t in read_here if (service == "registry" if t in INGEST else service in t.readers)}
        assert (await house.metrics(service)).values["pledgewire_dead_letters"] == {
            f"{service} {topic}": 1.0 for topic in read
        }
        for topic in read:
            lies = len(await house.read_topic(f"{topic}-dead"))
            await house.expect_metric(service, "pledgewire_dead_letter_depth", f"{topic}-dead", lies)
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
    await house.expect_troubles(None, *ON_BOTH, "portal")
    kafka = house.stack.processes()["kafka-0"]
    os.kill(kafka, signal.SIGSTOP)
    try:
        assert (await house.post_status(ids[41], "in-progress")).status_code == 201
        await house.expect_troubles("kafka", *ON_BOTH, "portal")
        await house.expect_troubles("outbox", "registry")
        seen = (await house.metrics("registry")).values
    finally:
        os.kill(kafka, signal.SIGCONT)
    await house.rest(seconds=120)
    await house.expect_troubles(None, *ON_BOTH, "portal")

    assert seen["pledgewire_outbox_unpublished"] == {"": 1.0}
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
            while "schema" not in (troubles := await house.troubles_if_up("scheduler")):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        assert troubles["schema"].startswith(f"the schema scheduler is at revision {older}, this code needs {newest}")
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
