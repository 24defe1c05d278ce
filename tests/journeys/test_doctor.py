"""`pledgewire doctor` at an instance that runs: nothing is wrong, and then each fault is named with what mends it."""

import asyncio
import json
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import MILESTONE_DUE
from services.cli.access.applying import new_password, revoke, rotate
from services.cli.access.document import read_access
from services.cli.fleet import SERVICES
from tests.journeys.instance import LiveInstance
from tests.journeys.operating import run_pledgewire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


async def examined(instance: LiveInstance, *, status: int) -> dict[str, dict[str, Any]]:
    """What the doctor finds, by name; it ends with this status."""
    environment = {
        **instance.stack.environment(),
        "ACCESS_FILE": str(instance.access_file),
        "PLEDGEWIRE_STATE": str(instance.fleet.folder / "none"),
        **{f"{name.upper()}_URL": instance.url(name) for name in SERVICES},
        **{f"{name.upper()}_ADMIN_URL": instance.admin_url(name) for name in SERVICES},
    }
    done = await asyncio.to_thread(run_pledgewire, environment, "doctor", "--json")
    assert done.returncode == status, done.stdout + done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)["items"]}


def port(instance: LiveInstance, name: str) -> str:
    return f"port {instance.fleet.members[name].port} ({name})"


async def test_an_instance_that_is_well_is_found_so_and_each_fault_is_named(instance: LiveInstance) -> None:
    await instance.import_statement()
    codes = sorted(read_access(instance.access_file).ministries)
    for code in codes:
        await rotate(instance.kafka, code, new_password())
    well = await examined(instance, status=0)
    assert {one["name"] for one in well.values() if one["ok"] is False} == set()
    assert {"database", "Kafka", "schema notifier", "topics", "ACLs", "lag of notifier", "dead letters"} <= well.keys()
    assert {port(instance, name) for name in SERVICES} <= well.keys()

    await asyncio.to_thread(instance.fleet.stop, "scheduler")
    await instance.produce(MILESTONE_DUE.name, b"x", b"{ this is no JSON", {"ce_id": "nonsense"})
    instance.strange[MILESTONE_DUE.name] += 1
    await revoke(instance.kafka, codes[0])  # of no service: all of them are to be well again behind this test
    admin = AIOKafkaAdminClient(**instance.kafka.client_options())
    await admin.start()
    try:
        await admin.delete_topics(["own-ladder-due-dead"])
    finally:
        await admin.close()
    while not await instance.read_topic(MILESTONE_DUE.dead):  # noqa: ASYNC110  another process
        await asyncio.sleep(0.2)

    ill = await examined(instance, status=1)
    wrong = {name: (one["what"], one["fix"]) for name, one in ill.items() if one["ok"] is False}
    assert wrong[port(instance, "scheduler")][0] == "nobody listens there"
    assert wrong["dead letters"] == (f"1 on {MILESTONE_DUE.dead}", "pledgewire dead-letters list")
    assert "own-ladder-due-dead: create" in wrong["topics"][0] and wrong["topics"][1] == "pledgewire topics apply"
    assert wrong["ACLs"][0].startswith(f"{codes[0]}: ")
    assert all(fix for _, fix in wrong.values())

    # What it says helps, and whoever comes next has the topic again.
    fixed = await asyncio.to_thread(run_pledgewire, instance.stack.environment(), *wrong["topics"][1].split()[1:])
    assert fixed.returncode == 0, fixed.stderr
    assert (await examined(instance, status=1))["topics"]["ok"]
