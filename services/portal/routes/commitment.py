"""The page of one commitment: its words, its dates, reports and reminders."""

import asyncio
from collections.abc import Iterable

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from services.portal.clients.page_parts import page_part, page_parts
from services.portal.clients.registry import StatementView
from services.portal.clients.scheduler import UpcomingReminder
from services.portal.clients.service_client import NoSuchResource
from services.portal.routes.commitment_list import LONGEST_ID, SLUG
from services.portal.routes.due_notices import due_notices
from services.portal.routes.filter_choices import filter_choices
from services.portal.routes.portal import Portal


def add_commitment_page(app: FastAPI, portal: Portal) -> None:
    """`/commitments/{id}`."""
    registry, scheduler = portal.registry, portal.scheduler

    @app.get("/commitments/{commitment_id}", include_in_schema=False)
    async def commitment(request: Request, commitment_id: str) -> Response:
        if not (len(commitment_id) <= LONGEST_ID and SLUG.fullmatch(commitment_id)):
            raise HTTPException(404)
        try:
            found = await registry.commitment(commitment_id)
        except NoSuchResource:
            raise HTTPException(404) from None
        reminders, statements, anchors, notices = await asyncio.gather(
            page_part("reminders", scheduler.reminders(commitment_id), list[UpcomingReminder]()),
            page_part("statements", registry.statements(), list[StatementView]()),
            page_parts("anchor", {m.anchor_id for m in found.milestones if m.anchor_id}, registry.anchor),
            due_notices(portal, commitment_id),
        )
        own = [statement for statement in statements.value if statement.id == found.statement_id]
        return portal.pages.show(
            request,
            "commitment.html",
            commitment=found,
            statement=next(iter(own), None),
            themes=filter_choices(own, [found]).themes,
            reminders=reminders,
            milestones={milestone.id: milestone for milestone in found.milestones},
            reviews=_next_reviews(reminders.value),
            anchors=anchors,
            notices=notices,
            today_in=portal.today_in,
        )


def _next_reviews(reminders: Iterable[UpcomingReminder]) -> dict[str, UpcomingReminder]:
    """The next review of each milestone that has one."""
    found: dict[str, UpcomingReminder] = {}
    for reminder in sorted(reminders, key=lambda one: one.due_at):
        if reminder.step.startswith("review-"):
            found.setdefault(reminder.milestone_id, reminder)
    return found
