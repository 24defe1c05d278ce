"""One soak from its start to its end: what runs, what is done to it when, and what is found afterwards."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import httpx2
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from services.cli.keys import ApiClient
from services.cli.observing import Observer
from services.cli.running_stack import HOST, RunningStack, StackOptions, running_stack
from tests.journeys.operating import run_pledgewire
from tests.journeys.starting import SETTINGS
from tests.soak import plan as plans
from tests.soak.evidence import Evidence, Reader, dead_letters, deliveries_of, events_of, statuses_of
from tests.soak.kills import Killer, note_stalls
from tests.soak.old_backup import Restore, put_old_backup_back, take_backup
from tests.soak.plan import Plan
from tests.soak.poster import PARTY, Poster
from tests.soak.receivers import SECRET, Characters, Deferring, Ledger, Throttled, receivers

PATIENT = {
    # Receivers share a busy machine: what they answer late is sent again, and is no fault that is looked for here.
    "NOTIFIER_HTTP_DEADLINE": "5",
    "SMTP_DEADLINE": "5",
    "NOTIFIER_LEASE_SECONDS": "8",
}
LEAST_DRAIN = 120.0
"""Seconds after the last update in which everything has to come to rest; a long run has a sixth of its length."""

Tell = Callable[[str, float], None]
"""Is told what is going on, and which share of the run is over."""


@dataclass
class Soak:
    """A soak under way."""

    plan: Plan
    stack: RunningStack
    ledger: Ledger
    characters: Characters
    poster: Poster
    killer: Killer
    readers: dict[UUID, Reader]
    folder: Path
    restore: Restore
    tell: Tell


async def soak(plan: Plan, folder: Path, tell: Tell) -> Evidence:
    """Carry a plan out; logs and backups are in `folder`."""
    webhooks = [f"plain-{number}" for number in range(plans.PLAIN_WEBHOOKS)]
    inbox, ledger, characters = receivers([*webhooks, "hidden", "deferring"])
    async with inbox, _stack(folder, inbox.smtp_port, tell) as stack:
        stack.fleet.add_twin("notifier-2", "notifier")
        stack.fleet.add_twin("scheduler-2", "scheduler")
        stack.fleet.start("notifier-2", "scheduler-2")
        await asyncio.to_thread(stack.fleet.wait_ready)
        random = Random(plan.seed)
        commitments = await _import_statement(stack, random)
        few = commitments[: plans.FEW]
        base = f"http://{HOST}:{inbox.http_port}/hooks"
        subscriptions = [(name, "webhook", f"{base}/webhook/{name}", [], None) for name in webhooks]
        subscriptions += [
            ("desk@ministry.example", "email", "desk@ministry.example", [], None),
            ("slow", "slack", f"{base}/slack/slow", few, plans.SLACK_RATE),
            ("hidden", "webhook", f"{base}/webhook/hidden", few, plans.HIDDEN_RATE),
            ("deferring", "webhook", f"{base}/webhook/deferring", few, None),
        ]
        readers = {}
        for name, channel, address, wanted, rate in subscriptions:
            id_ = await _subscribe(stack, name, channel, address, wanted)
            readers[id_] = Reader(id_, name, channel, frozenset(wanted), rate)
        poster = Poster(random, plan.rate, commitments, stack.url("registry"), stack.keys["tests"], stack.kafka)
        assert stack.parts
        killer = Killer(stack.fleet, stack.parts)
        return await _carry_out(Soak(plan, stack, ledger, characters, poster, killer, readers, folder, Restore(), tell))


async def _carry_out(s: Soak) -> Evidence:
    begun = time.monotonic()
    s.characters.by_name |= {
        "slow": Throttled(plans.SLACK_RATE),
        "hidden": Throttled(plans.HIDDEN_RATE),
        "deferring": Deferring(s.plan.spells, begun),
    }
    beside = [asyncio.create_task(_tell(s, begun)), asyncio.create_task(note_stalls(s.killer.outages))]
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(s.poster.run(s.plan.seconds))
            tasks.create_task(s.killer.run(s.plan.kills, begun))
            tasks.create_task(_raise_partitions(s, begun))
            tasks.create_task(_restore(s, begun))
        pending = await _come_to_rest(s)
    finally:
        for task in beside:
            task.cancel()
    return await _evidence(s, pending)


async def _raise_partitions(s: Soak, begun: float) -> None:
    await asyncio.sleep(begun + s.plan.raise_at - time.monotonic())
    async with s.killer.quiet:  # an order to a broker that is about to fall would prove nothing
        admin = AIOKafkaAdminClient(**s.stack.kafka.client_options())
        await admin.start()
        try:
            (found,) = await admin.describe_topics([s.plan.raised_topic])
            more = len(found["partitions"]) + plans.MORE_PARTITIONS
            await admin.create_partitions({s.plan.raised_topic: NewPartitions(more)})
        finally:
            await admin.close()


async def _restore(s: Soak, begun: float) -> None:
    backup = s.folder / "backup"
    await asyncio.sleep(begun + s.plan.dump_at - time.monotonic())
    async with s.killer.quiet:
        await take_backup(s.stack, backup, s.restore)
    await asyncio.sleep(begun + s.plan.restore_at - time.monotonic())
    async with s.killer.quiet:
        await put_old_backup_back(s.stack, backup, s.restore, s.poster, s.ledger)


async def _come_to_rest(s: Soak) -> int:
    """Wait until nothing is under way any more, whatever its next attempt is; how much still was at the end."""
    async with Observer(s.stack.database_url) as observer:
        for left in reversed(range(int(max(LEAST_DRAIN, s.plan.seconds / 6)))):
            work = replace(await observer.pending_work(datetime.now(UTC)), tick_behind=False)  # a clock that goes on
            reports = await observer.connection.fetchval("select count(*) from registry.status_update")
            pending = int(
                await observer.connection.fetchval(
                    "select count(*) from notifier.delivery where state in ('pending', 'sending')"
                )
            )
            if not pending and work.at_rest and reports >= len(s.poster.accepted):
                return 0
            if not left:
                print(f"not at rest: {work}, {reports} updates of {len(s.poster.accepted)}", file=sys.stderr)
            await asyncio.sleep(1)
        return pending


async def _evidence(s: Soak, pending: int) -> Evidence:
    verify = await asyncio.to_thread(run_pledgewire, s.stack.environment, "verify")
    async with Observer(s.stack.database_url) as observer:
        connection = observer.connection
        return Evidence(
            updates=s.poster.accepted,
            events=await events_of(connection),
            statuses=await statuses_of(connection),
            readers=s.readers,
            deliveries=await deliveries_of(connection),
            receipts=s.ledger.receipts,
            turned_away=s.ledger.turned_away,
            strange=s.ledger.strange,
            outages=s.killer.outages,
            restore=s.restore,
            dead_letters=await dead_letters(s.stack.kafka),
            still_pending=pending,
            verify="" if verify.returncode == 0 else f"verify ended with {verify.returncode}: {verify.stdout}",
        )


@asynccontextmanager
async def _stack(folder: Path, smtp_port: int, tell: Tell) -> AsyncIterator[RunningStack]:
    options = StackOptions(
        state=folder / "stack",
        folder=folder / "fleet",
        clients=(ApiClient("tests", ("editor", "reporter", "assessor", "subscriber", "operator")),),
        environment=SETTINGS | PATIENT | {"SMTP_PORT": str(smtp_port), "PORTAL_SECRET": "0" * 32},
        reset=True,
    )
    running = running_stack(options, lambda line: tell(line, 0.0))
    stack = await asyncio.to_thread(running.__enter__)
    try:
        yield stack
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def _import_statement(stack: RunningStack, random: Random) -> list[str]:
    """Import the statement; the commitments that are reported on."""
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {stack.keys['tests']}", "Idempotency-Key": str(uuid4())}
        body = {"catalogue": "nals-2021"}
        answer = await http.post(f"{stack.url('registry')}/statements/import", json=body, headers=headers)
        assert answer.status_code in (200, 201), answer.text
    async with Observer(stack.database_url) as observer:
        found = "select id from registry.commitment where $1 = any(parties) order by id"
        ids = [r["id"] for r in await observer.connection.fetch(found, PARTY)]
    return random.sample(ids, plans.COMMITMENTS)


async def _subscribe(stack: RunningStack, name: str, channel: str, address: str, commitments: list[str]) -> UUID:
    body = {
        "subscriber": f"Ministry of {name.partition('@')[0]}",
        "channel": channel,
        "address": address,
        "language": "en",
        "zone": "America/Mexico_City",
        "filters": {"events": ["status-changed"], "commitments": commitments},
    } | ({"secret": SECRET} if channel == "webhook" else {})
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {stack.keys['tests']}"}
        answer = await http.post(f"{stack.url('notifier')}/subscriptions", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def _tell(s: Soak, begun: float) -> None:
    while True:
        passed = time.monotonic() - begun
        kills = sum(s.killer.counts.values())
        stage = ", held" if s.restore.stopped_at and not s.restore.released_at else ""
        counts = f"{len(s.poster.accepted)} updates, {len(s.ledger.receipts)} messages, {kills} kills"
        s.tell(f"{passed:4.0f} s: {counts}{stage}", min(passed / s.plan.seconds, 1.0))
        await asyncio.sleep(1)
