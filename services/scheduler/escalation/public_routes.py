"""`GET /acknowledgements`: for everybody, of which milestones somebody is on it: by ministry, and no names.

One call tells it for all milestones of a list. Who exactly it is, and who was asked before, takes a key
(`GET /milestones/{id}/escalation`).
"""

from typing import Annotated

from fastapi import APIRouter, Query

from contracts.vocabulary import Instant, MinistryCode, Slug
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.cursors import BAD_CURSOR, Cursor, Cursors
from services.plumbing.http.forms import WRITTEN_NUMBER, ResponseModel
from services.plumbing.http.problem_documents import problems
from services.scheduler.escalation import queries
from services.scheduler.escalation.rows import MilestoneEscalation
from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.escalation.rules.machine import holder_of

_CURSORS: Cursors[str] = Cursors(Slug)


class PublicAcknowledgement(ResponseModel):
    """That somebody is on a milestone that is overdue."""

    milestone_id: Slug
    commitment_id: Slug
    ministry: MinistryCode | None
    """Whose; null where it is none's, or was said before this was kept."""
    since: Instant
    """When they said so last."""


class PublicAcknowledgementPage(ResponseModel):
    """Milestones that somebody is on, by their ids."""

    items: tuple[PublicAcknowledgement, ...]
    next_cursor: str | None
    """Pass it as `cursor` for what follows; null at the end."""


def public_escalation_routes(database: Database, clock: Clock, book: EscalationBook) -> APIRouter:
    """The route by which everybody reads who is on it."""
    router = APIRouter(tags=["escalations"])

    @router.get("/acknowledgements", operation_id="list_acknowledgements", responses=problems(BAD_CURSOR))
    async def list_acknowledgements(
        commitment: Annotated[Slug | None, Query(description="Only those of this commitment.")] = None,
        limit: Annotated[int, Query(ge=1, le=500), WRITTEN_NUMBER] = 100,
        cursor: Cursor = None,
    ) -> PublicAcknowledgementPage:
        """Milestones that somebody has said to be on, as long as that holds: with the ministry, without names."""
        async with database.connection() as connection:
            found = await queries.owned_milestones(
                connection,
                commitment_id=commitment,
                after=_CURSORS.read(cursor) if cursor is not None else "",
                limit=limit + 1,
            )
        now = clock.now()
        page, next_cursor = _CURSORS.page(found, limit, lambda one: one.milestone.id)
        told = (_told(one, book, now) for one in page)
        return PublicAcknowledgementPage(items=tuple(one for one in told if one), next_cursor=next_cursor)

    return router


def _told(escalation: MilestoneEscalation, book: EscalationBook, now: Instant) -> PublicAcknowledgement | None:
    """None where the time in which evidence had to follow is over, though nobody has been asked again yet."""
    holder = holder_of(escalation.case.state, escalation.case.deadline, book, now)
    if holder is None:
        return None
    return PublicAcknowledgement(
        milestone_id=escalation.milestone.id,
        commitment_id=escalation.commitment.id,
        ministry=holder.ministry,
        since=holder.at,
    )
