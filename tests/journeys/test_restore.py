"""An old backup is put in place of the database: nothing is sent, doubled or lost before an operator says so."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import OWN, ingest_topic
from services.cli.access.applying import apply_access
from services.cli.access.document import read_access
from services.cli.access.principals import reporting
from services.cli.observing import Observer
from services.cli.topics import apply_topics
from tests.journeys.instance import LiveInstance, on
from tests.journeys.operating import ON_BOTH, dump, held, pledgewire, put_back, run_pledgewire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@asynccontextmanager
async def stopped(instance: LiveInstance, *services: str) -> AsyncIterator[None]:
    """In the block they don't run."""
    await asyncio.to_thread(instance.fleet.stop, *services)
    yield
    instance.fleet.start(*services)
    await asyncio.to_thread(instance.fleet.wait_ready, *services)


async def topics_are_lost(instance: LiveInstance) -> None:
    """As with the disk of the broker: the topics are empty, and no group has read any."""
    access = read_access(instance.access_file)
    admin = AIOKafkaAdminClient(**instance.kafka.client_options())
    await admin.start()
    try:
        ours = {topic.name for topic in OWN}
        await admin.delete_topics(ours | {ingest_topic(code).name for code in reporting(access)})
    finally:
        await admin.close()
    async with asyncio.timeout(30):
        while ours:  # they go one by one
            ours -= {change.topic for change in await apply_topics(instance.kafka) if change.kind == "create"}
            await asyncio.sleep(0.3)
        await apply_access(instance.kafka, access, {})


async def register(instance: LiveInstance) -> dict[str, tuple[str, int]]:
    rows = await instance.observer.connection.fetch("select id, status, version from registry.commitment")
    return {row["id"]: (row["status"], row["version"]) for row in rows}


async def test_an_old_backup_sends_nothing_loses_nothing_and_waits_for_a_word(
    instance: LiveInstance, tmp_path: Path
) -> None:
    for channel in ("slack", "webhook"):
        await instance.subscribe(channel, "everything", events=["status-changed", "milestone-due"])
    await instance.import_statement()
    await instance.at(on(2021, 12, 1))
    await dump(instance.database_url, tmp_path / "backup")
    async with Observer(instance.database_url) as observer:
        instance.observer = observer
        updated = sorted(await register(instance))[:20]
        for commitment in updated:
            await instance.insist_on_status(commitment, "in-progress")
        for month in range(1, 13):
            await instance.at(on(2022, month, 1))
        await instance.logs_told()  # what the backup lacks has to be known by a head, which comes within seconds
        before, arrived = await register(instance), len(await instance.arrivals())
        told = await observer.events()
    assert told["milestone-due"] > 10, told

    await asyncio.to_thread(instance.fleet.stop, *ON_BOTH)
    await put_back(instance.database_url, tmp_path / "backup")
    found = await asyncio.to_thread(run_pledgewire, instance.stack.environment(), "audit", "verify")
    assert (found.returncode, "put back to an older state" in found.stderr) == (1, True), found.stderr
    instance.stack.kill_broker()
    instance.fleet.start(*ON_BOTH)
    async with Observer(instance.database_url) as observer:
        instance.observer = observer
        again = await instance.insist_on_status(updated[0], "at-risk")
        assert again["version"] == 2, "as the old register has it"
        await asyncio.to_thread(instance.stack.start_broker)
        async with asyncio.timeout(60):
            waiting: dict[str, int] = {}
            while set(waiting) != set(ON_BOTH) or waiting["registry"] != 1:
                await asyncio.sleep(0.5)
                waiting = await held(instance.stack.environment())
        version = before[updated[0]][1] + 1
        assert await register(instance) == {**before, updated[0]: ("at-risk", version)}
        assert len(await instance.arrivals()) == arrived
        await instance.expect_troubles(None, *ON_BOTH)  # it is ready, and says that it is held
        for service in ON_BOTH:
            assert "held since" in (await instance.http.get(f"{instance.admin_url(service)}/readyz")).json()["recovery"]
        await asyncio.to_thread(pledgewire, instance.stack.environment(), "recovery", "release", "--by", "tests")
        await instance.rest(120)

        now = await observer.events()
        assert {name: count - told[name] for name, count in now.items() if name != "delivery-settled"} == {
            name: int(name == "status-changed") for name in told if name != "delivery-settled"
        }
        assert len(await instance.arrivals()) == arrived + 2  # the new update, on both channels
        await instance.assert_nothing_lost()
        await asyncio.to_thread(the_restore_is_told, instance.stack.environment())


def the_restore_is_told(environment: Mapping[str, str]) -> None:
    """The heads that the backup has lost are explained by an entry, which the check always tells."""
    logs = {one["service"]: one for one in json.loads(pledgewire(environment, "audit", "verify", "--json"))["items"]}
    assert {one["break"] for one in logs.values()} == {None}
    assert len(logs["registry"]["restores"]) == 1, logs
    (restore,) = logs["registry"]["restores"]
    assert restore["went_on_behind"] < restore["position"]
    assert restore["went_on_behind"] < restore["lost_to"]
    assert logs["registry"]["entries"] >= restore["position"]


async def test_who_edits_the_audit_log_is_found_out(instance: LiveInstance) -> None:
    """
    Whoever may do anything in the database still has the published heads and the hashes against them.
    """
    environment = instance.stack.environment()
    async with Observer(instance.database_url) as observer:
        connection = observer.connection
        await connection.execute("alter table registry.audit_entry disable trigger all")
        was = await connection.fetchval("select client from registry.audit_entry where position = 3")
        change = "update registry.audit_entry set client = $1 where position = 3"
        await connection.execute(change, "nobody")
        found = await asyncio.to_thread(run_pledgewire, environment, "audit", "verify")
        await connection.execute(change, was)
        mended = await asyncio.to_thread(run_pledgewire, environment, "audit", "verify")
    assert (found.returncode, mended.returncode) == (1, 0), mended.stderr
    told = found.stderr.splitlines()
    assert len(told) == 2
    assert told[0].startswith("error: registry, position 3: the entry at 3 is not what was written")


async def test_lost_topics_are_published_again_and_nothing_is_sent_twice(instance: LiveInstance) -> None:
    async with Observer(instance.database_url) as observer:
        instance.observer = observer
        before, arrived = await observer.events(), len(await instance.arrivals())
        async with stopped(instance, *ON_BOTH):
            await topics_are_lost(instance)
        await instance.rest(120)

        assert await observer.events() == before
        assert await held(instance.stack.environment()) == {}
        assert len(await instance.arrivals()) == arrived
        await instance.assert_nothing_lost()
