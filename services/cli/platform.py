"""What has to be there before the services run: topics, schemas, keys."""

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any, Self

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY
from services.plumbing.settings_faults import check_database_url
from services.plumbing.transient_errors import is_transient

ROLES = ("editor", "reporter", "subscriber", "operator", "holder")
"""`holder` is the registry's own: it holds old dates at the scheduler while they move."""
SHORTEST_KEY = 32


def database_url() -> str:
    """DATABASE_URL, which must be set and make sense; raises EmbeddedError."""
    url = os.environ.get("DATABASE_URL")
    how = "name the PostgreSQL to use: DATABASE_URL=postgresql://user:password@host/name"
    if not url:
        raise EmbeddedError("DATABASE_URL is not set", how, ASKED_WRONGLY)
    try:
        check_database_url(url)
    except ValueError as error:
        raise EmbeddedError(f"DATABASE_URL can't be: {error}", how, ASKED_WRONGLY) from None
    return url


def topics_command(*, dry_run: bool) -> None:
    """Print the changes, one a line; make them unless it is a dry run."""
    from aiokafka.errors import KafkaError

    from services.cli.topics import apply_topics
    from services.plumbing.kafka.settings import KafkaSettings

    settings = KafkaSettings()
    try:
        changes = asyncio.run(apply_topics(settings, dry_run=dry_run))
    except (KafkaError, OSError, TimeoutError) as error:
        raise EmbeddedError(
            f"Kafka at {settings.bootstrap_servers} did not do it: {error}",
            "set KAFKA_BOOTSTRAP_SERVERS and the KAFKA_SASL_ and KAFKA_SSL_ settings",
        ) from error
    for change in changes:
        typer.echo(f"{'would ' if dry_run else ''}{change.topic}: {change.what}")
    if not changes:
        typer.echo("all topics are as they should be")


def upgrade_command() -> None:
    """Migrate every schema."""
    from services.cli.databases import upgrade_all

    try:
        asyncio.run(upgrade_all(database_url()))
    except Exception as error:
        if not is_transient(error):
            raise
        raise EmbeddedError(f"the database did not do it: {error}", "check DATABASE_URL and try again") from error
    typer.echo("all schemas are at their newest revision")


def verify_command(*, as_json: bool, topics: bool = True) -> int:
    """Print each law and whether it holds; 0 if all do. Without the topics, only the database is looked at."""
    from services.cli.observing import Observer
    from services.cli.topic_check import check_topics
    from services.plumbing.kafka.settings import KafkaSettings

    async def check() -> list[Any]:
        async with Observer(database_url()) as observer:
            checks = await observer.conservation()
            if topics:
                with ProgressLine("reading the topics") as line:
                    checks += await check_topics(observer.connection, KafkaSettings(), line.show)
            return checks

    try:
        checks = asyncio.run(check())
    except Exception as error:
        if not is_transient(error):
            raise
        raise EmbeddedError(
            f"the database or Kafka did not answer: {error}",
            "check DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS and try again; --no-topics looks at the database alone",
        ) from error
    if as_json:
        typer.echo(json.dumps([vars(c) for c in checks], ensure_ascii=False))
    else:
        for c in checks:
            typer.echo(f"{'ok ' if c.ok else 'NO '} {c.name}: {c.found}")
    return 0 if all(c.ok for c in checks) else 1


class ProgressLine:
    """A line on a terminal that says how far something is, once it takes longer than a second; elsewhere nothing."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = self._shown = time.monotonic()
        self._is_shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            print(file=sys.stderr)

    def show(self, done: int, of: int) -> None:
        """So much of so much is done."""
        now = time.monotonic()
        if now - self._shown >= 1 and sys.stderr.isatty():
            self._shown, self._is_shown = now, True
            share = done / max(of, 1)
            bar = "#" * int(share * 30)
            print(f"\r{self._what} [{bar:<30}] {share:4.0%}", end="", file=sys.stderr, flush=True)


def sql_command() -> None:
    """Print all revisions as SQL."""
    from services.cli.databases import schema_versions
    from services.plumbing.migrations import offline_sql

    for schema, versions in schema_versions().items():
        offline_sql("postgresql://", schema, versions)


def add_key(file: Path, client: str, roles: list[str], ministry: str | None, agreed: str | None = None) -> str:
    """Write a key's hash into the file (mode 0600), in place of an older one of the client; the key itself.

    It is a new one, unless one is agreed already. Raises EmbeddedError for a client, a role or a key that can't be.
    """
    from services.plumbing.http.api_keys import hash_of, new_key

    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", client):
        raise EmbeddedError(
            f"{client!r} is no name for a client", "use lower-case letters, digits and single hyphens", ASKED_WRONGLY
        )
    if wrong := set(roles) - set(ROLES):
        raise EmbeddedError(f"there is no role {', '.join(sorted(wrong))}", f"use {', '.join(ROLES)}", ASKED_WRONGLY)
    if agreed is not None and (len(agreed) < SHORTEST_KEY or not agreed.isascii()):
        raise EmbeddedError(
            f"a key has at least {SHORTEST_KEY} ASCII characters",
            "use what `openssl rand -hex 32` prints",
            ASKED_WRONGLY,
        )
    key, digest = (agreed, hash_of(agreed)) if agreed else new_key(client)
    entries = json.loads(file.read_text()) if file.exists() else {}
    entries[client] = {"sha256": digest, "ministry": ministry, "roles": roles}
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(entries, out, indent=2)
    new.replace(file)
    return key


def agreed_key(variable: str) -> str:
    """The key that an environment variable holds; raises EmbeddedError where it holds none."""
    key = os.environ.get(variable)
    if not key:
        raise EmbeddedError(
            f"{variable} is not set", "put the key into it, or leave out --from to have one made", ASKED_WRONGLY
        )
    return key
