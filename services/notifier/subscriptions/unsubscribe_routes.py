"""Unsubscribing by the link of a mail, without signing in.

A mail program posts (RFC 8058, one click), and it is done. Who opens the link gets to the page of the portal that says
what ends and offers less; it changes nothing, since scanners open every link.
"""

from html import escape
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.i18n.languages import nearest_language
from services.i18n.words import words_in
from services.notifier.rendering.page_links import PageLinks
from services.notifier.subscriptions.store import SubscriptionStore
from services.notifier.subscriptions.subscription_links import no_such_link
from services.notifier.subscriptions.unsubscribe_links import UnsubscribeLinks
from services.plumbing.audit.entries import Actor
from services.plumbing.clock import Clock
from services.plumbing.http.problem_documents import problems

BY_LINK = Actor("unsubscribe-link")
"""Who has the link of a mail needs no key."""
_FORMS = {
    media_type: {"schema": {"type": "object", "properties": {"List-Unsubscribe": {"type": "string"}}}}
    for media_type in ("application/x-www-form-urlencoded", "multipart/form-data")
}
"""What a mail program posts (RFC 8058, 3.1); nobody reads it, since the link says all."""
_PRIVATE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def unsubscribe_router(store: SubscriptionStore, links: UnsubscribeLinks, pages: PageLinks, clock: Clock) -> APIRouter:
    """Where the link leads, and what a mail program's one click posts to it."""
    router = APIRouter(tags=["links"])

    @router.get(
        "/unsubscribe/{token}",
        status_code=303,
        response_class=RedirectResponse,
        operation_id="ask_unsubscribe",
        responses=problems(404),
    )
    async def ask_unsubscribe(token: str) -> Response:
        """The way to the page that asks, in the reader's language, and offers less instead of none."""
        named = links.subscriptions(token)
        if not named:
            raise no_such_link()
        return RedirectResponse(pages.stop(named[0]), 303, _PRIVATE)

    @router.post(
        "/unsubscribe/{token}",
        response_class=HTMLResponse,
        operation_id="unsubscribe",
        responses=problems(404),
        openapi_extra={"requestBody": {"required": False, "content": _FORMS}},
    )
    async def unsubscribe(token: str) -> HTMLResponse:
        """End what the mail was sent for (RFC 8058, one click): all subscriptions that it names; again does no harm."""
        named = links.subscriptions(token)
        ended = [await store.end(id_, None, "unsubscribed", clock.now(), BY_LINK) for id_ in named]
        if not any(ended):
            raise no_such_link()
        return _done(await _language(named[0]))

    async def _language(id_: UUID) -> str:
        row = await store.find(id_, None)
        return nearest_language(row["language"] if row else "")

    return router


def _done(language: str) -> HTMLResponse:
    title = escape(words_in(language).gettext("You are unsubscribed"))
    return HTMLResponse(
        f"<!doctype html><html lang={language}><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<meta name=robots content=noindex><title>{title}</title><main><h1>{title}</h1></main></html>",
        headers={
            "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
            "Content-Language": language,
            **_PRIVATE,
        },
    )
