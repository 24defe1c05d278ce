"""What operators and ministries have said about sending, as every process knows it: stop switch, silences and trial.

The switch and the trial are read every two seconds, so a stop holds everywhere within a few; silences every other
time. A process that could not read them for longer sends nothing: rather late than against somebody's word.
"""

import asyncio
import time
from uuid import UUID

from prometheus_client import Gauge

from services.notifier.delivery.sending_stop import SendingStop, stop_from
from services.notifier.delivery.taking_over import count_unsettled
from services.notifier.delivery.trial import HeldByTrial, Trial, count_held, trial_from
from services.notifier.silences.silence import Silence, state_at
from services.notifier.silences.store import holding_silences
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.logs import log
from services.plumbing.transient_errors import is_transient

STOPPED = Gauge("pledgewire_sending_stopped", "1 while somebody has stopped all sending")
HELD = Gauge("pledgewire_sending_held", "Deliveries that wait since somebody has stopped all sending")
SILENCES = Gauge(
    "pledgewire_silences", "Silences by how it stands with them; those that end soon are active too", ["state"]
)

ON_TRIAL = Gauge("pledgewire_trial", "1 while only the addresses of the trial's list get anything")
HELD_BY_TRIAL = Gauge("pledgewire_trial_held", "Deliveries that a trial holds until somebody goes live")

READ_EVERY = 2.0
"""Seconds of real time between two readings."""
SILENCES_EVERY = 2
"""Readings."""
STALE_AFTER = 4.0
"""Seconds without a reading after which nothing more is sent."""

_ORDERS = """
select s.stopped_at, s.stopped_by, s.reason, t.began_at, t.began_by, t.allowed
from (select) as one left join sending_stop s on s.started_at is null left join trial t on t.ended_at is null
"""
"""The stop and the trial that hold, in one row, since it is asked all the time; nulls for one that doesn't."""


class StandingOrders:
    """Reads them again and again, and says whether this process may send."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._read_at = float("-inf")
        self.stop: SendingStop | None = None
        self.waiting = 0
        """How many deliveries wait, while sending is stopped."""
        self.silences: tuple[Silence, ...] = ()
        """Those that hold or are to come."""
        self.trial: Trial | None = None
        self._held = HeldByTrial(0, 0, 0)
        ON_TRIAL.set_function(lambda: 1 if self.trial else 0)
        HELD_BY_TRIAL.set_function(lambda: self._held.deliveries)
        STOPPED.set_function(lambda: 1 if self.stop else 0)
        HELD.set_function(lambda: self.waiting if self.stop else 0)

    @property
    def may_send(self) -> bool:
        """Whether nobody has stopped sending; no, while that is not known."""
        return self.stop is None and time.monotonic() - self._read_at < STALE_AFTER

    def describe(self) -> str:
        """How it stands, for `/readyz`."""
        if self.stop:
            return (
                f"stopped since {self.stop.since:%Y-%m-%dT%H:%M:%SZ} by {self.stop.by}: {self.stop.reason};"
                f" {self.waiting} wait; see `pledgewire sending status`"
            )
        if not self.may_send:
            return "not known yet whether somebody has stopped it"
        if self.trial:
            return (
                f"on trial since {self.trial.since:%Y-%m-%dT%H:%M:%SZ}: {self._held.deliveries} held;"
                " see `pledgewire trial status`"
            )
        return "ok"

    def may_tell(self, subscription: UUID, channel: str, address: str) -> bool:
        """Whether a subscription of this channel and address may get anything, as far as a trial is concerned."""
        return self.trial is None or self.trial.permits(subscription, channel, address)

    async def read(self, *, silences_too: bool = True) -> None:
        """Read once; raises what passes while the database is away."""
        started, now = time.monotonic(), self._clock.now()
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_ORDERS)
            stop = stop_from(row) if row and row["stopped_at"] else None
            silences = await holding_silences(connection, now) if silences_too else self.silences
            self.waiting = await count_unsettled(connection) if stop else 0
        trial = trial_from(row) if row and row["began_at"] else None
        if (stop is None) != (self.stop is None):
            log.warning("sending was stopped" if stop else "sending goes on", action="sending_order")
        if (trial is None) != (self.trial is None):
            log.warning("a trial is on" if trial else "no trial is on", action="trial")
        self.stop, self.silences, self.trial, self._read_at = stop, silences, trial, started
        states = [state_at(now, one.mute.begins or now, one.mute.ends, None) for one in silences]
        for state in ("upcoming", "active", "ending"):
            SILENCES.labels(state).set(states.count(state))

    async def count_held(self) -> None:
        """Count what a trial holds; raises what passes while the database is away.

        Apart from the reading, which nothing may hold up: it may be much.
        """
        if self.trial is None:
            self._held = HeldByTrial(0, 0, 0)
            return
        async with self._database.connection() as connection:
            self._held = await count_held(connection, self._clock.now())

    async def run(self, stopping: asyncio.Event) -> None:
        """Read every two seconds until told to stop."""
        stop = asyncio.create_task(stopping.wait())
        silences_read_at = float("-inf")
        try:
            while not stopping.is_set():
                started = time.monotonic()
                silences_too = started - silences_read_at > READ_EVERY * (SILENCES_EVERY - 0.5)
                try:
                    await self.read(silences_too=silences_too)
                    silences_read_at = started if silences_too else silences_read_at
                except Exception as error:
                    if not is_transient(error):
                        raise
                    log.warning("the orders can't be read", action="orders_wait", error=str(error))
                await asyncio.wait([stop], timeout=READ_EVERY)
        finally:
            stop.cancel()
