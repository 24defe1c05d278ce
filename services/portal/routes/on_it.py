"""The page behind the link of an escalation: who was asked says that they are on it.

To open it changes nothing: machines open every link of a mail.
"""

import re
import secrets
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from contracts.entered import EnteredLine, EnteredParagraph
from services.plumbing.transient_errors import Unavailable
from services.portal.clients.page_parts import MISSING
from services.portal.clients.scheduler import AskedView
from services.portal.clients.service_client import LinkEnded, NoSuchResource
from services.portal.routes.portal import Portal
from services.portal.routes.posted_form import TAKES_FORM, PostedForm, Visit, posted_form

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,600}")
_ONCE = re.compile(r"[A-Za-z0-9_-]{20,60}")
_FORMS: dict[str, TypeAdapter[str]] = {"name": TypeAdapter(EnteredLine), "note": TypeAdapter(EnteredParagraph)}


@dataclass(frozen=True)
class Entered:
    """What somebody has filled in."""

    name: str = ""
    note: str = ""

    @classmethod
    def read(cls, form: PostedForm) -> "Entered":
        """From the form; a note is one paragraph, however it was typed."""
        return cls(form.one("name"), " ".join(form.one("note").split()))

    @property
    def wrong(self) -> frozenset[str]:
        """The fields that can't be taken as they are."""
        needed = {"name": self.name, **({"note": self.note} if self.note else {})}
        return frozenset(name for name, text in needed.items() if not _fits(name, text))


def add_on_it_page(app: FastAPI, portal: Portal) -> None:
    """`/on-it/{token}`."""

    @app.get("/on-it/{token}", include_in_schema=False)
    async def on_it(request: Request, token: str) -> Response:
        asked = await _asked(portal, request, token)
        return asked if isinstance(asked, Response) else _page(portal, request, token, asked)

    @app.post("/on-it/{token}", include_in_schema=False, openapi_extra=TAKES_FORM)
    async def acknowledge(request: Request, token: str) -> Response:
        asked = await _asked(portal, request, token)
        if isinstance(asked, Response):
            return asked
        form = await posted_form(request)
        entered, once, taken_from = Entered.read(form), form.one("once"), form.one("take-over-from")
        if not _ONCE.fullmatch(once):
            raise HTTPException(422)
        if not Visit(request, token).has_posted(form):
            return _page(portal, request, token, asked, 403, entered=entered, refused="foreign")
        if entered.wrong:
            return _page(portal, request, token, asked, 422, entered=entered, wrong=entered.wrong)
        made = {"name": entered.name} | ({"note": entered.note} if entered.note else {})
        made |= {"take_over_from": taken_from} if taken_from else {}
        language = portal.pages.words(request, asked.language).language
        try:
            reply = await portal.scheduler.acknowledge(token, made, f"link-{once}", language)
        except Unavailable:
            return _page(portal, request, token, asked, 503, entered=entered, refused="away")
        if reply.is_done:
            return RedirectResponse(f"/on-it/{token}?saved=1", 303)
        now = await _asked(portal, request, token)
        if isinstance(now, Response):
            return now
        said = " ".join(filter(None, (reply.problem.title, reply.problem.detail)))
        return _page(portal, request, token, now, 409, entered=entered, said=said)


async def _asked(portal: Portal, request: Request, token: str) -> AskedView | Response:
    """What the link asks about, or the page that says why it can't be shown; raises a 404 exception for no link."""
    if not _TOKEN.fullmatch(token):
        raise HTTPException(404)
    try:
        return await portal.scheduler.asked(token)
    except NoSuchResource:
        raise HTTPException(404) from None
    except LinkEnded:
        return portal.pages.show(request, "on_it.html", 410, asked=None, has_ended=True)
    except Unavailable:
        MISSING.labels("escalation").inc()
        return portal.pages.show(request, "on_it.html", 503, asked=None, has_ended=False)


def _page(
    portal: Portal,
    request: Request,
    token: str,
    asked: AskedView,
    status: int = 200,
    *,
    entered: Entered = Entered(),
    wrong: frozenset[str] = frozenset(),
    refused: str = "",
    said: str = "",
) -> Response:
    visit = Visit(request, token)
    page = portal.pages.show(
        request,
        "on_it.html",
        status,
        spoken=asked.language,
        asked=asked,
        has_ended=False,
        escalation=asked.escalation,
        token=token,
        form_key=visit.key,
        once=secrets.token_urlsafe(24),
        entered=entered,
        wrong=wrong,
        refused=refused,
        said=said,
        is_saved=request.method == "GET" and request.query_params.get("saved") == "1",
        today=portal.today_in(asked.escalation.zone),
    )
    return visit.keep(page)


def _fits(name: str, text: str) -> bool:
    try:
        _FORMS[name].validate_python(text)
    except ValidationError:
        return False
    return True
