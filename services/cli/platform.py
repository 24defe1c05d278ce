"""What has to be there before the services run: topics and schemas."""

import asyncio
import json
import os
import sys
import time
from typing import Any, Self

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY
from services.plumbing.settings_faults import check_database_url
from services.plumbing.transient_errors import is_transient


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
