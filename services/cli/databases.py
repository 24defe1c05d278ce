"""The services' schemas, brought to their newest revision."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from services.plumbing.migrations import Told, downgrade, upgrade

SERVICES_WITH_SCHEMA = ("registry", "scheduler", "notifier")


def schema_versions() -> dict[str, Path]:
    """Each schema with the folder of its revisions."""
    return {name: importlib.import_module(f"services.{name}.migrations").VERSIONS for name in SERVICES_WITH_SCHEMA}


async def upgrade_all(database_url: str, *, told: Told | None = None) -> None:
    """Bring every schema of this database to its newest revision; what is there already stays untouched."""
    for schema, versions in schema_versions().items():
        await upgrade(database_url, schema, versions, told=told)


async def downgrade_all(database_url: str, revisions: Mapping[str, str], *, told: Told | None = None) -> None:
    """Take every schema back to its revision among these; what only later ones have is gone."""
    for schema, versions in schema_versions().items():
        await downgrade(database_url, schema, versions, revisions[schema], told=told)


async def connected_services(database_url: str) -> list[str]:
    """Those that are at work on this database, by the name that each gives its connections."""
    connection = await asyncpg.connect(database_url, server_settings={"application_name": "pledgewire-db"})
    try:
        rows = await connection.fetch(
            "select distinct application_name from pg_stat_activity where datname = current_database()"
            " and application_name = any($1) order by 1",
            [f"pledgewire-{name}" for name in SERVICES_WITH_SCHEMA],
        )
        return [row[0].removeprefix("pledgewire-") for row in rows]
    finally:
        await connection.close()


def with_database(url: str, name: str) -> str:
    """The same server's URL, for another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


def with_user(url: str, name: str, password: str) -> str:
    """The same database's URL, for somebody else."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(name, safe='')}:{quote(password, safe='')}@{hosts}"))
