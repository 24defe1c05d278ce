"""What the audit log says of changes in the register; `audit` writes it in the transaction of the change."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.commitments import Milestone
from contracts.vocabulary import Span, WallTime
from services.plumbing.audit.entries import AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection
from services.registry.actions.events import ActionContext
from services.registry.catalogue.contents import Commitment, Ministry
from services.registry.store.anchors import AnchorState
from services.registry.store.status_updates import RecordedUpdate


async def audit_change(
    connection: Connection,
    context: ActionContext,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one change, by whom the context says."""
    await audit(connection, AuditEntry(action, subject, context.actor, context.now, before, after))


async def audit_updates(connection: Connection, recorded: Sequence[tuple[RecordedUpdate, ActionContext]]) -> None:
    """Write status updates as they were recorded, each with its own context."""
    entries = [
        AuditEntry(
            "status.updated",
            f"commitment/{update.commitment_id}",
            context.actor,
            context.now,
            {"party": update.party, "status": update.previous.value, "version": update.version - 1},
            {
                "party": update.party,
                "status": update.status.value,
                "overall": update.overall.value,
                "current": update.current,
                "version": update.version,
                "note": update.note,
                "evidence": update.evidence.model_dump(mode="json") if update.evidence else None,
                "occurred_at": update.occurred_at.isoformat(),
                "reported_at": update.reported_at.isoformat(),
                "report_id": str(update.report_id) if update.report_id else None,
                "event_id": str(update.event_id),
            },
        )
        for update, context in recorded
    ]
    await audit(connection, *entries)


async def audit_created(
    connection: Connection, statement_id: str, commitments: Sequence[Commitment], context: ActionContext
) -> None:
    """Write commitments that have entered the register."""
    await audit(
        connection,
        *(
            AuditEntry(
                "commitment.created",
                f"commitment/{one.id}",
                context.actor,
                context.now,
                None,
                {"statement": statement_id, **one.model_dump(mode="json", exclude={"id", "milestones"})},
            )
            for one in commitments
        ),
    )


def date_facts(version: int, span: Span | None, local_time: WallTime | None) -> dict[str, Any] | None:
    """A milestone's date as an entry says it; None where it has none yet."""
    if span is None:
        return None
    return {"version": version, **span.model_dump(mode="json"), "local_time": local_time}


def milestone_facts(milestone: Milestone, version: int, **more: Any) -> dict[str, Any]:
    """A milestone as it is scheduled."""
    return {**milestone.model_dump(mode="json", exclude={"id"}), "version": version, **more}


def anchor_facts(anchor: AnchorState) -> dict[str, Any]:
    """How an anchor stands."""
    return {
        "zone": anchor.zone,
        **anchor.span.model_dump(mode="json"),
        "local_time": anchor.local_time,
        "source": anchor.source.model_dump(mode="json"),
        "known_on": anchor.known_on.isoformat(),
        "outcome": anchor.outcome,
        "successor": anchor.successor_id,
    }


def ministry_facts(ministry: Ministry, context: ActionContext) -> dict[str, Any]:
    """What is known of a ministry; how people reach it only as a keyed hash."""
    return {
        "party": ministry.party,
        "name": ministry.name.model_dump(mode="json"),
        "contact": context.keyed_hash.of(ministry.contact),
    }
