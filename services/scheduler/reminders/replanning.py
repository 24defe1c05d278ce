"""Planning anew: after another ladder book, a reader's other ladder, or with other zone data.

A replanning is a row that says how far it has come, and goes on commitment by commitment, some in a transaction,
under the locks of the intake. Should its process die, any other one finishes it.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from services.plumbing.database import Connection, Database
from services.plumbing.logs import log
from services.plumbing.retry import pause_until
from services.plumbing.transient_errors import is_transient
from services.plumbing.zones import ZONE_DATA
from services.scheduler.reminders import store
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.rules.agenda import Agenda, PlanningRules, replanned
from services.scheduler.reminders.zone_changes import write_zone_changes

AT_ONCE = 200
"""Commitments in one transaction: what the intake and the tick may wait for."""

ReplanningCause = Literal["book", "choice", "zones"]


@dataclass(frozen=True)
class Replanning:
    """What has come of one so far: reminders, by what happened to them."""

    id: int
    milestones: int
    added: int
    withdrawn: int
    moved: int
    passed: int
    finished: bool


async def begin(
    connection: Connection,
    cause: ReplanningCause,
    at: datetime,
    *,
    subscription_id: UUID | None = None,
    from_release: str | None = None,
) -> int:
    """Have everything that the cause affects planned anew, as of `at`; the replanning's id."""
    id_: int = await connection.fetchval(
        "insert into replanning (cause, subscription_id, from_release, to_release, at) values ($1, $2, $3, $4, $5)"
        " returning id",
        cause,
        subscription_id,
        from_release,
        ZONE_DATA if cause == "zones" else None,
        at,
    )
    return id_


async def begin_for_zones(connection: Connection, at: datetime) -> int | None:
    """Begin, or take up again, where the stored instants rest on other zone data than this process has."""
    before = await connection.fetchval("select zone_data from tick for update")
    if before == ZONE_DATA:
        return None
    begun: int | None = await connection.fetchval(
        "select id from replanning where cause = 'zones' and to_release = $1 and finished_at is null limit 1", ZONE_DATA
    )
    return begun or await begin(connection, "zones", at, from_release=before)


class Replanner:
    """Works off replannings, those that others left behind too."""

    def __init__(self, database: Database, rules_cache: RulesCache, every: float = 3.0) -> None:
        """`every`: seconds of real time between two looks for work."""
        self._database = database
        self._rules_cache = rules_cache
        self._every = every

    async def run(self, stopping: asyncio.Event) -> None:
        """Look for work and do it, until told to stop."""
        while not stopping.is_set():
            try:
                while not stopping.is_set() and await self._is_any() and await self.once():
                    pass
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("planning anew waits", action="replanning_waits", error=str(error))
            await pause_until(self._every, stopping)

    async def _is_any(self) -> bool:
        async with self._database.connection() as connection:
            return bool(await connection.fetchval("select exists (select from replanning where finished_at is null)"))

    async def finish(self, id_: int) -> Replanning:
        """Work on one to its end, together with any other process that does so too."""
        while True:
            done = await self.once(id_)
            if done is None or done.finished:
                break
        async with self._database.connection() as connection:
            return _replanning(await connection.fetchrow("select * from replanning where id = $1", id_))

    async def once(self, id_: int | None = None) -> Replanning | None:
        """Some commitments of one, the oldest that nobody works on; what has come of it so far, None without work."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "select * from replanning where finished_at is null and ($1::bigint is null or id = $1)"
                " and (to_release is null or to_release = $2)"  # other data is another program's
                f" order by id limit 1 for update {'skip locked' if id_ is None else ''}",
                id_,
                ZONE_DATA,
            )
            if row is None:
                return None
            done = await self._some(connection, row)
        if done.finished:
            log.info("planned anew", action="replanned", cause=row["cause"], added=done.added, moved=done.moved)
        return done

    async def _some(self, connection: Connection, row: asyncpg.Record) -> Replanning:
        rules = await self._rules_cache.rules(connection)
        commitments = await _commitments(connection, row)
        try:
            counts = await _replan(connection, row, rules, commitments)
        except Exception as error:
            if is_transient(error):
                raise
            counts = Counter()
            for commitment in commitments:
                counts += await self._one(connection, row, rules, commitment)
        finished = len(commitments) < AT_ONCE
        if finished and row["cause"] == "zones":
            await connection.execute("update tick set zone_data = $1", ZONE_DATA)
        return _replanning(
            await connection.fetchrow(
                """
                update replanning set
                    place = $2, milestones = milestones + $3, added = added + $4, withdrawn = withdrawn + $5,
                    moved = moved + $6, passed = passed + $7,
                    finished_at = case when $8 then clock_timestamp() end
                where id = $1 returning *
                """,
                row["id"],
                commitments[-1] if commitments else row["place"],
                *(counts[what] for what in ("milestones", "added", "withdrawn", "moved", "passed")),
                finished,
            )
        )

    async def _one(
        self, connection: Connection, row: asyncpg.Record, rules: PlanningRules, commitment: str
    ) -> Counter[str]:
        """One commitment by itself; should it really be unreadable, then the tick will put it aside."""
        try:
            return await _replan(connection, row, rules, [commitment])
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("a commitment can't be planned anew", action="replanning_left_out", commitment=commitment)
            return Counter()


async def _replan(
    connection: Connection, row: asyncpg.Record, rules: PlanningRules, commitments: Sequence[str]
) -> Counter[str]:
    """Plan some commitments anew, all of them or none; what became of their milestones and reminders."""
    async with connection.transaction():
        before = await store.lock_agendas(connection, commitments)
        after = {
            id_: replanned(
                agenda,
                row["at"],
                rules,
                only=row["subscription_id"],
                into_past="pending" if row["cause"] == "zones" else "passed",
            )
            for id_, agenda in before.items()
        }
        await store.write_agendas(connection, before, after)
        if row["from_release"]:
            await write_zone_changes(connection, before, after, row)
    return _counts(before, after)


async def _commitments(connection: Connection, row: asyncpg.Record) -> list[str]:
    """The next commitments that have milestones; for a reader's ladder those that it was or is now asked for."""
    rows = await connection.fetch(
        """
        select distinct p.commitment_id
        from milestone_plan p
        where p.commitment_id > $1
          and ($2::uuid is null
               or exists (
                   select from chosen_ladder c
                   where c.subscription_id = $2 and (c.choice->>'active')::boolean
                     and (c.choice->'parties' = '[]' or c.choice->'parties' ?|
                          array(select jsonb_array_elements_text(p.milestone->'parties')))
                     and (c.choice->'themes' = '[]' or c.choice->'themes' ?|
                          array(select jsonb_array_elements_text(p.commitment->'themes')))
                     and (c.choice->'sections' = '[]' or c.choice->'sections' ? (p.commitment->>'section'))
                     and (c.choice->'commitments' = '[]' or c.choice->'commitments' ? p.commitment_id))
               or exists (
                   select from reminder r
                   where r.audience = $2 and r.milestone_id = p.milestone_id and r.state = 'pending'))
        order by p.commitment_id limit $3
        """,
        row["place"],
        row["subscription_id"],
        AT_ONCE,
    )
    return [found["commitment_id"] for found in rows]


def _counts(before: Mapping[str, Agenda], after: Mapping[str, Agenda]) -> Counter[str]:
    """How many milestones were planned anew, and reminders to come added, withdrawn, moved and put into the past."""
    counts = Counter(milestones=sum(len(agenda.schedules) for agenda in after.values()))
    for id_, agenda in after.items():
        for key, reminder in agenda.reminders.items():
            known = before[id_].reminders.get(key)
            if reminder == known:
                continue
            waited = known is not None and known.state == "pending"
            if reminder.state == "pending":
                counts["moved" if waited else "added"] += 1
            elif waited:
                counts[reminder.state] += 1
    return counts


def _replanning(row: asyncpg.Record | None) -> Replanning:
    if row is None:
        raise RuntimeError("a replanning has lost its row")
    return Replanning(
        row["id"],
        row["milestones"],
        row["added"],
        row["withdrawn"],
        row["moved"],
        row["passed"],
        row["finished_at"] is not None,
    )
