"""`pledgewire backup` and `restore` as an operator types them: whole or not at all, and nobody loses his rights."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import CompletedProcess

import asyncpg
import pytest

from services.cli.access.applying import new_password
from services.cli.access.database_roles import apply_roles
from services.cli.access.role_planning import MIGRATOR, ROLES, SERVICE_ROLES
from services.cli.backup.manifest import DUMP, MANIFEST
from services.cli.databases import SERVICES_WITH_SCHEMA, schema_versions, with_user
from services.plumbing.migrations import downgrade
from services.plumbing.schema import revisions
from tests.conftest import FreshDatabase
from tests.journeys.operating import run_pledgewire
from tests.plumbing.rows import OF_EVERY_TABLE
from tests.plumbing.test_migrations import description, rows

Run = Callable[..., Awaitable[CompletedProcess[str]]]


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    """A database with rows in every table."""
    made = await fresh_database(schema_versions())
    for schema in SERVICES_WITH_SCHEMA:
        connection = await asyncpg.connect(made, server_settings={"search_path": schema})
        await connection.execute(OF_EVERY_TABLE[schema])
        await connection.close()
    return made


@pytest.fixture
def run(url: str) -> Run:
    async def ran(*words: str, database_url: str = url) -> CompletedProcess[str]:
        return await asyncio.to_thread(run_pledgewire, {"DATABASE_URL": database_url}, *words)

    return ran


async def everything(url: str) -> dict[str, object]:
    """All rows and all that the server says of each schema."""
    return {
        schema: (await rows(url, schema), sorted(await description(url, schema))) for schema in SERVICES_WITH_SCHEMA
    }


async def do(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for sql in statements:
            await connection.execute(sql)
    finally:
        await connection.close()


async def test_what_was_backed_up_comes_back_by_who_migrates(run: Run, url: str, tmp_path: Path) -> None:
    """
    Rows, tables, triggers and places in sequences; the migrator's rights are enough, and the services keep theirs.
    """
    passwords = {role: new_password() for role in ROLES}
    await apply_roles(url, passwords)
    as_migrator = with_user(url, MIGRATOR, passwords[MIGRATOR])
    before = await everything(url)

    made = await run("backup", str(tmp_path / "b"), "--no-topics", "--json", database_url=as_migrator)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["rows"]["notifier.subscription"] > 1
    await do(
        url,
        "delete from notifier.delivery",
        "drop table scheduler.hold",
        "create table registry.more (id int)",
        "insert into notifier.sending_stop (stopped_by, reason) select 'x', 'y' from notifier.sending_stop where false",
    )
    put = await run("restore", str(tmp_path / "b"), "--yes", database_url=as_migrator)

    assert put.returncode == 0, put.stderr
    assert await everything(url) == before
    assert await apply_roles(url, passwords, dry_run=True) == []
    connection = await asyncpg.connect(with_user(url, SERVICE_ROLES["notifier"], passwords[SERVICE_ROLES["notifier"]]))
    assert await connection.fetchval("select count(*) from notifier.delivery") == 7
    await connection.close()


async def test_a_restore_that_fails_leaves_what_was_there(run: Run, url: str, tmp_path: Path) -> None:
    """
    A file that is spoiled is noticed beforehand; a dump that can't be put back, afterwards.
    """
    assert (await run("backup", str(tmp_path / "b"), "--no-topics")).returncode == 0
    await do(url, "delete from notifier.delivery where state = 'failed'")
    before = await everything(url)
    manifest = tmp_path / "b" / MANIFEST
    document = json.loads(manifest.read_text())

    untouched = await run("restore", str(tmp_path / "b"))
    assert (untouched.returncode, "nothing was changed" in untouched.stderr) == (2, True)
    manifest.write_text(json.dumps(document | {"rows": document["rows"] | {"notifier.delivery": 8}}))
    lacking = await run("restore", str(tmp_path / "b"), "--yes")
    assert (lacking.returncode, "notifier.delivery has 7 rows and had 8" in lacking.stderr) == (1, True)
    assert await everything(url) == before

    manifest.write_text(json.dumps(document))
    spoiled = max((tmp_path / "b" / DUMP).iterdir(), key=lambda path: path.stat().st_size)
    spoiled.write_bytes(spoiled.read_bytes()[:-1] + b"x")
    damaged = await run("restore", str(tmp_path / "b"), "--yes")
    assert (damaged.returncode, "is damaged" in damaged.stderr) == (1, True)
    assert await everything(url) == before


async def test_who_died_while_restoring_restores_again(run: Run, url: str, tmp_path: Path) -> None:
    """
    Half of a backup stands there without a revision, so that no service works on it; the second try ends well.
    """
    before = await everything(url)
    assert (await run("backup", str(tmp_path / "b"), "--no-topics")).returncode == 0
    await do(
        url,
        *(f"alter schema {name} rename to {name}_before_restore" for name in SERVICES_WITH_SCHEMA),
        "create schema registry",
        "create table registry.commitment (half text)",
    )
    assert "no tables" in (await run("db", "current")).stdout
    refused = await run("db", "upgrade")
    assert (refused.returncode, "a restore was broken off" in refused.stderr) == (1, True)

    put = await run("restore", str(tmp_path / "b"), "--yes")

    assert put.returncode == 0, put.stderr
    assert await everything(url) == before


async def test_a_backup_of_an_older_revision_is_brought_to_this_release(run: Run, url: str, tmp_path: Path) -> None:
    known = revisions(schema_versions()["notifier"])
    newest = {schema: await description(url, schema) for schema in SERVICES_WITH_SCHEMA}
    await downgrade(url, "notifier", schema_versions()["notifier"], known[-3])
    assert (await run("backup", str(tmp_path / "b"), "--no-topics")).returncode == 0

    put = await run("restore", str(tmp_path / "b"), "--yes")

    assert f"notifier: now at {known[-1]}" in put.stdout, put.stderr
    assert {schema: await description(url, schema) for schema in SERVICES_WITH_SCHEMA} == newest


async def test_nothing_is_restored_beneath_a_service_at_work(run: Run, url: str, tmp_path: Path) -> None:
    assert (await run("backup", str(tmp_path / "b"), "--no-topics")).returncode == 0
    service = await asyncpg.connect(url, server_settings={"application_name": "pledgewire-notifier"})
    try:
        refused = await run("restore", str(tmp_path / "b"), "--yes")
    finally:
        await service.close()

    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 2)
    assert "notifier still work on this database" in refused.stderr


async def test_the_newest_are_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    for name in ("a", "b", "c"):
        assert (await run("backup", str(tmp_path / name), "--no-topics", "--keep", "2")).returncode == 0

    assert sorted(os.listdir(tmp_path)) == ["b", "c", "notes"]  # noqa: PTH208  a coroutine
    again = await run("backup", str(tmp_path / "c"), "--no-topics")
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
