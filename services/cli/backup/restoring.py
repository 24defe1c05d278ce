"""Puts a backup in place of the database: whole or not at all, and only while no service is at work."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg

from deploy.embedded.errors import EmbeddedError
from services.cli.access.database_roles import apply_roles
from services.cli.backup.manifest import DUMP, MANIFEST, Manifest
from services.cli.backup.programs import connection_variables, program
from services.cli.backup.writing import AT_ONCE, Progress, hashes, run_program, table_bytes
from services.cli.databases import SERVICES_WITH_SCHEMA, connected_services, schema_versions, upgrade_all
from services.cli.service_client import ASKED_WRONGLY, NOT_FOUND
from services.plumbing.migrations import Told
from services.plumbing.schema import revisions

ASIDE = "_before_restore"
"""What the schemas are called while a backup is put in their place."""


def read_manifest(folder: Path) -> Manifest:
    """What a backup says of itself; raises EmbeddedError for a folder that is none, or one of a later release."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EmbeddedError(
            f"{folder} is no backup: it has no {MANIFEST}", "name a folder that `pledgewire backup` made", NOT_FOUND
        ) from None
    except (OSError, ValueError) as error:
        raise EmbeddedError(
            f"{folder / MANIFEST} can't be read: {error}", "take another backup", ASKED_WRONGLY
        ) from error
    for schema, versions in schema_versions().items():
        if (found := manifest.revisions.get(schema)) not in revisions(versions):
            raise EmbeddedError(
                f"this backup's schema {schema} is at {found}, which this release doesn't know",
                f"restore it with the release that made it ({manifest.made_by}) or a later one",
                ASKED_WRONGLY,
            )
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise EmbeddedError unless every file is there as it was written."""
    try:
        found = hashes(folder / DUMP)
    except OSError as error:
        raise EmbeddedError(f"{folder} can't be read: {error.strerror}", "take another backup") from error
    if wrong := sorted(n for n in {*found, *manifest.files} if found.get(n) != manifest.files.get(n)):
        raise EmbeddedError(
            f"{folder} is damaged: {', '.join(wrong[:3])} {'is' if len(wrong) == 1 else 'are'} not as written",
            "take another backup, or another copy of this one",
        )


async def restore(
    database_url: str, folder: Path, manifest: Manifest, progress: Progress, *, told: Told | None = None
) -> None:
    """Put it in place, bring it to this release's revisions, and give the services' roles what they had.

    What is there is set aside until the backup is in its place, and put back where that fails. Who dies in between
    calls this again; until then the schemas have no revision, and every service waits. Raises EmbeddedError and what
    PostgreSQL raises.
    """
    if running := await connected_services(database_url):
        raise EmbeddedError(
            f"{', '.join(running)} still work on this database", "stop every service, then restore again"
        )
    connection = await asyncpg.connect(database_url, server_settings={"application_name": "pledgewire-restore"})
    try:
        path = program("pg_restore", connection.get_server_version().major)
        await _set_aside(connection)
        try:
            arguments = ["--exit-on-error", f"--jobs={AT_ONCE}", "--no-owner", "--no-privileges", "--dbname="]
            arguments[-1] += connection_variables(database_url)["PGDATABASE"]

            async def tell() -> None:
                progress(min(manifest.table_bytes, await table_bytes(connection)), manifest.table_bytes)

            await run_program(path, [*arguments, str(folder / DUMP)], connection_variables(database_url), tell)
            await _check_rows(connection, manifest)
            await _finish(connection, manifest)
        except BaseException:
            await asyncio.shield(_put_back(connection))
            raise
    finally:
        await connection.close()
    await apply_roles(database_url, {})
    await upgrade_all(database_url, told=told)


async def _check_rows(connection: Any, manifest: Manifest) -> None:
    for table, count in manifest.rows.items():
        if (found := await connection.fetchval(f"select count(*) from {table}")) != count:
            raise EmbeddedError(f"{table} has {found} rows and had {count}", "take another backup")


async def _set_aside(connection: Any) -> None:
    async with connection.transaction():
        for schema in SERVICES_WITH_SCHEMA:
            is_there, is_aside = [
                await connection.fetchval("select to_regnamespace($1) is not null", name)
                for name in (schema, schema + ASIDE)
            ]
            if is_aside:  # somebody died here: what stands in its place is half of a backup
                await connection.execute(f"drop schema if exists {schema} cascade")
            elif is_there:
                await connection.execute(f"alter schema {schema} rename to {schema}{ASIDE}")


async def _put_back(connection: Any) -> None:
    async with connection.transaction():
        for schema in SERVICES_WITH_SCHEMA:
            await connection.execute(f"drop schema if exists {schema} cascade")
            if await connection.fetchval("select to_regnamespace($1) is not null", schema + ASIDE):
                await connection.execute(f"alter schema {schema}{ASIDE} rename to {schema}")


async def _finish(connection: Any, manifest: Manifest) -> None:
    """Let the services have it, and what was there before go, in one."""
    async with connection.transaction():
        for schema, revision in manifest.revisions.items():
            await connection.execute(_VERSION_TABLE.format(schema))
            await connection.execute(f"insert into {schema}.alembic_version values ($1)", revision)
            await connection.execute(f"drop schema if exists {schema}{ASIDE} cascade")


_VERSION_TABLE = """
create table {}.alembic_version (
    version_num varchar(32) not null, constraint alembic_version_pkc primary key (version_num)
)
"""
