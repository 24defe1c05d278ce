"""Holds: reminders of what the registry is about to move are not sent any more, from before its answer on.

The registry takes a hold before it commits a newer schedule. From then on the tick passes the milestone over, until
that schedule has come through Kafka. A hold whose schedule was never written, since the registry's transaction failed,
is found by its age and released, once the registry itself says that it has no such version.
"""

from collections.abc import Mapping
from typing import Protocol

from prometheus_client import Gauge

from services.plumbing.database import Connection, Database
from services.plumbing.logs import log
from services.plumbing.transient_errors import Unavailable
from services.scheduler.holds.hold import MilestoneHold

HELD = Gauge("pledgewire_milestones_held", "Milestones that are not told, since a newer schedule is on its way")

LONGEST_WAIT = 1.5
"""Seconds that taking a hold waits for a tick or an intake that has the milestone in hand."""

STALE_AFTER = 10.0
"""Seconds, by the clock of the database, after which a hold whose schedule has not come is asked about."""

ASKED_AT_ONCE = 100
"""Stale holds that one sweep asks about."""


class ScheduleVersions(Protocol):
    """Who knows which schedules were really written."""

    async def version_of(self, milestone_id: str) -> int:
        """The newest schedule version of a milestone that was committed; raises `Unavailable`."""
        ...


async def take_holds(connection: Connection, versions: Mapping[str, int]) -> None:
    """Hold milestones until these schedule versions have come, in a transaction that must be committed.

    Waits for what has a milestone in hand, at most `LONGEST_WAIT`; raises `asyncpg.LockNotAvailableError` after it.
    A milestone that is not known here yet is held as well: its schedule may be on its way.
    """
    ids = sorted(versions)
    await connection.execute(f"set local lock_timeout = {LONGEST_WAIT * 1000:.0f}")
    await connection.execute(
        "select from milestone_plan where milestone_id = any($1::text[]) order by milestone_id for update", ids
    )
    await connection.execute(
        """
        insert into hold as h (milestone_id, schedule_version)
        select m, v from unnest($1::text[], $2::int[]) as n(m, v) order by m
        on conflict (milestone_id) do update
        set schedule_version = greatest(h.schedule_version, excluded.schedule_version), held_at = clock_timestamp()
        """,
        ids,
        [versions[id_] for id_ in ids],
    )


class HoldSweep:
    """Ends the holds that have done their work, and those whose schedule was never written."""

    def __init__(self, database: Database, schedules: ScheduleVersions | None) -> None:
        self._database = database
        self._schedules = schedules
        self._warned = False

    async def once(self) -> None:
        """Look at all holds once; raises what passes."""
        async with self._database.connection() as connection:
            count = await connection.fetchval("select count(*) from hold")
            if count:
                await _end_met(connection)
                stale = await _stale(connection)
                count = await connection.fetchval("select count(*) from hold")
            else:
                stale = []
            HELD.set(count)
        if stale and self._schedules is None:
            if not self._warned:
                log.warning("holds are kept: REGISTRY_URL names nobody to ask", action="holds_kept", holds=len(stale))
                self._warned = True
            return
        for hold in stale:
            await self._ask(hold)

    async def _ask(self, hold: MilestoneHold) -> None:
        assert self._schedules is not None  # noqa: S101  the caller has looked
        try:
            written = await self._schedules.version_of(hold.milestone_id)
        except Unavailable as error:
            log.warning("a hold is kept", action="hold_kept", milestone=hold.milestone_id, error=str(error))
            return
        if written >= hold.schedule_version:
            return  # it is on its way here
        async with self._database.connection() as connection:
            released = await _release(connection, hold)
        if released:
            log.info(
                "a hold was released: its schedule was never written",
                action="hold_released",
                milestone=hold.milestone_id,
                held_for=hold.schedule_version,
                written=written,
            )


async def _end_met(connection: Connection) -> None:
    """Delete holds whose schedule has come; they hold nothing any more."""
    await connection.execute(
        """
        delete from hold where (milestone_id, schedule_version) in (
            select h.milestone_id, h.schedule_version
            from hold h join milestone_plan p using (milestone_id)
            where p.schedule_version >= h.schedule_version for update of h skip locked
        )
        """
    )


async def _stale(connection: Connection) -> list[MilestoneHold]:
    rows = await connection.fetch(
        "select milestone_id, schedule_version, held_at from hold"
        " where held_at < clock_timestamp() - make_interval(secs => $1) order by held_at limit $2",
        STALE_AFTER,
        ASKED_AT_ONCE,
    )
    return [MilestoneHold(*row) for row in rows]


async def _release(connection: Connection, hold: MilestoneHold) -> bool:
    """Delete a hold as it was seen: one that was taken again in the meantime is another one."""
    deleted = await connection.fetchval(
        "delete from hold where milestone_id = $1 and held_at = $2 returning true", hold.milestone_id, hold.held_at
    )
    return bool(deleted)
