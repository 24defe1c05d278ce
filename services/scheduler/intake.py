"""What follows from events: agendas, escalations, feeds and ladders, in one transaction for each batch."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter

from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.inbox import first_sight
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.store import DatedEvent, EscalationStore
from services.scheduler.feeds.changes import write_feed_changes
from services.scheduler.reminders import replanning, store
from services.scheduler.reminders.ladder_store import RulesCache, write_subscription_ladders
from services.scheduler.reminders.records import ReceivedCommitmentEvent, ReceivedLadderChoice
from services.scheduler.reminders.rules.agenda import agenda_after

GROUP = "scheduler"

PLANNED = Counter(
    "pledgewire_reminders_planned_total", "Reminders written by the intake, by the state they came to", ["state"]
)


class Planner:
    """Brings agendas up to the newest events; an event that was seen before changes nothing."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        rules_cache: RulesCache | None = None,
        escalations: EscalationStore | None = None,
        planned: Callable[[Iterable[datetime]], None] = lambda _: None,
    ) -> None:
        """By the rules that are shipped, unless others are given; `planned` is told when what was planned is due."""
        self._planned = planned
        self._database = database
        self._clock = clock
        self._rules_cache = rules_cache or RulesCache()
        self._escalations = escalations or EscalationStore(read_escalation_book())

    async def apply(self, batch: Sequence[ReceivedCommitmentEvent | ReceivedLadderChoice]) -> None:
        """All or nothing; raises `UnknownZone` for a milestone in a zone that doesn't exist.

        A subscription's new ladder is only stored here: planning by it follows in the background.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            unseen = await first_sight(connection, GROUP, (one.envelope.id for one in batch), now)
            failpoint("intake-after-inbox")
            # The same event may stand in a batch twice.
            unseen_events = {one.envelope.id: one for one in batch if one.envelope.id in unseen}.values()
            received = [one for one in unseen_events if isinstance(one, ReceivedCommitmentEvent)]
            choices = [one for one in unseen_events if isinstance(one, ReceivedLadderChoice)]
            rules = await self._rules_cache.rules(connection, "alone" if choices else "shared")
            before = await store.lock_agendas(connection, (one.event.commitment.id for one in received))
            after = dict(before)
            dated = []
            for one in received:
                at = min(one.envelope.time, now)  # its sender's clock may be ahead of ours
                id_ = one.event.commitment.id
                after[id_] = agenda_after(after[id_], one.event, at, one.envelope.correlation_id, rules)
                dated.append(DatedEvent(one.event, at, one.envelope.id))
            changed = await store.write_agendas(connection, before, after)
            await self._escalations.apply_events(connection, before, dated)
            await write_feed_changes(connection, received, before, after, now)
            await _keep(connection, choices, now)
            failpoint("intake-before-commit")
        for reminder in changed:
            PLANNED.labels(reminder.state).inc()
        self._planned(reminder.due_at for reminder in changed if reminder.state == "pending")


async def _keep(connection: Connection, choices: Sequence[ReceivedLadderChoice], now: datetime) -> None:
    """Keep the newest choice of each subscription, and have its reminders planned."""
    newest: dict[UUID, ReceivedLadderChoice] = {}
    for one in choices:
        known = newest.get(one.event.subscription_id)
        if known is None or known.event.seq < one.event.seq:
            newest[one.event.subscription_id] = one
    for event in await write_subscription_ladders(connection, [one.event for one in newest.values()]):
        at = min(newest[event.subscription_id].envelope.time, now)
        await replanning.begin(connection, "choice", at, subscription_id=event.subscription_id)
