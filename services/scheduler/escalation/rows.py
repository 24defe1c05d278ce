"""Between rows of the escalation's tables and its states."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from contracts.commitments import CommitmentBrief, Milestone
from contracts.events import Acknowledgement
from contracts.vocabulary import Status
from services.scheduler.escalation.rules.cases import EscalationCase, case_in
from services.scheduler.escalation.rules.states import Asked, Climbing, Dormant, EscalationState, Owned, Settled

STATE_COLUMNS = """
    e.milestone_id, e.schedule_version, e.state, e.round, e.since, e.rank, e.told, e.acknowledged::text, e.next_at,
    e.failed
"""


@dataclass(frozen=True)
class MilestoneEscalation:
    """A milestone with the state of its escalation, as it was read."""

    case: EscalationCase
    next_at: datetime | None
    failed: str | None
    commitment: CommitmentBrief
    milestone: Milestone
    status: Status
    correlation_id: str | None


def escalation_from_row(row: asyncpg.Record) -> MilestoneEscalation:
    """A row as it was claimed or read; raises ValueError for one that can't be read."""
    milestone = Milestone.as_read(row["milestone"])
    return MilestoneEscalation(
        case_in(state_from_row(row), milestone, row["schedule_version"]),
        row["next_at"],
        row["failed"],
        CommitmentBrief.as_read(row["commitment"]),
        milestone,
        Status.as_kept(row["overall"]),
        row["correlation_id"],
    )


def state_columns(state: EscalationState) -> tuple[Any, ...]:
    """state, round, since, rank, told, acknowledged"""
    match state:
        case Dormant():
            return "dormant", state.round, None, None, None, None
        case Asked():
            return "asked", state.round, state.since, None, None, None
        case Climbing():
            made = state.unfollowed
            return (
                "climbing",
                state.round,
                state.since,
                state.rank,
                state.repeats,
                made and made.model_dump(mode="json"),
            )
        case Owned():
            return "owned", state.round, state.since, None, None, state.acknowledgement.model_dump(mode="json")
        case Settled():
            return "settled", state.round, None, None, None, None


def state_from_row(row: asyncpg.Record) -> EscalationState:
    made = Acknowledgement.as_read(row["acknowledged"]) if row["acknowledged"] else None
    match row["state"]:
        case "asked":
            return Asked(row["round"], row["since"])
        case "climbing":
            return Climbing(row["round"], row["since"], row["rank"], row["told"], made)
        case "owned" if made:
            return Owned(row["round"], made, row["since"])
        case "settled":
            return Settled(row["round"])
        case _:
            return Dormant(row["round"])
