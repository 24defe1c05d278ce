"""The page on which a change by a channel's link is put back by somebody who sees it told there."""

import re

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from services.i18n.event_names import FOLLOWED_EVENTS
from services.plumbing.transient_errors import Unavailable
from services.portal.clients.notifier import SharedChangeView
from services.portal.clients.page_parts import MISSING
from services.portal.clients.service_client import LinkEnded, NoSuchResource
from services.portal.routes.portal import Portal
from services.portal.routes.posted_form import TAKES_FORM, Visit, posted_form
from services.portal.routes.subscription import CHANGEABLE
from services.portal.routes.subscription_changes import Wishes

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def add_undo_page(app: FastAPI, portal: Portal) -> None:
    """`/undo/{token}`."""

    @app.get("/undo/{token}", include_in_schema=False)
    async def look(request: Request, token: str) -> Response:
        change = await _found(portal, request, token)
        return change if isinstance(change, Response) else _page(portal, request, token, change)

    @app.post("/undo/{token}", include_in_schema=False, openapi_extra=TAKES_FORM)
    async def undo(request: Request, token: str) -> Response:
        change = await _found(portal, request, token)
        if isinstance(change, Response):
            return change
        if not Visit(request, token).has_posted(await posted_form(request)):
            return _page(portal, request, token, change, 403)
        reply = await portal.notifier.undo(token, portal.pages.words(request, change.now.language).language)
        if reply.is_done:
            return RedirectResponse(f"/undo/{token}", 303)
        now = await _found(portal, request, token)
        if isinstance(now, Response):
            return now
        said = " ".join(filter(None, (reply.problem.title, reply.problem.detail)))
        return _page(portal, request, token, now, 409, said=said)


async def _found(portal: Portal, request: Request, token: str) -> SharedChangeView | Response:
    """The change of a link, or the page that says why it can't be shown; raises a 404 exception for no link."""
    if not _TOKEN.fullmatch(token):
        raise HTTPException(404)
    try:
        return await portal.notifier.shared_change(token)
    except NoSuchResource:
        raise HTTPException(404) from None
    except LinkEnded:
        return portal.pages.show(request, "undo.html", 410, change=None, has_ended=True)
    except Unavailable:
        MISSING.labels("change").inc()
        return portal.pages.show(request, "undo.html", 503, change=None, has_ended=False)


def _page(
    portal: Portal, request: Request, token: str, change: SharedChangeView, status: int = 200, *, said: str = ""
) -> Response:
    visit = Visit(request, token)
    shown = {"events" if name == "level" else name for name in change.changed}
    page = portal.pages.show(
        request,
        "undo.html",
        status,
        spoken=change.now.language,
        change=change,
        has_ended=False,
        token=token,
        form_key=visit.key,
        refused="foreign" if status == 403 else "",
        said=said,
        before=Wishes.of(change.was),
        after=Wishes.of(change.now),
        offered_events=list(FOLLOWED_EVENTS),
        shown=[name for name in CHANGEABLE if name in shown],
    )
    return visit.keep(page)
