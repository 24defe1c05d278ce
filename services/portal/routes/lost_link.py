"""The page for those who have no link any more: the links are mailed to the address, and the page tells nobody which
addresses there are.
"""

import re

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from services.plumbing.http.rate_limits import RateLimits, address_name
from services.plumbing.transient_errors import Unavailable
from services.portal.routes.portal import Portal
from services.portal.routes.posted_form import TAKES_FORM, Visit, posted_form

PATH = "/lost-link"
PER_MINUTE = 5
"""Requests of one address on the network: enough for an office, too few to try addresses out."""
LONGEST_ADDRESS = 254
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_LINK = "lost-link"


def add_lost_link_page(app: FastAPI, portal: Portal) -> None:
    """`/lost-link`."""
    limits = RateLimits(PER_MINUTE)

    @app.get(PATH, include_in_schema=False)
    async def lost_link(request: Request) -> Response:
        return _page(portal, request)

    @app.post(PATH, include_in_schema=False, openapi_extra=TAKES_FORM)
    async def ask(request: Request) -> Response:
        form = await posted_form(request)
        address = form.one("address")
        if not Visit(request, _LINK).has_posted(form):
            return _page(portal, request, 403, address=address, refused="foreign")
        if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
            return _page(portal, request, 422, address=address, is_wrong=True)
        if request.client and limits.count([address_name(request.client.host)]):
            return _page(portal, request, 429, address=address, refused="often")
        try:
            reply = await portal.notifier.ask_for_links(address)
        except Unavailable:
            return _page(portal, request, 503, address=address, refused="away")
        if not reply.is_done:  # its form, or too many of all visitors
            often = reply.status == 429
            return _page(
                portal, request, reply.status, address=address, is_wrong=not often, refused="often" if often else ""
            )
        return RedirectResponse(f"{PATH}?asked=1", 303)


def _page(
    portal: Portal,
    request: Request,
    status: int = 200,
    *,
    address: str = "",
    is_wrong: bool = False,
    refused: str = "",
) -> Response:
    visit = Visit(request, _LINK)
    page = portal.pages.show(
        request,
        "lost_link.html",
        status,
        form_key=visit.key,
        address=address,
        is_wrong=is_wrong,
        refused=refused,
        is_asked=request.method == "GET" and request.query_params.get("asked") == "1",
    )
    page.headers["cache-control"] = "no-store"
    return visit.keep(page)
