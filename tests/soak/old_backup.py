"""The restore in the middle: a dump from some time before, put in place of the database, and the operator's word."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2

from services.cli.running_stack import RunningStack
from services.notifier.delivery.identity import delivery_id
from tests.journeys.operating import ON_BOTH, dump, held, pledgewire, put_back
from tests.soak.poster import Poster
from tests.soak.receivers import Ledger

ALL = (*ON_BOTH, "scheduler-2", "notifier-2")
HELD_SECONDS = 4.0
"""So long the operator looks at what is held."""


_UNPUBLISHED = "select exists (select from registry.outbox where published_at is null)"
_TOLD = """
select (v ->> 'event_id')::uuid as event_id, (each ->> 'subscription_id')::uuid as subscription_id
from notifier.outbox, lateral (select convert_from(value, 'UTF8')::json as v) j,
     lateral json_array_elements(v -> 'deliveries') each
where topic = 'delivery-settled' and published_at is not null
"""


@dataclass
class Restore:
    """When what happened, in seconds since 1970, and what was known then."""

    dumped_at: float = 0.0
    stopped_at: float = 0.0
    released_at: float = 0.0
    told: frozenset[UUID] = frozenset()
    """Deliveries whose end was on the topic when the database was put back, so that it could be known."""
    held: dict[str, int] = field(default_factory=dict)
    sent_while_held: int = 0


async def take_backup(stack: RunningStack, file: Path, restore: Restore) -> None:
    """Dump what the database holds now, while everything runs."""
    restore.dumped_at = time.time()
    await dump(stack.database_url, file)


async def put_old_backup_back(
    stack: RunningStack, file: Path, restore: Restore, poster: Poster, ledger: Ledger
) -> None:
    """Stop the services, restore, start them, look at what is held for a while, and release it.

    What was answered over HTTP and is on no topic yet would be lost with its database: nothing could know of it. So
    nothing is posted until all that was answered is on its topic. Reports over Kafka go on.
    """
    await poster.stop_posting()
    await _all_published(stack.database_url)
    await asyncio.to_thread(stack.fleet.stop, *ALL)
    restore.told = await _told(stack.database_url)
    restore.stopped_at = time.time()
    await put_back(stack.database_url, file)
    before = len(ledger.receipts)
    stack.fleet.start(*ALL)
    poster.go_on()
    await _compared(stack)
    await asyncio.sleep(HELD_SECONDS)
    restore.held = await held(stack.environment)
    restore.sent_while_held = len(ledger.receipts) - before
    restore.released_at = time.time()
    await asyncio.to_thread(pledgewire, stack.environment, "recovery", "release", "--by", "soak")


async def _all_published(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(60):
            while await connection.fetchval(_UNPUBLISHED):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def _told(database_url: str) -> frozenset[UUID]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(_TOLD)
    finally:
        await connection.close()
    return frozenset(delivery_id(row["event_id"], row["subscription_id"]) for row in rows)


async def _compared(stack: RunningStack) -> None:
    """Wait until each of them has compared its database with the topics: then it is known what is held."""
    async with asyncio.timeout(120), httpx2.AsyncClient(timeout=5, trust_env=False) as http:
        for name in ALL:
            while True:
                try:
                    found = (await http.get(f"{stack.admin_url(name)}/readyz")).json()
                except httpx2.TransportError:
                    found = {}
                if found.get("recovery", "not yet") == "ok" or "held since" in found.get("recovery", ""):
                    break
                await asyncio.sleep(0.3)
