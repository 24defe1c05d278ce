"""Makes a backup: topics' ends first, then one snapshot of the database; beside everything that runs."""

import asyncio
import hashlib
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.state import write_private
from services.cli import VERSION
from services.cli.backup.manifest import DUMP, FORMAT, MANIFEST, Manifest
from services.cli.backup.programs import call, connection_variables, program, size_of
from services.cli.databases import SERVICES_WITH_SCHEMA

Progress = Callable[[int, int], None]
Ends = Callable[[], Awaitable[dict[str, dict[int, int]]]]
_PACKED = 4
"""To so much less a dump packs what the tables take, about."""
AT_ONCE = 2
"""Tables that are dumped, or put back, at once."""


async def write_backup(database_url: str, folder: Path, topic_ends: Ends | None, progress: Progress) -> Manifest:
    """Write it into a new folder, whole or not at all; raises EmbeddedError and what PostgreSQL raises.

    The topics are asked first: what the database knows then is at least what lies below their ends, but for what was
    under way. The dump and the counts of rows are of one snapshot, however long it takes.
    """
    half = folder.with_name(f".{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)
    connection = await asyncpg.connect(database_url, server_settings={"application_name": "pledgewire-backup"})
    try:
        server = await connection.fetchval("show server_version")
        dump = program("pg_dump", connection.get_server_version().major)
        ends = await topic_ends() if topic_ends else None
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            made_at = datetime.now(UTC)
            snapshot = await connection.fetchval("select pg_export_snapshot()")
            revisions = await _revisions(connection)
            size = await table_bytes(connection)
            arguments = [
                "--format=directory",
                f"--jobs={AT_ONCE}",
                f"--snapshot={snapshot}",
                "--compress=gzip:1",
                "--no-owner",
                "--no-privileges",
                *(f"--schema={name}" for name in SERVICES_WITH_SCHEMA),
                # Written last of all when it is put back: without it a service waits, and takes no half for a whole.
                *(f"--exclude-table={name}.alembic_version" for name in SERVICES_WITH_SCHEMA),
                f"--file={half / DUMP}",
            ]

            async def tell() -> None:
                written = await asyncio.to_thread(size_of, half)
                progress(min(size, written * _PACKED), size)

            await run_program(dump, arguments, connection_variables(database_url), tell)
            rows = await _rows(connection)
        manifest = Manifest(
            format=FORMAT,
            made_at=made_at,
            made_by=VERSION,
            server=server,
            revisions=revisions,
            rows=rows,
            table_bytes=size,
            topics=ends,
            files=await asyncio.to_thread(hashes, half / DUMP),
        )
        write_private(half / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
        half.replace(folder)
    finally:
        await connection.close()
        shutil.rmtree(half, ignore_errors=True)
    return manifest


async def run_program(
    path: str, arguments: list[str], variables: Mapping[str, str], tell: Callable[[], Awaitable[None]]
) -> None:
    """Run it to its end, and `tell` how far it is twice a second; raises EmbeddedError with its first fault."""
    process = call(path, arguments, variables)
    said = asyncio.create_task(asyncio.to_thread(process.communicate))
    try:
        while not (await asyncio.wait([said], timeout=0.5))[0]:
            await tell()
    except BaseException:
        process.kill()
        raise
    _, errors = await said
    if process.returncode:
        words = (
            [line for line in errors.splitlines() if "error:" in line] or errors.splitlines() or ["it gave no reason"]
        )
        raise EmbeddedError(
            f"{Path(path).name} failed: {words[0].partition('error: ')[2] or words[0]}",
            "see that DATABASE_URL is that of who owns the schemas, and that the disk has room",
        )


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file, by name."""
    found = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def whole_backups(backups: Path) -> list[tuple[Path, Manifest]]:
    """The whole ones of a folder of backups, the oldest first."""
    found = []
    for path in backups.glob(f"*/{MANIFEST}"):
        try:
            found.append((path.parent, Manifest.model_validate_json(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            continue
    return sorted(found, key=lambda one: one[1].made_at)


def name_of_now() -> str:
    """A name for a backup that is made now."""
    return time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())


async def _revisions(connection: Any) -> dict[str, str]:
    found = {}
    for schema in SERVICES_WITH_SCHEMA:
        try:
            async with connection.transaction():
                found[schema] = await connection.fetchval(f"select version_num from {schema}.alembic_version")
        except asyncpg.UndefinedTableError:
            raise EmbeddedError(
                f"the schema {schema} has no tables", "`pledgewire db upgrade` makes them; see DATABASE_URL"
            ) from None
    return found


async def table_bytes(connection: Any) -> int:
    """What the tables of our schemas take on the server's disk now, without their indexes."""
    found: int = await connection.fetchval(_SIZE, list(SERVICES_WITH_SCHEMA))
    return found


async def _rows(connection: Any) -> dict[str, int]:
    tables = await connection.fetch(_TABLES, list(SERVICES_WITH_SCHEMA))
    return {row[0]: await connection.fetchval(f"select count(*) from {row[0]}") for row in tables}


_SIZE = """
select coalesce(sum(pg_table_size(c.oid)), 0)::bigint from pg_class c join pg_namespace n on n.oid = relnamespace
where relkind in ('r', 'p') and nspname = any($1)
"""
_TABLES = """
select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
where schemaname = any($1) and tablename <> 'alembic_version' order by 1
"""
