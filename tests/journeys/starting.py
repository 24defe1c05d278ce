"""Starts an instance for the journeys: all as processes, on a settable clock, with short leases and deadlines."""

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx2

from services.cli.keys import ApiClient
from services.cli.observing import Observer
from services.cli.running_stack import RunningStack, StackOptions, running_stack
from tests.journeys.instance import LiveInstance, day

SETTINGS = {
    "OUTBOX_LEASE_SECONDS": "2",
    "KAFKA_SESSION_TIMEOUT_MS": "2000",
    # An attempt is cut early, so that the lease of a killed notifier may be short.
    "NOTIFIER_LEASE_SECONDS": "5",
    "NOTIFIER_HTTP_DEADLINE": "2",
    "SMTP_DEADLINE": "2",
    "NOTIFIER_HOLD_SECONDS": "1",
    "NOTIFIER_SWEEP_SECONDS": "1",
}


@contextmanager
def prepared(folder: Path, *, brokers: int = 1, environment: Mapping[str, str] | None = None) -> Iterator[RunningStack]:
    """Everything up and ready, at noon of the statement's day; `environment` are further settings of all processes."""
    options = StackOptions(
        state=folder / "stack",
        folder=folder / "fleet",
        clients=(ApiClient("tests", ("editor", "reporter", "assessor", "subscriber", "operator", "admin", "auditor")),),
        clock_file=folder / "clock",
        begins=day(0),
        brokers=brokers,
        environment=SETTINGS | {"PORTAL_SECRET": secrets.token_hex(16)} | dict(environment or {}),
    )
    with running_stack(options, lambda line: None) as stack:
        yield stack


@asynccontextmanager
async def instance_of(running: RunningStack) -> AsyncIterator[LiveInstance]:
    """What a test needs to act on it, in the test's own event loop."""
    assert running.parts
    async with (
        Observer(running.database_url) as observer,
        httpx2.AsyncClient(timeout=30, trust_env=False) as http,
    ):
        yield LiveInstance(
            stack=running.parts,
            fleet=running.fleet,
            clock=running.clock,
            observer=observer,
            http=http,
            key=running.keys["tests"],
            kafka=running.kafka,
            database_url=running.database_url,
            access_file=Path(running.environment["ACCESS_FILE"]),
            inbox_url=running.inbox_url,
        )
