"""The page of one commitment: its words, its dates, reports, reminders, and who was notified."""

import asyncio
from collections.abc import Iterable
from datetime import date

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from services.portal.clients.notifier import DeliverySummary
from services.portal.clients.page_parts import page_part, page_parts
from services.portal.clients.registry import MilestoneDetailView, StatementView
from services.portal.clients.scheduler import UpcomingReminder
from services.portal.clients.service_client import NoSuchResource
from services.portal.routes.commitment_list import LONGEST_ID, SLUG
from services.portal.routes.portal import Portal


def add_commitment_page(app: FastAPI, portal: Portal) -> None:
    """`/commitments/{id}`."""
    registry, scheduler, notifier = portal.registry, portal.scheduler, portal.notifier

    @app.get("/commitments/{commitment_id}", include_in_schema=False)
    async def commitment(request: Request, commitment_id: str) -> Response:
        if not (len(commitment_id) <= LONGEST_ID and SLUG.fullmatch(commitment_id)):
            raise HTTPException(404)
        try:
            found = await registry.commitment(commitment_id)
        except NoSuchResource:
            raise HTTPException(404) from None
        reminders, deliveries, statements, anchors, escalations = await asyncio.gather(
            page_part("reminders", scheduler.reminders(commitment_id), list[UpcomingReminder]()),
            page_part("deliveries", notifier.deliveries(commitment_id), list[DeliverySummary]()),
            page_part("statements", registry.statements(), list[StatementView]()),
            page_parts("anchor", {m.anchor_id for m in found.milestones if m.anchor_id}, registry.anchor),
            page_parts("escalation", _past(found.milestones, portal.today()), scheduler.escalation),
        )
        return portal.pages.show(
            request,
            "commitment.html",
            commitment=found,
            statement=next((s for s in statements.value if s.id == found.statement_id), None),
            themes={theme.id: theme.title for statement in statements.value for theme in statement.themes},
            reminders=reminders,
            deliveries=deliveries,
            milestones={milestone.id: milestone for milestone in found.milestones},
            reviews=_next_reviews(reminders.value),
            anchors=anchors,
            escalations=escalations,
            today=portal.today(),
        )


def _past(milestones: Iterable[MilestoneDetailView], today: date) -> list[str]:
    """Milestones whose last day is over, or may be: which day it is there, the scheduler knows."""
    return [m.id for m in milestones if m.span.latest and m.span.latest <= today]


def _next_reviews(reminders: Iterable[UpcomingReminder]) -> dict[str, UpcomingReminder]:
    """The next review of each milestone that has one."""
    found: dict[str, UpcomingReminder] = {}
    for reminder in sorted(reminders, key=lambda one: one.due_at):
        if reminder.step.startswith("review-"):
            found.setdefault(reminder.milestone_id, reminder)
    return found
