"""Acknowledging: "we are on it", once for each request's key, in one transaction with the log."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from contracts.events import Acknowledgement
from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.keyed_hash import WITHHELD, KeyedHash
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.http.idempotency import Answer, KeyedRequest, kept_answer
from services.plumbing.transient_errors import Unavailable
from services.scheduler.escalation import queries
from services.scheduler.escalation.log import LogLine
from services.scheduler.escalation.rows import MilestoneEscalation
from services.scheduler.escalation.rules.machine import OwnedByAnother, acknowledged, holder_of, next_change_at
from services.scheduler.escalation.rules.states import LogNote
from services.scheduler.escalation.store import EscalationStore


@dataclass(frozen=True)
class AcknowledgedBy:
    """By whose key or link it is acknowledged, and whom it is taken over from, where somebody else is on it."""

    actor: Actor
    take_over_from: str | None = None
    keyed_hash: KeyedHash = WITHHELD
    subscription_id: UUID | None = None
    """Whose link it was, where it was one."""
    subscriber: str | None = None
    """What that subscription is called."""


class UnknownMilestone(LookupError):
    """There is no such milestone."""


async def acknowledge(
    database: Database,
    escalations: EscalationStore,
    milestone_id: str,
    acknowledgement: Acknowledgement,
    request: KeyedRequest,
    by: AcknowledgedBy,
    answer: Callable[[MilestoneEscalation], Any],
) -> Answer:
    """Own a milestone; gives its escalation as it is then, in JSON's types, or the answer that was given before.

    It is owned for the ministry of the key. A refusal is not kept: it did nothing. Raises `UnknownMilestone`,
    `NothingToOwn`, `OwnedByAnother`, `KeyReused`.
    """
    acknowledgement = acknowledgement.model_copy(update={"ministry": by.actor.ministry})
    async with database.transaction() as connection:
        if not await queries.lock_milestone(connection, milestone_id):
            raise UnknownMilestone
        # Behind the milestone's lock: the same request at the same time has committed by now, so this waits only for
        # one with the same key for another milestone.
        given = await kept_answer(database, connection, request, queries.kept_acknowledgement, waits=True)
        if given is None:
            given = await _acknowledge(connection, escalations, milestone_id, acknowledgement, request, by, answer)
        failpoint("acknowledgement-before-commit")
    failpoint("acknowledgement-after-commit")
    return given


async def _acknowledge(
    connection: Connection,
    escalations: EscalationStore,
    milestone_id: str,
    acknowledgement: Acknowledgement,
    request: KeyedRequest,
    by: AcknowledgedBy,
    answer: Callable[[MilestoneEscalation], Any],
) -> Answer:
    known = await queries.read_escalation(connection, milestone_id)
    if known is None:
        raise Unavailable("the escalation of this milestone has not begun yet")
    holder = holder_of(known.case.state, known.case.deadline, escalations.book, acknowledgement.at)
    is_taken_over = False
    if holder:
        client = await queries.client_of_holder(connection, milestone_id)
        is_taken_over = (holder.name, client) != (acknowledgement.name, request.client)
        if is_taken_over and by.take_over_from != holder.name:
            raise OwnedByAnother(holder)
    state, entries = acknowledged(known.case.state, known.case.deadline, escalations.book, acknowledgement)
    if holder and is_taken_over:
        entries = (LogNote("taken-over", state.round, acknowledgement=holder), *entries)
    case = replace(known.case, state=state)
    body = answer(
        replace(known, case=case, next_at=next_change_at(state, case.deadline, escalations.book), failed=None)
    )
    lines = [LogLine(milestone_id, case.version, entry, acknowledgement.at, client=request.client) for entry in entries]
    lines[-1] = replace(lines[-1], idem_key=request.key, body_sha256=request.digest, answer=body)
    await escalations.save(connection, {milestone_id: case}, lines)
    action = "milestone.taken-over" if is_taken_over else "milestone.acknowledged"
    before = _facts(holder, by) if holder else None
    after = _facts(acknowledgement, by)
    if by.subscription_id is not None:
        after |= {"subscription": str(by.subscription_id), "subscriber": by.keyed_hash.of(by.subscriber)}
    await audit(
        connection, AuditEntry(action, f"milestone/{milestone_id}", by.actor, acknowledgement.at, before, after)
    )
    return Answer(201, body)


def _facts(made: Acknowledgement, by: AcknowledgedBy) -> dict[str, Any]:
    """An acknowledgement as the audit log may hold it: who is on it is a person."""
    return {"name": by.keyed_hash.of(made.name), "note": by.keyed_hash.of(made.note), "at": made.at.isoformat()}
