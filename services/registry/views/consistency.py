"""The open flags, as readers see them."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from contracts.open_lists import OPEN, TOLERANT
from contracts.vocabulary import Slug
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.rules.consistency import ConsistencyRule


class FlagEntry(ResponseModel):
    """Something that does not agree with itself, or with the calendar."""

    rule: Annotated[ConsistencyRule, OPEN]
    commitment_id: Slug | None
    """None for an anchor on which nothing hangs."""
    milestone_id: Slug | None
    anchor_id: Slug | None
    since: date
    """The day from which on it did not agree."""
    flagged_at: datetime
    event_id: UUID | None


class FlagList(ResponseModel):
    """One page of what is open, in the order in which it was found."""

    items: tuple[FlagEntry, ...]
    next_cursor: str | None


async def open_flags(
    connection: Connection, rule: ConsistencyRule | None, commitment_id: str | None, limit: int, after: int
) -> list[tuple[int, FlagEntry]]:
    """What does not agree now: flags by their numbers, behind a number, in the order in which they were found."""
    rows = await connection.fetch(
        """
        select id, rule, commitment_id, milestone_id, anchor_id, since, flagged_at, event_id from consistency_flag
        where cleared_at is null and id > $1
          and ($2::text is null or rule = $2) and ($3::text is null or commitment_id = $3)
        order by id limit $4
        """,
        after,
        rule,
        commitment_id,
        limit,
    )
    return [(row["id"], FlagEntry.model_validate(dict(row), context=TOLERANT)) for row in rows]
