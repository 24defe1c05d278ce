"""The services' schemas, brought to their newest revision."""

import importlib
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from services.plumbing.migrations import upgrade

SERVICES_WITH_SCHEMA = ("registry", "scheduler", "notifier")


def schema_versions() -> dict[str, Path]:
    """Each schema with the folder of its revisions."""
    return {name: importlib.import_module(f"services.{name}.migrations").VERSIONS for name in SERVICES_WITH_SCHEMA}


async def upgrade_all(database_url: str) -> None:
    """Bring every schema of this database to its newest revision; what is there already stays untouched."""
    for schema, versions in schema_versions().items():
        await upgrade(database_url, schema, versions)


def with_database(url: str, name: str) -> str:
    """The same server's URL, for another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))
