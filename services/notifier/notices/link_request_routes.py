"""`POST /link-requests`: who has lost the links of their messages asks for them by mail.

The answer is the same for every address, and so is the work until it: who is known is looked at later.
"""

import math
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, StringConstraints

from contracts.text import fit
from services.notifier.notices.link_requests import LinkRequests
from services.plumbing.clock import Clock
from services.plumbing.http.forms import RequestModel
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.http.rate_limits import RateLimits, address_name
from services.plumbing.sentences import Sentence

LONGEST_ADDRESS = 254
PER_MINUTE = 60
"""Requests of one address on the network; the portal asks for all its visitors, and keeps limits for each."""
TOO_MANY_REQUESTS = ProblemKind(429, "too-many-requests", Sentence("Too many requests came from here; wait"))


class NewLinkRequest(RequestModel):
    """Whose links are asked for."""

    address: Annotated[
        str,
        StringConstraints(pattern=r"^[^\s@]+@[^\s@]+$", min_length=3, max_length=LONGEST_ADDRESS),
        AfterValidator(partial(fit, most=LONGEST_ADDRESS)),
    ]
    """An e-mail address."""


def link_request_router(requests: LinkRequests, clock: Clock, limits: RateLimits | None = None) -> APIRouter:
    """Ask for the links of one's messages."""
    router, counted = APIRouter(tags=["links"]), limits or RateLimits(PER_MINUTE)

    @router.post(
        "/link-requests",
        status_code=202,
        response_class=Response,
        operation_id="ask_for_links",
        responses=problems(TOO_MANY_REQUESTS),
    )
    async def ask_for_links(request: Request, form: NewLinkRequest) -> Response:
        """Have the links to an address's subscriptions mailed to it, if it has any; at most once within 24 hours."""
        if request.client and (wait := counted.count([address_name(request.client.host)])):
            raise Problem(TOO_MANY_REQUESTS, headers={"Retry-After": str(math.ceil(wait))})
        await requests.ask(form.address, clock.now())
        return Response(status_code=202)

    return router
