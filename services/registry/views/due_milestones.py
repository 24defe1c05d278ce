"""Milestones that are overdue, to be asked about, or due soon, as readers see them."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, NamedTuple

from contracts.open_lists import OPEN
from contracts.vocabulary import PartyCode, Slug
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.rules.due_states import DueStateName, due_state, latest_of_interest
from services.registry.store.commitments import DIFFERING_STATUSES, party_statuses_from
from services.registry.store.milestones import SCHEDULED_MILESTONE, milestone_from


class DueMilestone(ResponseModel):
    """A milestone that is overdue, to be asked about, or due soon."""

    milestone_id: Slug
    commitment_id: Slug
    parties: tuple[PartyCode, ...]
    """The parties that the milestone binds."""
    latest: date
    """Its last day."""
    state: Annotated[DueStateName, OPEN]
    """`overdue`: its last day has ended in its zone. `asked`: it is an event, its day has ended, and nobody has said
    what came of it. `soon`: its last day is one of the next thirty."""
    since: date | None
    """The first day after the last one; null for what is due soon."""


class DueMilestonePage(ResponseModel):
    """One page of milestones, by their last days."""

    items: tuple[DueMilestone, ...]
    next_cursor: str | None


class DuePlace(NamedTuple):
    """Where a milestone stands in the list."""

    latest: date
    milestone_id: str


async def due_milestones(
    connection: Connection, now: datetime, state: DueStateName | None = None, commitment_id: str | None = None
) -> list[DueMilestone]:
    """All milestones with a due state at an instant, or with this one; by their last days, then by their ids."""
    rows = await connection.fetch(
        f"{SCHEDULED_MILESTONE} where s.latest <= $1 and ($2::text is null or m.commitment_id = $2)"
        " order by s.latest, m.id",
        latest_of_interest(now),
        commitment_id,
    )
    stood = {
        row["id"]: party_statuses_from(row)
        for row in await connection.fetch(
            f"select c.id, c.parties, c.status, {DIFFERING_STATUSES} as differing from commitment c"
            " where c.id = any($1::text[])",
            list({row["commitment_id"] for row in rows}),
        )
    }
    found: list[DueMilestone] = []
    for row in rows:
        due = due_state(milestone_from(row), stood[row["commitment_id"]], now)
        if due and state in (None, due.state):
            found.append(
                DueMilestone(
                    milestone_id=row["id"],
                    commitment_id=row["commitment_id"],
                    parties=tuple(row["parties"]),
                    latest=row["latest"],
                    state=due.state,
                    since=due.since,
                )
            )
    return found


def place_of(milestone: DueMilestone) -> DuePlace:
    """Where it stands in the list."""
    return DuePlace(milestone.latest, milestone.milestone_id)


def commitments_of(milestones: Collection[DueMilestone], party: PartyCode | None) -> list[str]:
    """The ids of the commitments that these are of; with a party, of those that bind it."""
    return sorted({one.commitment_id for one in milestones if party is None or party in one.parties})
