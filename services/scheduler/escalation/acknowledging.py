"""Acknowledging: "we are on it", once for each request's key, in one transaction with the log."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from contracts.events import Acknowledgement
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.transient_errors import Unavailable
from services.scheduler.escalation import queries
from services.scheduler.escalation.log import LogLine
from services.scheduler.escalation.rows import MilestoneEscalation
from services.scheduler.escalation.rules.machine import acknowledged, next_change_at
from services.scheduler.escalation.store import EscalationStore


@dataclass(frozen=True)
class Asked:
    """A request that is to have its effect once; keys belong to the client that made them up."""

    client: str
    key: str
    digest: bytes


class UnknownMilestone(LookupError):
    """There is no such milestone."""


class KeyReused(ValueError):
    """The key was used for another acknowledgement."""


def digest_of(path: str, body: bytes) -> bytes:
    """What makes two requests the same: path and the JSON itself, however it is laid out."""
    canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{path}\n{canonical}".encode()).digest()


async def acknowledge(
    database: Database,
    escalations_: EscalationStore,
    milestone_id: str,
    made: Acknowledgement,
    asked: Asked,
    answer: Callable[[MilestoneEscalation], Any],
) -> Any:
    """Own a milestone; the answer about how it stands then, in JSON's types, or the one that was given before.

    A refusal is not kept: it did nothing. Raises `UnknownMilestone`, `NothingToOwn`, `KeyReused`.
    """
    try:
        async with database.transaction() as connection:
            given = await _once(connection, escalations_, milestone_id, made, asked, answer)
            failpoint("acknowledgement-before-commit")
    except asyncpg.UniqueViolationError as error:
        raise KeyReused from error  # for another milestone, at the same time
    failpoint("acknowledgement-after-commit")
    return given


async def _once(
    connection: Connection,
    escalations_: EscalationStore,
    milestone_id: str,
    made: Acknowledgement,
    asked: Asked,
    answer: Callable[[MilestoneEscalation], Any],
) -> Any:
    if not await queries.lock_milestone(connection, milestone_id):
        raise UnknownMilestone
    # Behind the lock: the same request at the same time has committed by now.
    if before := await queries.acknowledgement_by_key(connection, asked.client, asked.key):
        if before["body_sha256"] != asked.digest:
            raise KeyReused
        return before["answer"]
    held = await queries.read_escalation(connection, milestone_id)
    if held is None:
        raise Unavailable("the escalation of this milestone has not begun yet")
    state, entries = acknowledged(held.case.state, held.case.deadline, escalations_.book, made)
    case = replace(held.case, state=state)
    given = answer(
        replace(held, case=case, next_at=next_change_at(state, case.deadline, escalations_.book), failed=None)
    )
    lines = [LogLine(milestone_id, case.version, entry, made.at, client=asked.client) for entry in entries]
    lines[-1] = replace(lines[-1], idem_key=asked.key, body_sha256=asked.digest, answer=given)
    await escalations_.save(connection, {milestone_id: case}, lines)
    return given
