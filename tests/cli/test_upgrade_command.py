"""`pledgewire upgrade`: says what stands in its way and what it would do, does it, and finds nothing to do then."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import asyncpg
import pytest

from services.cli.databases import schema_versions
from services.cli.released_schemas import LAST_RELEASE, RELEASED_SCHEMAS
from services.plumbing.migrations import upgrade
from services.plumbing.schema import revisions
from tests.conftest import FreshDatabase
from tests.journeys.operating import run_pledgewire

Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    """A database as the last release left it."""
    made = await fresh_database({})
    for schema, versions in schema_versions().items():
        await upgrade(made, schema, versions, RELEASED_SCHEMAS[LAST_RELEASE][schema])
    return made


@pytest.fixture
def run(kafka_environment: dict[str, str], url: str, tmp_path: Path) -> Run:
    async def ran(*words: str) -> tuple[int, str]:
        environment = kafka_environment | {"DATABASE_URL": url, "PLEDGEWIRE_STATE": str(tmp_path)}
        done = await asyncio.to_thread(run_pledgewire, environment, *words)
        return done.returncode, done.stdout + done.stderr

    return ran


async def points(run: Run) -> tuple[int, Mapping[str, Mapping[str, str]]]:
    status, out = await run("upgrade", "--check", "--json")
    return status, {one["name"]: one for one in json.loads(out)["items"]}


async def test_what_is_to_do_is_told_and_done_once(run: Run) -> None:
    status, before = await points(run)
    assert status == 0, before
    newest = revisions(schema_versions()["notifier"])[-1]
    assert before["notifier"]["state"] == "to do"
    assert before["notifier"]["what"].startswith(f"{RELEASED_SCHEMAS[LAST_RELEASE]['notifier']} → ")
    assert before["backup"]["state"] == "not seen"

    status, out = await run("upgrade")
    assert (status, f"notifier: now at {newest}" in out) == (0, True), out

    assert (await run("backup"))[0] == 0
    status, after = await points(run)
    assert (status, {one["state"] for one in after.values()}) == (0, {"ok"}), after
    status, out = await run("db", "current")
    assert (status, out.count(": ok")) == (0, 3), out


async def test_what_stands_in_the_way_is_told_and_nothing_is_changed(run: Run, url: str) -> None:
    """
    Services that wait for a word after a restore, and a transaction that would keep a revision from its locks.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("insert into notifier.recovery (taken_over) values ('{}')")
        status, found = await points(run)
        assert (status, found["recovery"]["state"]) == (1, "NO")
        assert "notifier wait for your word" in found["recovery"]["what"]
        status, out = await run("upgrade")
        assert (status, "now at" in out) == (1, False)
    finally:
        await connection.close()


async def test_schemas_go_back_to_the_last_release_when_nobody_is_at_work(run: Run, url: str) -> None:
    """
    First it is said, then it takes a yes, and no service on these schemas; then they are the release's again.
    """
    for schema, versions in schema_versions().items():
        await upgrade(url, schema, versions)

    status, out = await run("db", "downgrade")
    assert (status, "nothing was changed" in out) == (2, True)
    service = await asyncpg.connect(url, server_settings={"application_name": "pledgewire-scheduler"})
    status, out = await run("db", "downgrade", "--yes")
    await service.close()
    assert (status, "scheduler still work on these schemas" in out) == (1, True)

    status, out = await run("db", "downgrade", LAST_RELEASE, "--yes")
    assert (status, f"all schemas are as release {LAST_RELEASE} has them" in out) == (0, True), out
    status, out = await run("db", "current")
    assert (status, out.count(f"as release {LAST_RELEASE} has it")) == (1, 3)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["sql", "0.9.9:head"], "neither a release"),
        (["sql", "head"], "neither a release"),
        (["sql", "0001:0002"], "neither a release"),
        (["sql", "--schema", "portal"], "there is no schema portal"),
        (["downgrade", "0.9.9"], "there is no release 0.9.9"),
    ],
)
async def test_what_is_asked_wrongly_is_said_in_two_lines(words: list[str], complaint: str, run: Run) -> None:
    status, out = await run("db", *words)

    assert (status, complaint in out, len(out.splitlines())) == (2, True, 2)


async def test_the_sql_of_one_schema_s_revisions_is_printed(run: Run) -> None:
    status, out = await run("db", "sql", "0014:0016", "--schema", "notifier")

    assert (status, "create table digest_run" in out, "create table silence" in out) == (0, True, False)
