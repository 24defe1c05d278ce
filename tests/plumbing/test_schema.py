"""A service on a schema that is older than its code says so and waits; a newer one is fine."""

import asyncio

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from services.cli.databases import SERVICES_WITH_SCHEMA, schema_versions
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.migrations import alembic_config, downgrade, upgrade
from services.plumbing.schema import SchemaGate, revisions, schema_fault
from tests.conftest import FreshDatabase


@pytest.mark.parametrize("schema", SERVICES_WITH_SCHEMA)
def test_revisions_are_read_as_alembic_reads_them(schema: str) -> None:
    versions = schema_versions()[schema]
    scripts = ScriptDirectory.from_config(alembic_config("", "", versions)).walk_revisions()

    assert revisions(versions) == [script.revision for script in scripts][::-1]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "the schema wire has no tables yet, this code needs revision 0003"),
        ("0001", "the schema wire is at revision 0001, this code needs 0003"),
        ("0003", None),
        ("0004", None),
    ],
)
def test_an_older_schema_is_a_fault_and_a_newer_one_is_none(found: str | None, words: str | None) -> None:
    fault = schema_fault("wire", found, ["0001", "0002", "0003"])

    assert fault is None if words is None else fault is not None and fault.startswith(words)


async def test_a_service_waits_for_its_schema_and_says_so(
    fresh_database: FreshDatabase, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    versions = schema_versions()["notifier"]
    *_, older, newest = revisions(versions)
    url = await fresh_database({})
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "notifier")
    await database.open()
    gate = SchemaGate(database, versions)
    try:
        assert "no tables yet" in (await gate.check() or "")
        waiting = asyncio.create_task(gate.wait())
        await upgrade(url, "notifier", versions, older)
        assert f"is at revision {older}, this code needs {newest}" in (await gate.check() or "")
        assert not waiting.done()

        await upgrade(url, "notifier", versions)
        async with asyncio.timeout(10):
            await waiting
        assert await gate.check() is None
        printed = capfd.readouterr()
        said = printed.out + caplog.text  # by which of them depends on whether logs were configured before
        assert "the service waits for its schema" in said
        told = [line for line in printed.err.splitlines() if line.startswith(("error: ", "help: "))]
        assert [line.partition(":")[0] for line in told] == ["error", "help"], "once, in two lines"
        assert "the schema notifier has no tables yet" in told[0] and "pledgewire db upgrade" in told[1]
        assert gate.describe() == {"found": newest, "needs": newest}
        await downgrade(url, "notifier", versions, older)
        assert f"is at revision {older}" in (await gate.check() or "")
    finally:
        await database.close()


async def test_a_schema_that_only_newer_code_knows_is_fine(fresh_database: FreshDatabase) -> None:
    versions = schema_versions()["registry"]
    url = await fresh_database({"registry": versions})
    connection = await asyncpg.connect(url)
    await connection.execute("update registry.alembic_version set version_num = '9999'")
    await connection.close()
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "registry")
    await database.open()
    try:
        assert await SchemaGate(database, versions).check() is None
    finally:
        await database.close()
