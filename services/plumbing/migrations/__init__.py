"""Alembic, once for each service: its own folder of revisions, its own schema, its own version table."""

import asyncio
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import asyncpg
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory

from services.plumbing.schema import revisions

Told = Callable[[str, str], None]
"""Is told of each step that was taken: the schema, and its revision now, `base` for no table at all."""


class UnknownRevision(Exception):
    """A schema stands where this code can't go on from: what is the matter, and what helps."""

    def __init__(self, what: str, help: str) -> None:  # noqa: A002  the word that the second line begins with
        super().__init__(what)
        self.help = help


def alembic_config(
    database_url: str, schema: str, versions: Path, *, output: TextIO | None = None, **attributes: Any
) -> Config:
    """Alembic's configuration for one service's schema."""
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")  # a path may hold spaces and colons
    config.attributes.update(database_url=database_url, schema=schema, **attributes)
    return config


async def current(database_url: str, schema: str) -> str | None:
    """The revision at which a schema stands; None for one without tables, or whose restore was broken off.

    Raises what the database raises.
    """
    connection = await asyncpg.connect(database_url, server_settings={"application_name": "pledgewire-migrations"})
    try:
        if await connection.fetchval("select to_regclass($1)", f'"{schema}".alembic_version') is None:
            return None
        found: str | None = await connection.fetchval(f'select version_num from "{schema}".alembic_version')
        return found
    finally:
        await connection.close()


async def _has_tables(database_url: str, schema: str) -> bool:
    connection = await asyncpg.connect(database_url, server_settings={"application_name": "pledgewire-migrations"})
    try:
        found: bool = await connection.fetchval(
            "select exists (select from pg_tables where schemaname = $1 and tablename <> 'alembic_version')", schema
        )
        return found
    finally:
        await connection.close()


async def upgrade(
    database_url: str, schema: str, versions: Path, revision: str = "head", *, told: Told | None = None
) -> None:
    """Bring a schema to a revision; safe to run from several places at once (an advisory lock holds the others).

    Each revision is a transaction of its own, which takes its locks at its beginning, waits for them less than a
    second and is tried again for a minute; a schema without tables gets all of them in one. One that a later release
    has brought further stays as it is. Raises `LocksHeld`, and `UnknownRevision` for tables without a revision.
    """
    known, found = revisions(versions), await current(database_url, schema)
    target = known[-1] if revision == "head" else revision
    if found is None:
        if await _has_tables(database_url, schema):
            raise UnknownRevision(
                f"the schema {schema} has tables and no revision: a restore was broken off",
                "run `pledgewire restore` again, or drop the schema to begin anew",
            )
        steps = [target]
    else:
        steps = known[known.index(found) + 1 : known.index(target) + 1] if found in known else []
    await _take(command.upgrade, database_url, schema, versions, steps, known, told)


async def downgrade(
    database_url: str, schema: str, versions: Path, revision: str = "base", *, told: Told | None = None
) -> None:
    """Take a schema back to a revision, in such steps; what was in dropped tables is gone.

    Raises `LocksHeld`, and `UnknownRevision` where a later release has brought it further.
    """
    known, found = ["base", *revisions(versions)], await current(database_url, schema) or "base"
    if found not in known:
        raise UnknownRevision(
            f"the schema {schema} is at revision {found}, which this code does not know",
            "use the release that made it",
        )
    steps = known[known.index(revision) : known.index(found)][::-1]
    await _take(command.downgrade, database_url, schema, versions, steps, known, told)


async def _take(
    move: Callable[[Config, str], None],
    database_url: str,
    schema: str,
    versions: Path,
    steps: Sequence[str],
    known: Sequence[str],
    told: Told | None,
) -> None:
    if steps:
        config = alembic_config(database_url, schema, versions, steps=steps, known=known, told=told)
        await asyncio.to_thread(move, config, steps[-1])


def sql_between(schema: str, versions: Path, start: str, end: str) -> str:
    """The SQL from one revision to another, either way; `base` is none at all, `head` the newest.

    For those who don't let programs change their schemas.
    """
    known = ["base", *revisions(versions)]
    first, last = (known.index(known[-1] if one == "head" else one) for one in (start, end))
    printed = io.StringIO()
    config = alembic_config("postgresql://", schema, versions, output=printed)
    if first != last:
        move = command.upgrade if first < last else command.downgrade
        move(config, f"{known[first]}:{known[last]}", sql=True)
    return printed.getvalue()


def head(versions: Path) -> str | None:
    """The newest revision that the code knows."""
    return ScriptDirectory.from_config(alembic_config("", "", versions)).get_current_head()


def run_sql(script: str) -> None:
    """Run a script inside a revision; its statements end with a semicolon at the end of a line.

    asyncpg prepares what it runs, and a prepared statement is a single one.
    """
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement.strip().removesuffix(";"))
