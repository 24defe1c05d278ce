"""What the registry published once and has forgotten since, after an old backup: back into the register.

An event doesn't say all that the register held: the text of a statement, the words that carry an undertaking, the
titles of anchors and the keys of requests are lost with the backup. What needs them is remarked, for the operator.
"""

from collections.abc import Sequence
from uuid import UUID

from contracts.envelope import event_id_in
from contracts.events import CommitmentAssessed, CommitmentCreated, ConsistencyFlagged
from contracts.topics import (
    API_KEY_CHANGED,
    COMMITMENT_ASSESSED,
    COMMITMENT_CREATED,
    COMMITMENT_STATE,
    CONSISTENCY_FLAGGED,
    MILESTONE_SCHEDULED,
    STATUS_CHANGED,
    Topic,
    audit_head_topic,
)
from services.plumbing.audit.forks import note_fork
from services.plumbing.audit.verifying import read_head
from services.plumbing.database import Connection
from services.plumbing.outbox import Outgoing
from services.plumbing.recovery.taking_over import Effects, by_itself
from services.registry.actions.api_keys import take_over_key
from services.registry.actions.events import read_outgoing
from services.registry.actions.taken_schedules import take_over_schedules
from services.registry.actions.taken_statuses import take_over_statuses
from services.registry.catalogue.contents import Commitment
from services.registry.store.assessments import add_assessment
from services.registry.store.commitment_states import mark_due
from services.registry.store.commitments import put_commitment
from services.registry.store.statements import find_statement

_AUDIT_HEAD = audit_head_topic("registry")
TOPICS: tuple[Topic, ...] = (
    _AUDIT_HEAD,
    API_KEY_CHANGED,
    COMMITMENT_CREATED,
    MILESTONE_SCHEDULED,
    STATUS_CHANGED,
    COMMITMENT_ASSESSED,
    CONSISTENCY_FLAGGED,
    COMMITMENT_STATE,
)
"""What the registry writes, in the order in which it is taken over: each rests on those before it."""


async def count_unpublished(connection: Connection) -> int:
    """How many events wait while nothing may be sent; heads of the audit log are none that anybody acts on."""
    counted = "select count(*) from outbox where published_at is null and topic <> $1"
    return int(await connection.fetchval(counted, _AUDIT_HEAD.name))


class MissedRegistryEvents:
    """Takes over the registry's events."""

    def event_id(self, headers: Sequence[tuple[str, bytes | None]]) -> UUID:
        """The id in a record's headers; raises ValueError."""
        return event_id_in(headers)

    async def take_over(
        self, connection: Connection, topic: str, missed: Sequence[Outgoing], waiting: Sequence[Outgoing]
    ) -> Effects:
        """Write them into the register; updates and dates that were accepted meanwhile come behind them."""
        match topic:
            case STATUS_CHANGED.name:
                return await take_over_statuses(connection, missed, waiting)
            case MILESTONE_SCHEDULED.name:
                return await take_over_schedules(connection, missed, waiting)
            case COMMITMENT_STATE.name:
                # What was told of them rests on what this database has forgotten, and what waits may, too.
                await mark_due(connection, {one.key for one in missed})
                return Effects(())
            case API_KEY_CHANGED.name:
                effect = take_over_key
            case COMMITMENT_CREATED.name:
                effect = _created
            case COMMITMENT_ASSESSED.name:
                effect = _assessed
            case CONSISTENCY_FLAGGED.name:
                effect = _flagged
            case _AUDIT_HEAD.name:
                heads = [read_head(one.value) for one in missed]
                return Effects(waiting, await note_fork(connection, "registry", heads))
            case _:
                raise ValueError(f"the registry does not write {topic}")
        remarks = []
        for one in missed:
            remarks += await by_itself(connection, f"{topic} {one.event_id} about {one.key}", effect(connection, one))
        return Effects(waiting, remarks)


async def _created(connection: Connection, one: Outgoing) -> None:
    envelope, event = read_outgoing(CommitmentCreated, one)
    if await find_statement(connection, event.statement.id) is None:
        raise ValueError(f"the statement {event.statement.id} is not in this database: import it again")
    brief = event.commitment
    commitment = Commitment(
        id=brief.id,
        quote=event.quote,
        verb=event.quote.text.split(maxsplit=1)[0],  # the event does not say which words carry it
        strength=event.strength,
        section=brief.section,
        parties=brief.parties,
        themes=brief.themes,
        title=brief.title,
        summary=event.summary,
        lead_ministries=event.lead_ministries,
    )
    await put_commitment(connection, event.statement.id, commitment, envelope.time)


async def _assessed(connection: Connection, one: Outgoing) -> None:
    _, event = read_outgoing(CommitmentAssessed, one)
    await add_assessment(connection, one.event_id, event)


async def _flagged(connection: Connection, one: Outgoing) -> None:
    envelope, event = read_outgoing(ConsistencyFlagged, one)
    milestone = event.milestone.id if event.milestone else None
    subject = milestone or event.commitment.id
    if event.rule == "anchor-without-outcome":
        subject = f"{event.anchor_id}/{event.commitment.id}"
    await connection.execute(
        "insert into consistency_flag"
        " (rule, subject, since, commitment_id, milestone_id, anchor_id, flagged_at, event_id)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        event.rule,
        subject,
        event.since,
        event.commitment.id,
        milestone,
        event.anchor_id,
        envelope.time,
        one.event_id,
    )
