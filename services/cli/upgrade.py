"""`pledgewire upgrade`: what stands in its way, and what it does: topics, schemas, access. Imports are inside."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

OLDEST_BACKUP = 24.0
"""Hours that the newest backup may be old."""
LONGEST_TRANSACTION = 60
"""Seconds; an older one would keep a revision from its locks."""
OLDEST_SERVER = 18

State = Literal["ok", "to do", "NO", "not seen"]


@dataclass(frozen=True)
class UpgradePoint:
    """One thing that an upgrade depends on, or does."""

    name: str
    state: State
    what: str
    """What was found, and what to do about it."""


def upgrade(
    *,
    check: Annotated[bool, typer.Option("--check", help="Say what would be done and what stands in the way.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Bring topics, schemas and access to this release, while the last one runs; then its services can follow."""
    from services.cli.service_client import FAILED, print_json

    points = asyncio.run(_points())
    if json:
        print_json({"items": [asdict(one) for one in points]})
    else:
        for one in points:
            typer.echo(f"{one.state:<8} {one.name}: {one.what}")
    if any(one.state == "NO" for one in points):
        raise typer.Exit(FAILED)
    if not check:
        _do()


def _do() -> None:
    from services.cli.access.asking import apply_database_roles, apply_document, read_document
    from services.cli.access.noting import note_access
    from services.cli.databases import upgrade_all
    from services.cli.platform import topics_command
    from services.cli.schema_states import ask_of_schemas

    def told(schema: str, now: str) -> None:
        typer.echo(f"{schema}: now at {now}")

    topics_command(dry_run=False)
    asyncio.run(ask_of_schemas(lambda url: upgrade_all(url, told=told)))
    file = os.environ.get("ACCESS_FILE")
    changes = apply_document(read_document(Path(file) if file else None)) + apply_database_roles()
    if changes:
        note_access("applied", "all", {"changes": [f"{one.principal}: {one.what}" for one in changes]})
    for one in changes:
        typer.echo(f"{one.principal}: {one.what}")
    typer.echo("topics, schemas and access are this release's: start its services, one process after the other")


async def _points() -> list[UpgradePoint]:
    from services.cli.platform import database_url

    url = database_url()
    asked: list[tuple[str, Callable[[str], Awaitable[list[UpgradePoint]]]]] = [
        ("database", _server),
        ("schemas", _schemas),
        ("recovery", _held),
        ("backup", _backup),
        ("topics", _topics),
    ]
    points = []
    for name, question in asked:
        try:
            points += await question(url)
        except Exception as error:
            if not _passes(error):
                raise
            points.append(UpgradePoint(name, "NO", f"did not answer: {error or type(error).__name__}"))
    return points


def _passes(error: Exception) -> bool:
    from aiokafka.errors import KafkaError

    from services.plumbing.transient_errors import is_transient

    return isinstance(error, KafkaError) or is_transient(error)


async def _server(url: str) -> list[UpgradePoint]:
    async def ask(connection: Any) -> list[UpgradePoint]:
        version = connection.get_server_version()
        is_new = version.major >= OLDEST_SERVER
        told = f"PostgreSQL {version.major}.{version.minor}" + ("" if is_new else f"; it takes {OLDEST_SERVER}")
        row = await connection.fetchrow(
            "select coalesce(nullif(application_name, ''), usename, 'somebody') as who,"
            " extract(epoch from clock_timestamp() - xact_start)::int as seconds from pg_stat_activity"
            " where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()"
            " order by xact_start limit 1"
        )
        is_held = row is not None and row["seconds"] > LONGEST_TRANSACTION
        oldest = f"the oldest is {row['who']}'s, {row['seconds']} s long" if row else "none is open"
        return [
            UpgradePoint("database", "ok" if is_new else "NO", told),
            UpgradePoint(
                "transactions", "NO" if is_held else "ok", oldest + ("; end it, or wait for it" if is_held else "")
            ),
        ]

    return await _on(url, ask)


async def _schemas(url: str) -> list[UpgradePoint]:
    from services.cli.schema_states import schema_states

    found = []
    for one in await schema_states(url):
        if one.is_ahead:
            found.append(UpgradePoint(one.schema, "ok", f"at {one.found}, which a later release made: it stays"))
        elif one.is_behind:
            found.append(UpgradePoint(one.schema, "to do", f"{one.found or 'no tables'} → {' → '.join(one.steps)}"))
        else:
            found.append(UpgradePoint(one.schema, "ok", f"at {one.found}"))
    return found


async def _held(url: str) -> list[UpgradePoint]:
    from services.cli.databases import SERVICES_WITH_SCHEMA

    async def ask(connection: Any) -> list[UpgradePoint]:
        held = []
        for name in SERVICES_WITH_SCHEMA:
            if await connection.fetchval("select to_regclass($1) is not null", f"{name}.recovery"):
                is_held = f"select exists (select from {name}.recovery where released_at is null)"
                held += [name] if await connection.fetchval(is_held) else []
        if held:
            what = f"{', '.join(held)} wait for your word after a restore: `pledgewire recovery status`"
            return [UpgradePoint("recovery", "NO", what)]
        return [UpgradePoint("recovery", "ok", "nothing is held")]

    return await _on(url, ask)


async def _backup(_: str) -> list[UpgradePoint]:
    from services.cli.backup.writing import whole_backups
    from services.cli.up.state_folder import default_folder

    folder = default_folder() / "backups"
    found = whole_backups(folder)
    if not found:
        what = f"none in {folder}: `pledgewire backup` makes one; is there another, all is well"
        return [UpgradePoint("backup", "not seen", what)]
    path, manifest = found[-1]
    hours = (datetime.now(UTC) - manifest.made_at).total_seconds() / 3600
    if hours > OLDEST_BACKUP:
        return [UpgradePoint("backup", "NO", f"{path.name} is {hours:.0f} hours old: run `pledgewire backup`")]
    return [UpgradePoint("backup", "ok", f"{path.name}, {hours:.1f} hours old")]


async def _topics(_: str) -> list[UpgradePoint]:
    from services.cli.topics import apply_topics
    from services.plumbing.kafka.settings import KafkaSettings

    changes = await apply_topics(KafkaSettings(), dry_run=True)
    if not changes:
        return [UpgradePoint("topics", "ok", "all are as they should be")]
    return [UpgradePoint(one.topic, "to do", one.what) for one in changes]


async def _on(url: str, ask: Callable[[Any], Awaitable[list[UpgradePoint]]]) -> list[UpgradePoint]:
    import asyncpg

    connection = await asyncpg.connect(url, server_settings={"application_name": "pledgewire-upgrade"}, timeout=15)
    try:
        return await ask(connection)
    finally:
        await connection.close()
