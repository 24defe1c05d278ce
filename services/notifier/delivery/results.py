"""Results of attempts, recorded many at a time in one statement.

All rows of a message count its attempts; the attempts themselves stand once, at the row that leads.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifier.channels.outcomes import (
    Accepted,
    AttemptOutcome,
    Deferred,
    Delivered,
    FailureReason,
    Refused,
    Unknown,
)
from services.notifier.delivery.columns import columns
from services.notifier.delivery.deliveries import DeliveryResult
from services.notifier.delivery.followers import record_groups
from services.notifier.delivery.turns import is_behind
from services.notifier.subscriptions.ladder_events import COLUMNS, publish_ladder_changes
from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection, Database

SETTLE = f"""
with result as (
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[],
                         $7::integer[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::real[], $12::boolean[],
                         $13::boolean[])
        as r(id, lease, state, at, next_at, reason, code, started_at, ended_at, outcome, latency_ms, deferred, apart)
),
written as (
    update delivery d set state = r.state,
        attempts = d.attempts + case when r.outcome is null then 0 else 1 end,
        next_at = coalesce(r.next_at, d.next_at),
        deferrals = d.deferrals + r.deferred::integer,
        paced = d.paced or r.apart,
        deferred_since = case when r.deferred then coalesce(d.deferred_since, r.at) else d.deferred_since end,
        reason = case when r.outcome is null and not r.deferred and r.state = 'pending' then d.reason else r.reason end,
        last_code = case when r.outcome is null and not r.deferred then d.last_code else r.code end,
        settled_at = case when r.state <> 'pending' then r.at end,
        behind = case when r.state = 'pending' then {is_behind("d.thread", "d.position")} else false end,
        lease = null, lease_until = null
    from result r where d.id = r.id and d.lease = r.lease
    returning d.id, d.attempts, d.leads
),
tried as (
    insert into delivery_attempt (delivery_id, n, started_at, ended_at, outcome, reason, code, latency_ms)
    select w.id, w.attempts, r.started_at, r.ended_at, r.outcome, r.reason, r.code, r.latency_ms
    from written w join result r on r.id = w.id where r.outcome is not null and w.leads
)
select id, attempts from written
"""


def of_latest_claims(results: Iterable[DeliveryResult]) -> list[DeliveryResult]:
    """One result for each delivery, that of its latest claim: who has claimed a delivery anew has lost it before."""
    latest: dict[UUID, DeliveryResult] = {}
    for result in results:
        other = latest.get(result.delivery.id)
        if other is None or other.delivery.claimed <= result.delivery.claimed:
            latest[result.delivery.id] = result
    return list(latest.values())


async def record_results(
    database: Database, connection: Connection, results: Sequence[DeliveryResult]
) -> dict[UUID, int]:
    """Record results in the caller's transaction, of each delivery one; gives the attempts of those still ours, by id.

    A result whose lease was lost in the meantime changes nothing: whoever has the delivery now records it.
    """
    ordered = sorted(results, key=lambda result: result.delivery.id)  # two processes can't lock crosswise
    await record_groups(connection, ordered)
    rows = await connection.fetch(SETTLE, *columns(_row(result) for result in ordered))
    gone = {result.delivery.recipient.id: result for result in ordered if result.ends_subscription}
    if gone:
        at = max(result.at for result in gone.values())
        disabled = await connection.fetch(
            "update subscription set state = 'disabled', reason = $2, ended_at = $3"
            " where id = any($1::uuid[]) and state in ('active', 'paused')"
            f" returning old.state as was, {COLUMNS}",
            sorted(gone),
            str(FailureReason.GONE),
            at,
        )
        changes = [(dict(row) | {"state": row["was"]}, dict(row)) for row in disabled]
        await publish_ladder_changes(database, connection, changes, at)
        await audit(connection, *(_disabled(row["id"], row["was"], at) for row in disabled))
    return {row["id"]: row["attempts"] for row in rows}


def _disabled(id_: UUID, was: str, at: datetime) -> AuditEntry:
    after = {"state": "disabled", "reason": str(FailureReason.GONE)}
    return AuditEntry("subscription.disabled", f"subscription/{id_}", Actor("notifier"), at, {"state": was}, after)


def _row(result: DeliveryResult) -> tuple[Any, ...]:
    attempt = result.attempt
    common = (
        result.delivery.id,
        result.delivery.lease,
        result.state,
        result.at,
        result.next_at,
        result.reason,
    )
    if attempt is None:
        return (*common, None, None, None, None, None, False, False)
    kind, code = _kind(attempt.outcome)
    deferred = isinstance(attempt.outcome, Deferred)
    apart = isinstance(attempt.outcome, Deferred) and not attempt.outcome.everybody  # its destination has a pace now
    return (*common, code, attempt.started_at, attempt.ended_at, kind, attempt.latency_ms, deferred, apart)


def _kind(outcome: AttemptOutcome) -> tuple[str | None, int | None]:
    """How an attempt is recorded; None where it counts for none, since the receiver said to wait."""
    match outcome:
        case Deferred(code=code):
            return None, code
        case Delivered(code):
            return "delivered", code
        case Accepted(code):
            return "accepted", code
        case Refused(code=code):
            return "refused", code
        case Unknown():
            return "unknown", None
