"""Unsubscribing by the link of a mail, without signing in."""

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.notifier.subscriptions.store import SubscriptionStore
from services.notifier.subscriptions.unsubscribe_links import UnsubscribeLinks
from services.plumbing.audit.entries import Actor
from services.plumbing.clock import Clock
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, not_found
from services.plumbing.sentences import Sentence

BY_LINK = Actor("unsubscribe-link")
"""Who has the link of a mail needs no key."""
_FORMS = {
    media_type: {"schema": {"type": "object", "properties": {"List-Unsubscribe": {"type": "string"}}}}
    for media_type in ("application/x-www-form-urlencoded", "multipart/form-data")
}
"""What a mail program posts (RFC 8058, 3.1); nobody reads it, since the link says all."""


def unsubscribe_router(store: SubscriptionStore, links: UnsubscribeLinks, clock: Clock) -> APIRouter:
    """The page behind the link, and what its button or a mail program's one click posts."""
    router = APIRouter(tags=["links"])

    @router.get(
        "/unsubscribe/{token}",
        response_class=HTMLResponse,
        operation_id="ask_unsubscribe",
        responses=problems(404),
    )
    async def ask_unsubscribe(token: str) -> HTMLResponse:
        """The page that asks; it changes nothing, since scanners open every link."""
        if links.subscription(token) is None:
            raise _missing()
        return _page("Unsubscribe", f'<form method="post" action="/unsubscribe/{escape(token)}">', "Unsubscribe")

    @router.post(
        "/unsubscribe/{token}",
        response_class=HTMLResponse,
        operation_id="unsubscribe",
        responses=problems(404),
        openapi_extra={"requestBody": {"required": False, "content": _FORMS}},
    )
    async def unsubscribe(token: str) -> HTMLResponse:
        """End the subscription that the link was made for (RFC 8058, one click); again does no harm."""
        id_ = links.subscription(token)
        if id_ is None or not await store.end(id_, None, "unsubscribed", clock.now(), BY_LINK):
            raise _missing()
        return _page("You are unsubscribed", "", "")

    return router


def _missing() -> Problem:
    return not_found(Sentence("There is no such link"))


def _page(title: str, form: str, button: str) -> HTMLResponse:
    inside = f"{form}<button>{button}</button></form>" if form else ""
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<meta name=robots content=noindex><title>{title}</title><main><h1>{title}</h1>{inside}</main></html>",
        headers={
            "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
