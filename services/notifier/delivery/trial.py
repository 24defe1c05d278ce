"""The trial: while one is on, only those on its list get anything; the rest is held until somebody goes live.

It stands in a table, so it outlives every process; each reads it again and again (`StandingOrders`), and sends nothing
while it can't. What is held is put off (`put_off`) to an instant that never comes, and is counted. Going live makes it
due: it is told then, or overtaken by newer news of the same, or expired, as what quiet hours and the stop switch hold.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from services.notifier.delivery.trial_addresses import TrialAddresses, masked_entry
from services.notifier.delivery.turns import READY
from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection

TRIAL: Literal["trial"] = "trial"
"""The rule by which something waits for somebody to go live."""
UNTIL_GO_LIVE = datetime(9999, 1, 1, tzinfo=UTC)
"""When what a trial holds is due: one instant for all, so that what waits for one reader is one message."""

_SUBJECT = "service/notifier"
_COLUMNS = "began_at, began_by, allowed"
_OPEN = f"select {_COLUMNS} from trial where ended_at is null"
_BEGIN = f"""
insert into trial (began_by, allowed) select $1::text, $2::text[]
where not $3::boolean or (not exists (select from trial) and not exists (select from delivery))
on conflict ((ended_at is null)) where ended_at is null do nothing
returning {_COLUMNS}
"""
_ALLOW = f"update trial set allowed = $1 where ended_at is null returning {_COLUMNS}"
_END = f"""
update trial set ended_at = clock_timestamp(), ended_by = $1, held = $2 where ended_at is null returning {_COLUMNS}
"""
_RESUME = "update delivery set next_at = $1 where state = 'pending' and rule = $2 and next_at >= $3"
_HELD = """
select count(*) as deliveries, count(distinct coalesce(d.destination, uuid_send(d.subscription_id))) as addresses,
       count(*) filter (where d.not_after <= $1) as stale
from delivery d where d.state = 'pending' and d.rule = $2 and d.next_at >= $3
"""
_WAKE = f"select pg_notify(current_schema() || '_{READY}', '')"


@dataclass(frozen=True)
class Trial:
    """Since when, by the clock of the database, only who is on the list gets anything, and who said so."""

    since: datetime
    by: str
    allowed: tuple[str, ...]

    @cached_property
    def addresses(self) -> TrialAddresses:
        """The list, as the rule reads it."""
        return TrialAddresses.of(self.allowed)

    def permits(self, subscription: UUID, channel: str, address: str) -> bool:
        """Whether a subscription of this channel and address gets anything."""
        return self.addresses.permits(subscription, channel, address)


@dataclass(frozen=True)
class HeldByTrial:
    """What a trial holds: so many deliveries, to so many addresses; `stale` of them would expire if it ended now."""

    deliveries: int
    addresses: int
    stale: int


async def open_trial(connection: Connection) -> Trial | None:
    """The trial that is on; None while everybody gets what they asked for."""
    row = await connection.fetchrow(_OPEN)
    return trial_from(row) if row else None


async def still_open(connection: Connection) -> Trial | None:
    """The same, and it stays so until the caller's transaction ends: who goes live, or changes the list, waits."""
    row = await connection.fetchrow(f"{_OPEN} for share")
    return trial_from(row) if row else None


async def begin_trial(
    connection: Connection, by: Actor, allowed: Collection[str], now: datetime, *, only_first: bool = False
) -> Trial | None:
    """Begin a trial, in the caller's transaction; where one is on, that one stays as it is.

    `allowed` are entries as `checked_entry` gives them. `only_first`: where there has ever been one, or anything was
    delivered without one, nothing is done, so that an instance that is live stays so; then None.
    """
    row = await connection.fetchrow(_BEGIN, by.client, sorted(set(allowed)), only_first)
    if row is None:
        return await open_trial(connection)
    await audit(connection, AuditEntry("trial.began", _SUBJECT, by, now, None, _facts(row["allowed"])))
    return trial_from(row)


async def allow(
    connection: Connection, by: Actor, added: Collection[str], removed: Collection[str], now: datetime
) -> Trial | None:
    """Change who is on the list, in the caller's transaction; None where there is no trial.

    What is held is looked at anew: it is told where its address is on the list now, and held again otherwise.
    """
    before = await connection.fetchrow(f"{_OPEN} for update")
    if before is None:
        return None
    allowed = sorted({*before["allowed"], *added} - set(removed))
    row = await connection.fetchrow(_ALLOW, allowed)
    entry = AuditEntry("trial.changed", _SUBJECT, by, now, _facts(before["allowed"]), _facts(allowed))
    await audit(connection, entry)
    await _resume(connection, now)
    return trial_from(row)


async def go_live(connection: Connection, by: Actor, now: datetime) -> HeldByTrial | None:
    """End the trial, in the caller's transaction: what was held is due at once; None where there is none.

    What would be stale by now expires, what newer news has overtaken is not told to people, and whoever has quiet hours
    now is told after them.
    """
    held = await count_held(connection, now)
    row = await connection.fetchrow(_END, by.client, held.deliveries)
    if row is None:
        return None
    before = {"since": row["began_at"].isoformat(), "by": row["began_by"], **_facts(row["allowed"])}
    after = {"held": held.deliveries, "addresses": held.addresses, "stale": held.stale}
    await audit(connection, AuditEntry("trial.ended", _SUBJECT, by, now, before, after))
    await _resume(connection, now)
    return held


async def count_held(connection: Connection, now: datetime) -> HeldByTrial:
    """What is held; `now` is business time, by which it is stale or not."""
    row = await connection.fetchrow(_HELD, now, TRIAL, UNTIL_GO_LIVE)
    return HeldByTrial(**dict(row))  # type: ignore[arg-type]  # an aggregate always has a row


async def _resume(connection: Connection, now: datetime) -> None:
    await connection.execute(_RESUME, now, TRIAL, UNTIL_GO_LIVE)
    await connection.execute(_WAKE)


def _facts(allowed: Sequence[str]) -> dict[str, Any]:
    return {"allowed": [masked_entry(entry) for entry in allowed]}


def trial_from(row: Any) -> Trial:
    """The trial that a row of `trial` is."""
    return Trial(row["began_at"], row["began_by"], tuple(row["allowed"]))
