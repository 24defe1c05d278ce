"""Silences in PostgreSQL; whoever makes or ends one is written to the audit log in the same transaction."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from contracts.filters import Filters
from services.notifier.silences.silence import NOTICE, Silence
from services.notifier.timing.first_allowed import Mute
from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection, Database
from services.plumbing.logs import log

Row = asyncpg.Record
Resume = Callable[[Database, Connection, Collection[UUID] | None, datetime], Awaitable[None]]
"""Lets what waits for the end of silences be looked at anew: of some subscriptions, or (None) of all."""

_COLUMNS = (
    "id, author, owner, subscription_id, reason, events, parties, themes, sections, commitments, begins, ends,"
    " created_at, ended_at, ended_by"
)
_FILTERS = ("events", "parties", "themes", "sections", "commitments")
_IS_FOR = """
(s.subscription_id is null or d.subscription_id = s.subscription_id)
and (s.owner is null or d.subscription_id in (select id from subscription o where o.owner = s.owner))
"""
_HOLDING = f"""
select {_COLUMNS}, case
    when subscription_id is not null then array[subscription_id]
    when owner is not null then array(select o.id from subscription o where o.owner = s.owner)
end as subscriptions
from silence s where ended_at is null and ends > $1 order by id
"""
_ENDING = """
update silence set noticed_at = $1
where ended_at is null and noticed_at is null and ends > $1
      and ends - least($2::interval, (ends - begins) / 4) <= $1
returning id, author, owner, ends
"""


class SilenceStore:
    """Silences; `owner` None stands for an operator, who sees all of them and may silence everybody."""

    def __init__(self, database: Database, resume: Resume) -> None:
        self._database = database
        self._resume = resume

    async def add(self, values: Mapping[str, Any], now: datetime, by: Actor) -> Row | None:
        """A new silence; None where it names a subscription that its owner does not have."""
        row = {**values, "author": by.client, "created_at": now}
        places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        async with self._database.transaction() as connection:
            if row["subscription_id"] is not None and not await connection.fetchval(
                "select true from subscription where id = $1 and ($2::text is null or owner = $2)",
                row["subscription_id"],
                row["owner"],
            ):
                return None
            added = await connection.fetchrow(
                f"insert into silence ({', '.join(row)}) values ({places}) returning {_COLUMNS}, 0 as waiting",
                *row.values(),
            )
            if added is None:
                raise LookupError("the statement gave no row")
            await audit(connection, AuditEntry("silence.added", _subject(added), by, now, None, _facts(added)))
            return added

    async def page(self, owner: str | None, before: UUID | None, limit: int, now: datetime) -> Sequence[Row]:
        """Silences, the newest first, before one of them; those that hold for an owner's subscriptions, or all."""
        async with self._database.connection() as connection:
            return list(
                await connection.fetch(
                    f"select {_COLUMNS}, case when ended_at is null and ends > $4 then ("
                    f"select count(*) from delivery d where d.state = 'pending' and d.rule = 'silence' and {_IS_FOR}"
                    ") else 0 end as waiting"
                    " from silence s where ($1::text is null or owner = $1) and ($2::uuid is null or id < $2)"
                    " order by id desc limit $3",
                    owner,
                    before,
                    limit,
                    now,
                )
            )

    async def end(self, id_: UUID, owner: str | None, now: datetime, by: Actor) -> bool:
        """End a silence before its time: what waits for it is told, where nothing else holds it back.

        Whether there is one; ending one that has ended changes nothing.
        """
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                f"select {_COLUMNS} from silence where id = $1 and ($2::text is null or owner = $2) for update",
                id_,
                owner,
            )
            if row is None or row["ended_at"] is not None or row["ends"] <= now:
                return row is not None
            await connection.execute(
                "update silence set ended_at = $2, ended_by = $3 where id = $1", id_, now, by.client
            )
            after = {"ended_at": now.isoformat()}
            await audit(connection, AuditEntry("silence.ended", _subject(row), by, now, _facts(row), after))
            only = [row["subscription_id"]] if row["subscription_id"] is not None else None
            await self._resume(self._database, connection, only, now)
            return True

    async def notice_ends(self, now: datetime) -> int:
        """Say of each silence once that it ends soon, in the log and the audit log; of how many that was."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_ENDING, now, NOTICE)
            for row in rows:
                ends = row["ends"].isoformat()
                by = Actor("notifier")
                await audit(connection, AuditEntry("silence.ending", _subject(row), by, now, None, {"ends": ends}))
        for row in rows:
            log.warning(
                "a silence ends soon", action="silence_ending", silence=str(row["id"]), author=row["author"], ends=ends
            )
        return len(rows)


async def holding_silences(connection: Connection, now: datetime) -> tuple[Silence, ...]:
    """The silences that hold, and those that are to come."""
    return tuple(
        Silence(
            row["id"],
            Mute(Filters(*(frozenset(row[name]) for name in _FILTERS)), row["ends"], row["begins"], "silence"),
            frozenset(row["subscriptions"]) if row["subscriptions"] is not None else None,
        )
        for row in await connection.fetch(_HOLDING, now)
    )


def _subject(row: Row) -> str:
    return f"silence/{row['id']}"


def _facts(row: Row) -> dict[str, Any]:
    only = row["subscription_id"]
    return {
        "reason": row["reason"],
        "owner": row["owner"],
        "subscription": str(only) if only else None,
        "begins": row["begins"].isoformat(),
        "ends": row["ends"].isoformat(),
    } | {name: list(row[name]) for name in _FILTERS if row[name]}
