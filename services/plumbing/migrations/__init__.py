"""Alembic, once for each service: its own folder of revisions, its own schema, its own version table."""

import asyncio
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory


def alembic_config(database_url: str, schema: str, versions: Path) -> Config:
    """Alembic's configuration for one service's schema."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")  # a path may hold spaces and colons
    config.attributes.update(database_url=database_url, schema=schema)
    return config


async def upgrade(database_url: str, schema: str, versions: Path, revision: str = "head") -> None:
    """Bring a schema to a revision; safe to run from several places at once (an advisory lock holds the others)."""
    await asyncio.to_thread(command.upgrade, alembic_config(database_url, schema, versions), revision)


async def downgrade(database_url: str, schema: str, versions: Path, revision: str = "base") -> None:
    """Take a schema back to a revision; what was in dropped tables is gone."""
    await asyncio.to_thread(command.downgrade, alembic_config(database_url, schema, versions), revision)


def offline_sql(database_url: str, schema: str, versions: Path) -> None:
    """Print the SQL of all revisions, for those who don't let programs change their schemas."""
    command.upgrade(alembic_config(database_url, schema, versions), "head", sql=True)


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
