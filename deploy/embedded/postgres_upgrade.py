"""Brings the kept database of a state folder to the major version of PostgreSQL that comes along: by a dump.

A server reads the data of its own major version only, so the programs of the old one are needed: those of the wheel of
the release before, or of this machine's packages.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from deploy.embedded.apart import apart
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.postgres import UPGRADED, Postgres
from deploy.embedded.processes import clean_up
from deploy.embedded.state import Credentials, StateFolder, write_private

_KNOWN = "already exists"
"""What the new server has made itself: our account and our database."""


def upgrade_postgres(state: Path, programs: Path, progress: Callable[[str], None] | None = None) -> Path:
    """Do it, and return where the old data lies now, which nobody needs any more; raises EmbeddedError.

    `programs` is the folder with the old version's `bin`. Whoever is stopped in between begins again: the old data is
    moved only when the new one has as many rows in every table.
    """
    say = progress or (lambda line: None)
    folder = StateFolder(state)
    folder.open()
    try:
        clean_up(folder.path)
        known = folder.credentials()
        old, new = Postgres(folder, known, programs=programs), Postgres(folder, known, name="postgres.new")
        try:
            say("Starting the old PostgreSQL")
            old.start()
            kept = old.data.with_name("postgres.new")
            shutil.rmtree(kept, ignore_errors=True)
            rows = apart(lambda: _rows(old.url))
            place = old.own_folder("upgrade")
            say(f"Dumping {sum(rows.values())} rows of {len(rows)} tables")
            connection = _connection(old, known, place)
            new.place()
            new.run_program("pg_dumpall", f"--dbname={connection}", f"--file={place / 'all.sql'}")
            old.stop()
            say("Filling the new PostgreSQL")
            new.start()
            connection = _connection(new, known, place)
            said = new.run_program("psql", "--no-psqlrc", "--quiet", connection, f"--file={place / 'all.sql'}")
            faults = [line for line in said.splitlines() if "ERROR:" in line and _KNOWN not in line]
            if faults or apart(lambda: _rows(new.url)) != rows:
                raise EmbeddedError(
                    f"the new database is not the old one: {(faults or ['rows are missing'])[0]}",
                    "nothing was changed; use the release before",
                )
        finally:
            old.stop()
            new.stop()
        (new.data / UPGRADED).touch()
        version = (old.data / "PG_VERSION").read_text().strip()
        before = old.data.with_name(f"postgres-{version}")
        old.data.rename(before)
        new.data.rename(old.data)
        shutil.rmtree(place, ignore_errors=True)
        return before
    finally:
        folder.close()


def _connection(server: Postgres, known: Credentials, place: Path) -> str:
    """How PostgreSQL's programs reach it; the password stands in a file that nobody else may read."""
    host = parse_qs(urlsplit(server.url).query)["host"][0]
    write_private(place / "password", f"*:*:*:*:{known.postgres_password}\n")
    server.give(place / "password")
    words = {"host": host, "port": "5432", "user": known.username, "dbname": "postgres", "passfile": place / "password"}
    return " ".join(f"{name}='{value}'" for name, value in words.items())


async def _rows(url: str) -> dict[str, int]:
    """How many each table of ours has."""
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        )
        return {row[0]: await connection.fetchval(f"select count(*) from {row[0]}") for row in tables}
    finally:
        await connection.close()
