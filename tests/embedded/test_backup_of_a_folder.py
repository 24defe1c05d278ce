"""An instance that is stopped is backed up and restored by its folder: database and Kafka are started for it alone."""

import asyncio
import json
import shutil
from pathlib import Path

import asyncpg
import pytest

from deploy.embedded import EmbeddedStack
from deploy.embedded.apart import apart
from services.cli.databases import upgrade_all
from services.cli.running_stack import kafka_settings
from services.cli.topics import apply_topics
from tests.journeys.operating import run_pledgewire
from tests.plumbing.rows import OF_EVERY_TABLE

pytestmark = pytest.mark.slow


async def fill(environment: dict[str, str]) -> None:
    url = environment["DATABASE_URL"]
    await asyncio.gather(upgrade_all(url), apply_topics(kafka_settings(environment)))
    connection = await asyncpg.connect(url, server_settings={"search_path": "notifier"})
    await connection.execute(OF_EVERY_TABLE["notifier"])
    await connection.close()


async def deliveries(url: str) -> int:
    connection = await asyncpg.connect(url)
    found: int = await connection.fetchval("select count(*) from notifier.delivery")
    await connection.execute("delete from notifier.delivery")
    await connection.close()
    return found


def test_a_stopped_instance_is_backed_up_and_restored_by_its_folder(state: Path) -> None:
    with EmbeddedStack(state) as stack:
        environment = stack.environment()
        apart(lambda: fill(environment))

    made = run_pledgewire({}, "backup", "--state", str(state), "--json")
    assert made.returncode == 0, made.stderr
    document = json.loads(made.stdout)
    assert document["topics"]["status-changed"]["0"] == 0
    with EmbeddedStack(state) as stack:
        lost = apart(lambda: deliveries(stack.environment()["DATABASE_URL"]))
    usual = {"PLEDGEWIRE_STATE": str(state), "DATABASE_URL": "", "KAFKA_BOOTSTRAP_SERVERS": ""}
    put = run_pledgewire(usual, "restore", document["folder"], "--yes")  # no option: it is the usual folder
    assert put.returncode == 0, put.stderr
    assert "the topics end where they ended then" in put.stdout
    with EmbeddedStack(state) as stack:
        assert apart(lambda: deliveries(stack.environment()["DATABASE_URL"])) == lost == 7

    shutil.rmtree(state / "kafka")
    refused = run_pledgewire({}, "backup", "--state", str(state))
    assert (refused.returncode, "holds no Kafka and no PostgreSQL of its own" in refused.stderr) == (3, True)
