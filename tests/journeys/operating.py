"""What an operator does from outside: commands, a backup beside everything that runs, and its way back."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from deploy.embedded.postgres_programs import call, wheel
from services.cli.databases import with_database
from services.cli.up.running import NAMES

ON_BOTH = ("registry", "scheduler", "notifier")
"""The services that need Kafka and PostgreSQL."""


def without_instance() -> dict[str, str]:
    """This process's variables, but for those that say where an instance is: they would win over one that runs."""
    return {name: text for name, text in os.environ.items() if name not in NAMES}


def run_pledgewire(
    environment: Mapping[str, str], *arguments: str, seconds: float = 300.0
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; blocks."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def pledgewire(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command prints that has to end well; blocks."""
    done = run_pledgewire(environment, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def held(environment: Mapping[str, str]) -> dict[str, int]:
    """Which services wait for the operator's word, and how many wait there."""
    documents = json.loads(await asyncio.to_thread(pledgewire, environment, "recovery", "status", "--json"))["items"]
    return {one["service"]: one["held"] for one in documents}


async def dump(database_url: str, file: Path) -> None:
    """Write what the database holds at this instant to a file."""
    await _run("pg_dump", "--format=custom", "--compress=none", f"--file={file}", f"--dbname={database_url}")


async def put_back(database_url: str, file: Path) -> None:
    """Have the database be what was dumped, whatever it is now; whoever is connected to it is cut off."""
    name = urlsplit(database_url).path.removeprefix("/")
    connection = await asyncpg.connect(with_database(database_url, "postgres"))
    try:
        await connection.execute(f'drop database if exists "{name}" with (force)')
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    await _run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={database_url}", str(file))


async def _run(program: str, *arguments: str) -> None:
    done = await asyncio.to_thread(call, [str(wheel() / "bin" / program), *arguments], None, 300.0)
    assert done.returncode == 0, done.stderr
