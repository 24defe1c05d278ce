"""Settle: results are recorded many at a time, with the events that say how deliveries ended."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from contracts.events import MilestoneDue
from contracts.topics import MILESTONE_DUE
from services.notifier.channels.outcomes import failed_for_its_destination
from services.notifier.delivery.attempt_spans import log_given_up
from services.notifier.delivery.deliveries import DeliveryResult
from services.notifier.delivery.event_cache import EventCache
from services.notifier.delivery.followers import of_each_row
from services.notifier.delivery.metrics import ATTEMPTS, DELIVERIES, DESTINATIONS, DUE_TO_SENT, LATENCY
from services.notifier.delivery.pace_store import record_pace
from services.notifier.delivery.put_off import put_off_claimed
from services.notifier.delivery.results import of_latest_claims, record_results
from services.notifier.delivery.settled_events import publish_settled
from services.notifier.delivery.turns import promote
from services.notifier.events.published_event import PublishedEvent
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.failpoints import failpoint
from services.plumbing.logs import log
from services.plumbing.retry import Backoff, pause_until
from services.plumbing.transient_errors import is_transient


class ResultRecorder:
    """Gathers results for `seconds`, or until there are `most`, and records them in one transaction."""

    def __init__(
        self,
        database: Database,
        events: EventCache,
        clock: Clock,
        *,
        most: int,
        seconds: float,
        recorded: Callable[[Sequence[tuple[DeliveryResult, bool]]], None] = lambda _results: None,
    ) -> None:
        """`recorded` is told of results after their commit, and whether each delivery was still ours by then."""
        self._database = database
        self._events = events
        self._clock = clock
        self._most = most
        self._seconds = seconds
        self._results: list[DeliveryResult] = []
        self._has_results = asyncio.Event()
        self._recorded = recorded
        self._urgent = asyncio.Event()
        self._recording = asyncio.Lock()

    def report(self, result: DeliveryResult, *, is_urgent: bool = False) -> None:
        """Have a result recorded soon; at once where something waits for it."""
        self._results.append(result)
        self._has_results.set()
        if is_urgent:
            self._urgent.set()

    async def run(self) -> None:
        """Record results as they come; ends only by a fault that does not pass."""
        while True:
            await self._has_results.wait()
            if len(self._results) < self._most:
                await pause_until(self._seconds, self._urgent)
            self._urgent.clear()
            await self.flush()

    async def flush(self) -> None:
        """Record all results; while the database is away they wait, and so do claims, since nothing is released."""
        async with self._recording:  # or the last flush, at the stop, would run into the one under way
            await self._flush_in_turn()

    async def _flush_in_turn(self) -> None:
        backoff = Backoff(longest=5.0)
        while self._results:
            batch = self._results[: self._most * 2]
            try:
                await self._record(batch)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("results wait", action="results_wait", error=str(error), seconds=backoff.pause)
                await backoff.wait()
                continue
            backoff.reset()
            del self._results[: len(batch)]
        self._has_results.clear()

    async def _record(self, batch: Sequence[DeliveryResult]) -> None:
        now = self._clock.now()
        results = of_latest_claims(of_each_row(batch))
        settled = [result for result in results if result.is_settled]
        put_off = [result for result in results if result.deferral is not None]
        events = await self._events.get_all(result.delivery.event_id for result in (*settled, *put_off))
        async with self._database.transaction() as connection:
            attempts = await record_results(self._database, connection, results)
            await put_off_claimed(connection, [one for one in put_off if one.delivery.id in attempts], events, now)
            await publish_settled(self._database, connection, settled, attempts, events, now)
            # A message that went to several rows was sent once.
            sends = [result for result in results if result.leader in (None, result.delivery.id)]
            await record_pace(connection, sends, now)
            failpoint("notifier-before-commit")
        ours = {id(result.delivery) for result in results if result.delivery.id in attempts}
        self._recorded([(result, id(result.delivery) in ours) for result in batch])
        await promote(self._database, {result.delivery.thread for result in results})
        recorded = [result for result in results if id(result.delivery) in ours]
        log_given_up(recorded, attempts, events)
        _count(recorded, events)


def _count(recorded: Sequence[DeliveryResult], events: Mapping[UUID, PublishedEvent]) -> None:
    attempts, ends = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for result in recorded:
        channel = result.delivery.recipient.channel
        if result.attempt is not None and result.leader in (None, result.delivery.id):
            attempts[channel, type(result.attempt.outcome).__name__.lower()] += 1
            if (failed := failed_for_its_destination(result.attempt.outcome)) is not None:
                DESTINATIONS.record(result.delivery.destination, channel, time.monotonic(), failed=failed)
        if result.is_settled:
            ends[channel, result.state] += 1
        if result.state == "delivered" and (event := events.get(result.delivery.event_id)):
            LATENCY.observe(max((result.at - event.time).total_seconds(), 0.0))
            _observe_reminder(event, result.at)
    for labels, count in attempts.items():
        ATTEMPTS.labels(*labels).inc(count)
    for labels, count in ends.items():
        DELIVERIES.labels(*labels).inc(count)


def _observe_reminder(event: PublishedEvent, sent_at: datetime) -> None:
    if event.told_as != MILESTONE_DUE.name:
        return
    with contextlib.suppress(ValueError):  # a row of an older contract is sent all the same
        if isinstance(event.data, MilestoneDue):
            DUE_TO_SENT.observe(max((sent_at - event.data.due_at).total_seconds(), 0.0))
