"""A subscription by the link of one of its messages: whoever has it sees it, changes it and ends it, without a key.

Neither where it goes nor whose it is can be seen or changed here.
"""

import math
from functools import partial

from fastapi import APIRouter, Request, Response

from services.notifier.subscriptions.answers import SubscriptionSummary, filters_of, subscription_summary
from services.notifier.subscriptions.forms import ChangedByLink, ChangedSubscription
from services.notifier.subscriptions.routes import ALREADY_SUBSCRIBED, ENDED, NEVER_TOLD, changed_columns
from services.notifier.subscriptions.store import AlreadySubscribed, Beside, Row, nothing_beside
from services.notifier.subscriptions.subscription_links import LINK_ENDED, SubscriptionLinks, no_such_link
from services.plumbing.audit.entries import Actor
from services.plumbing.http.etags import IF_MATCH, check_if_match, etag_of
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.http.rate_limits import RateLimits
from services.plumbing.sentences import Sentence

BY_LINK = Actor("subscription-link")
"""Who has the link of a message needs no key."""
SWITCHED_OFF = ProblemKind(
    409, "switched-off", Sentence("The subscription is switched off; the one who set it up switches it on again")
)
CHANGES_PER_MINUTE = 12
"""Of each subscription: in a channel every change is told to everybody there."""
TOO_MANY_CHANGES = ProblemKind(429, "too-many-changes", Sentence("Too many changes at once; wait"))


def link_router(
    links: SubscriptionLinks, beside: Beside = nothing_beside, limits: RateLimits | None = None
) -> APIRouter:
    """What stands behind the link of a message; `beside` is done in the transaction of each change by it."""
    router, counted = APIRouter(tags=["links"]), limits or RateLimits(CHANGES_PER_MINUTE)
    store, clock = links.store, links.clock

    def count(row: Row) -> None:
        """Count a change; a 429 problem for more of them than anybody makes by hand."""
        if wait := counted.count([str(row["id"])]):
            raise Problem(TOO_MANY_CHANGES, headers={"Retry-After": str(math.ceil(wait))})

    @router.get(
        "/subscription-links/{token}",
        operation_id="summarise_subscription",
        responses=problems(404, LINK_ENDED),
    )
    async def summarise_subscription(token: str, response: Response) -> SubscriptionSummary:
        """What a subscription asks for, to who has the link of one of its messages: the page behind it shows it."""
        summary = subscription_summary(await links.subscription(token))
        response.headers["ETag"] = etag_of(summary)
        return summary

    @router.patch(
        "/subscription-links/{token}",
        operation_id="change_subscription_by_link",
        openapi_extra={"parameters": [IF_MATCH]},
        responses=problems(404, LINK_ENDED, ENDED, SWITCHED_OFF, ALREADY_SUBSCRIBED, NEVER_TOLD, TOO_MANY_CHANGES),
    )
    async def change_subscription_by_link(request: Request, token: str, form: ChangedByLink) -> SubscriptionSummary:
        """Change language, zone, kinds of news, reminders or timing; pause or resume. Where it goes stays."""
        row = await links.subscription(token)
        _refuse_what_is_over(row)
        check = partial(_check_if_match, request)
        check(row)
        count(row)
        now = clock.now()
        columns = changed_columns(row, _as_its_owner(row, form), now)
        try:
            changed = await store.change(row["id"], None, columns, now, BY_LINK, check, beside=beside)
        except AlreadySubscribed:
            raise Problem(ALREADY_SUBSCRIBED) from None
        if changed is None:
            raise no_such_link()
        return subscription_summary(changed)

    @router.delete(
        "/subscription-links/{token}",
        status_code=204,
        operation_id="end_subscription_by_link",
        openapi_extra={"parameters": [IF_MATCH]},
        responses=problems(404, LINK_ENDED),
    )
    async def end_subscription_by_link(request: Request, token: str) -> None:
        """End a subscription, and what waits for it; again does no harm."""
        row = await links.subscription(token)
        check = partial(_check_if_match, request)
        await store.end(row["id"], None, "unsubscribed", clock.now(), BY_LINK, check, beside=beside)

    return router


def _check_if_match(request: Request, row: Row) -> None:
    """Raise a 412 problem where the request names another version of the subscription than this."""
    check_if_match(request.headers, subscription_summary(row))


def _refuse_what_is_over(row: Row) -> None:
    if row["state"] == "ended":
        raise Problem(ENDED)
    if row["state"] == "disabled":
        raise Problem(SWITCHED_OFF)


def _as_its_owner(row: Row, form: ChangedByLink) -> ChangedSubscription:
    """The change as its owner would ask for it, of what the form names."""
    asked = {name: getattr(form, name) for name in form.model_fields_set if name != "events"}
    if form.events is not None:
        asked["filters"] = filters_of(row).model_copy(update={"events": form.events})
    return ChangedSubscription(**asked)
