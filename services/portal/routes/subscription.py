"""The page of one subscription: what it asks for and was sent, and the forms that change it, without signing in.

Its address is signed: every message of the subscription has it, and nobody else. To look at it changes nothing, since
machines open every link; what changes something is posted from the page. It is in the subscription's language.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from services.i18n.languages import nearest_language, written_languages
from services.plumbing.transient_errors import Unavailable
from services.portal.clients.notifier import DeliverySummary, SubscriptionView
from services.portal.clients.page_parts import MISSING, page_part
from services.portal.clients.registry import CommitmentQuery, CommitmentView, StatementView
from services.portal.clients.service_client import LinkEnded, NoSuchResource
from services.portal.page_renderer import WEEKDAYS
from services.portal.routes.filter_choices import filter_choices
from services.portal.routes.portal import Portal
from services.portal.routes.posted_form import TAKES_FORM, PostedForm, Visit, posted_form
from services.portal.routes.subscription_changes import (
    LADDERS,
    OWN,
    TOLD_IF_NAMED,
    USUAL,
    Wishes,
    change_to,
    offered_events,
)
from services.portal.routes.timing_wishes import (
    AS_IT_IS,
    EACH_DAY,
    NONE,
    RHYTHMS,
    in_a_weekly_digest,
    muted_for_a_month,
    offered_holidays,
    quiet_name,
)
from services.portal.routes.zone_choices import is_offered, zone_choices

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,200}")
LATEST_DELIVERIES = 20
"""Deliveries that are shown."""
CHANGEABLE = ("language", "zone", "events", "ladder", "timing", "state")
"""What the page may say was saved, in its order."""
NOTHING = "nothing"


def add_subscription_page(app: FastAPI, portal: Portal) -> None:
    """`/subscriptions/{token}` and `/subscriptions/{token}/stop`."""

    @app.get("/subscriptions/{token}", include_in_schema=False)
    async def subscription(request: Request, token: str) -> Response:
        view = await found(portal, request, token)
        if isinstance(view, Response):
            return view
        return await _page(portal, request, token, view, Wishes.of(view))

    @app.post("/subscriptions/{token}", include_in_schema=False, openapi_extra=TAKES_FORM)
    async def change(request: Request, token: str) -> Response:
        view = await found(portal, request, token)
        if isinstance(view, Response):
            return view
        form = await posted_form(request)
        is_saving = form.one("do") == "save"
        wishes = Wishes.entered(form) if is_saving else Wishes.of(view)
        if not Visit(request, token).has_posted(form):
            return await _page(portal, request, token, view, wishes, 403, refused="foreign")
        if is_saving:
            change = change_to(view, wishes, portal.clock.now())
            if change.wrong:
                return await _page(portal, request, token, view, wishes, 422, wrong=change.wrong)
            return await _change(portal, request, token, view, change.asked, form, wishes)
        if (state := {"pause": "paused", "resume": "active"}.get(form.one("do"))) is None:
            raise HTTPException(422)
        return await _change(portal, request, token, view, {"state": state}, form, wishes)

    @app.get("/subscriptions/{token}/stop", include_in_schema=False)
    async def ask_stop(request: Request, token: str) -> Response:
        view = await found(portal, request, token)
        if isinstance(view, Response):
            return view
        return await _stop_page(portal, request, token, view)

    @app.post("/subscriptions/{token}/stop", include_in_schema=False, openapi_extra=TAKES_FORM)
    async def stop(request: Request, token: str) -> Response:
        view = await found(portal, request, token)
        if isinstance(view, Response):
            return view
        form = await posted_form(request)
        if not Visit(request, token).has_posted(form):
            return await _stop_page(portal, request, token, view, 403, refused="foreign")
        if form.one("do") == "stop":
            await portal.notifier.end(token)
            return saved(token, ["state"])
        if (less := _less(view, form.one("do"), portal.clock.now())) is None:
            raise HTTPException(422)
        return await _change(portal, request, token, view, less, form, Wishes.of(view))


def _less(view: SubscriptionView, name: str, now: datetime) -> Mapping[str, Any] | None:
    """What makes a subscription less instead of none; None where there is no such offer."""
    match name:
        case "pause":
            return {"state": "paused"}
        case "no-flags":
            wishes = Wishes.of(view)
            return change_to(view, replace(wishes, events=wishes.events - TOLD_IF_NAMED), now).asked
        case "weekly":
            return {"timing": in_a_weekly_digest(view.when)}
        case "month":
            return {"timing": muted_for_a_month(view.when, now)}
    return None


async def found(portal: Portal, request: Request, token: str) -> SubscriptionView | Response:
    """The subscription of a link, or the page that says why it can't be shown; raises a 404 exception for no link."""
    if not _TOKEN.fullmatch(token):
        raise HTTPException(404)
    try:
        return await portal.notifier.subscription(token)
    except NoSuchResource:
        raise HTTPException(404) from None
    except LinkEnded:
        return portal.pages.show(request, "subscription.html", 410, subscription=None, has_ended=True)
    except Unavailable:
        MISSING.labels("subscription").inc()
        return portal.pages.show(request, "subscription.html", 503, subscription=None, has_ended=False)


def saved(token: str, names: list[str]) -> Response:
    """Back to the page by GET, which says what was saved: to load it again posts nothing again."""
    return RedirectResponse(f"/subscriptions/{token}?{urlencode({'saved': ' '.join(names) or NOTHING})}", 303)


async def _change(
    portal: Portal,
    request: Request,
    token: str,
    view: SubscriptionView,
    asked: Mapping[str, Any],
    form: PostedForm,
    wishes: Wishes,
) -> Response:
    if not asked:
        return saved(token, [])
    words = portal.pages.words(request, view.language)
    try:
        reply = await portal.notifier.change(token, asked, form.one("version") or view.etag, words.language)
    except Unavailable:
        return await _page(portal, request, token, view, wishes, 503, refused="away")
    if not reply.is_done:
        now = await portal.notifier.subscription(token)
        refused = "changed" if reply.status == 412 else ""
        said = "" if refused else " ".join(filter(None, (reply.problem.title, reply.problem.detail)))
        return await _page(portal, request, token, now, wishes, 409, refused=refused, said=said)
    return saved(token, [name for name in CHANGEABLE if name in asked])


async def _page(
    portal: Portal,
    request: Request,
    token: str,
    view: SubscriptionView,
    wishes: Wishes,
    status: int = 200,
    *,
    wrong: frozenset[str] = frozenset(),
    refused: str = "",
    said: str = "",
) -> Response:
    deliveries, statements, listed = await asyncio.gather(
        page_part("deliveries", portal.notifier.deliveries(token, LATEST_DELIVERIES), list[DeliverySummary]()),
        page_part("statements", portal.registry.statements(), list[StatementView]()),
        page_part("commitments", portal.registry.commitments(CommitmentQuery()), list[CommitmentView]()),
    )
    visit, words = Visit(request, token), portal.pages.words(request, view.language)
    asked_for = request.query_params.get("saved", "").split(" ") if request.method == "GET" else []
    page = portal.pages.show(
        request,
        "subscription.html",
        status,
        spoken=view.language,
        subscription=view,
        has_ended=False,
        token=token,
        form_key=visit.key,
        wishes=wishes,
        wrong=wrong,
        refused=refused,
        said=said,
        saved=[name for name in CHANGEABLE if name in asked_for],
        is_as_it_was=asked_for == [NOTHING],
        offered_events=offered_events(view),
        spoken_languages=written_languages(),
        written_in=nearest_language(wishes.language),
        zones=zone_choices(words.language),
        is_zone_offered=is_offered(wishes.zone),
        rhythms=RHYTHMS,
        weekdays=tuple(zip(WEEKDAYS, words.weekdays, strict=True)),
        quiet_choices=(NONE, EACH_DAY, *((AS_IT_IS,) if quiet_name(view.when) == AS_IT_IS else ())),
        holiday_choices=offered_holidays(view.when),
        first_mutable=portal.clock.now().date(),
        ladders=(USUAL, *LADDERS, *((OWN,) if Wishes.of(view).ladder == OWN else ())),
        deliveries=deliveries,
        **_known(statements.value, listed.value),
        has_no_titles=statements.is_missing or listed.is_missing,
    )
    return visit.keep(page)


async def _stop_page(
    portal: Portal, request: Request, token: str, view: SubscriptionView, status: int = 200, *, refused: str = ""
) -> Response:
    statements, listed = await asyncio.gather(
        page_part("statements", portal.registry.statements(), list[StatementView]()),
        page_part("commitments", portal.registry.commitments(CommitmentQuery()), list[CommitmentView]()),
    )
    visit = Visit(request, token)
    page = portal.pages.show(
        request,
        "stop.html",
        status,
        spoken=view.language,
        subscription=view,
        token=token,
        form_key=visit.key,
        refused=refused,
        has_flags=bool(TOLD_IF_NAMED & Wishes.of(view).events),
        **_known(statements.value, listed.value),
        has_no_titles=statements.is_missing or listed.is_missing,
    )
    return visit.keep(page)


def _known(statements: list[StatementView], commitments: list[CommitmentView]) -> dict[str, Any]:
    """What names the things that filters hold by their ids."""
    return {
        "commitments": {commitment.id: commitment for commitment in commitments},
        "choices": filter_choices(statements, commitments),
    }
