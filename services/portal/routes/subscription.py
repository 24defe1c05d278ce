"""The page of one subscription: what it asks for, how it is sent, how to stop it, what was sent lately.

Its address is signed: every message of the subscription has it, and nobody else.
"""

import asyncio
import re

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from services.portal.clients.notifier import DeliverySummary
from services.portal.clients.page_parts import page_part
from services.portal.clients.registry import CommitmentQuery, CommitmentView, StatementView
from services.portal.routes.filter_choices import filter_choices
from services.portal.routes.portal import Portal

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,200}")
LATEST_DELIVERIES = 20
"""Deliveries that are shown."""


def add_subscription_page(app: FastAPI, portal: Portal) -> None:
    """`/subscriptions/{token}`."""

    @app.get("/subscriptions/{token}", include_in_schema=False)
    async def subscription(request: Request, token: str) -> Response:
        if not _TOKEN.fullmatch(token):
            raise HTTPException(404)
        found = await page_part("subscription", portal.notifier.subscription(token), None)
        if found.value is None:
            if found.is_missing:
                return portal.pages.show(request, "subscription.html", 503, subscription=None)
            raise HTTPException(404)
        deliveries, statements, listed = await asyncio.gather(
            page_part("deliveries", portal.notifier.deliveries(token, LATEST_DELIVERIES), list[DeliverySummary]()),
            page_part("statements", portal.registry.statements(), list[StatementView]()),
            page_part("commitments", portal.registry.commitments(CommitmentQuery()), list[CommitmentView]()),
        )
        return portal.pages.show(
            request,
            "subscription.html",
            subscription=found.value,
            deliveries=deliveries,
            commitments={commitment.id: commitment for commitment in listed.value},
            choices=filter_choices(statements.value, listed.value),
            has_no_titles=statements.is_missing or listed.is_missing,
        )
