"""The notifier over HTTP: subscriptions, the log of deliveries, the law of conservation, and unsubscribing."""

import asyncio
import socket
from collections.abc import Mapping
from html import escape
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from fastapi import Depends, FastAPI, Query, Request, Response, Security
from fastapi.responses import HTMLResponse
from fastapi.security import HTTPBearer

from services.notifier.subscriptions.forms import (
    AttemptAnswer,
    ChangedSubscription,
    Conservation,
    DeliveryAnswer,
    DeliveryPage,
    DeliveryState,
    DeliveryWithAttempts,
    MadeSubscription,
    NewSubscription,
    State,
    SubscriptionAnswer,
    SubscriptionPage,
    SubscriptionSummary,
    check_reach,
    delivery_answer,
    filters_of,
    fingerprint,
    ladder_of,
    new_secret,
    read_cursor,
    subscription_answer,
    subscription_summary,
    write_cursor,
)
from services.notifier.subscriptions.store import AlreadySubscribed, Register
from services.notifier.subscriptions.unsubscribe_links import UnsubscribeLinks
from services.notifier.transport.ssrf_guard import Allowed, Unsendable, checked_url
from services.plumbing.clock import Clock
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.app import Check, web_app
from services.plumbing.http.problems import Problem, problems

_PENDING = ("pending", "sending")
Limit = Annotated[int, Query(ge=1, le=200)]


def build_http(
    register: Register,
    keys: ApiKeys,
    links: UnsubscribeLinks,
    allowed: Allowed,
    clock: Clock,
    checks: Mapping[str, Check],
) -> FastAPI:
    """The application; reading the log is open, subscriptions are their owner's."""
    app = web_app(
        "notifier",
        "Pledgewire notifier",
        checks,
        version="1.0.0",
        description="Who is told what, where and in which language, and what became of it.",
        secret_behind=("/unsubscribe/",),
    )
    bearer = HTTPBearer(auto_error=False, scheme_name="api-key", description="`pw_<client>_<secret>`")

    def subscriber(request: Request, _: Annotated[object, Security(bearer)]) -> Caller:
        return keys.require(request, "subscriber")

    Owner = Annotated[Caller, Depends(subscriber)]  # noqa: N806  a type, bound to this application's keys

    @app.post(
        "/subscriptions",
        status_code=201,
        tags=["subscriptions"],
        operation_id="subscribe",
        responses=problems(401, 403, 409, 413, 415, 422, 503),
    )
    async def subscribe(form: NewSubscription, caller: Owner, response: Response) -> MadeSubscription:
        """Subscribe. The signing key of a webhook is shown in this answer only."""
        address = await _checked_address(form.channel, form.address, allowed)
        secret = (form.secret or new_secret()) if form.channel == "webhook" else None
        values = {
            "owner": caller.client,
            "subscriber": form.subscriber,
            "channel": form.channel,
            "address": address,
            "secret": secret,
            "language": str(form.language),
            "zone": form.zone,
            "fingerprint": fingerprint(form.channel, address, form.filters, form.level),
            **form.filters.model_dump(mode="json"),
            "ladder": form.ladder.model_dump(mode="json") if form.ladder else None,
            "level": form.level,
        }
        try:
            row = await register.add(values, clock.now())
        except AlreadySubscribed:
            raise _twice() from None
        response.headers["Location"] = f"/subscriptions/{row['id']}"
        return MadeSubscription(**subscription_answer(row), secret=secret)

    @app.get(
        "/subscriptions",
        tags=["subscriptions"],
        operation_id="list_subscriptions",
        responses=problems(400, 401, 403, 422, 503),
    )
    async def list_subscriptions(
        caller: Owner, state: State | None = None, cursor: str | None = None, limit: Limit = 50
    ) -> SubscriptionPage:
        """One's own subscriptions; an operator sees all."""
        rows = await register.page(_owner(caller), state, _cursor(cursor), limit + 1)
        return SubscriptionPage(
            items=tuple(SubscriptionAnswer(**subscription_answer(row)) for row in rows[:limit]),
            next_cursor=write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None,
        )

    @app.get(
        "/subscriptions/{id_}",
        tags=["subscriptions"],
        operation_id="read_subscription",
        responses=problems(401, 403, 404, 422, 503),
    )
    async def show_subscription(id_: UUID, caller: Owner) -> SubscriptionAnswer:
        """One subscription."""
        row = await register.find(id_, _owner(caller))
        if row is None:
            raise _missing("subscription")
        return SubscriptionAnswer(**subscription_answer(row))

    @app.get(
        "/subscriptions/{id_}/summary",
        tags=["subscriptions"],
        operation_id="summarise_subscription",
        responses=problems(404, 422, 503),
    )
    async def summarise_subscription(id_: UUID) -> SubscriptionSummary:
        """What a subscription asks for, without a key: the page that every message links to shows it."""
        row = await register.find(id_, None)
        if row is None:
            raise _missing("subscription")
        return subscription_summary(row)

    @app.patch(
        "/subscriptions/{id_}",
        tags=["subscriptions"],
        operation_id="change_subscription",
        responses=problems(401, 403, 404, 409, 413, 415, 422, 503),
    )
    async def change_subscription(id_: UUID, form: ChangedSubscription, caller: Owner) -> SubscriptionAnswer:
        """Change language, zone, filters, ladder or level; pause or resume."""
        row = await register.find(id_, _owner(caller))
        if row is None:
            raise _missing("subscription")
        if row["state"] == "ended":
            raise Problem(409, "ended", "The subscription has ended; make a new one")
        filters = form.filters or filters_of(row)
        ladder = form.ladder if "ladder" in form.model_fields_set else ladder_of(row)
        level = form.level if "level" in form.model_fields_set else row["level"]
        try:
            check_reach(filters, ladder, level)
        except ValueError as error:
            raise Problem(422, "never-told", "The subscription would never be told of this", str(error)) from None
        values: dict[str, object] = {
            "language": str(form.language or row["language"]),
            "zone": form.zone or row["zone"],
            "fingerprint": fingerprint(row["channel"], row["address"], filters, level),
            **filters.model_dump(mode="json"),
            "ladder": ladder.model_dump(mode="json") if ladder else None,
            "level": level,
        }
        if form.state:
            values |= {"state": form.state, "reason": None, "ended_at": None}
        try:
            changed = await register.change(id_, _owner(caller), values, clock.now())
        except AlreadySubscribed:
            raise _twice() from None
        if changed is None:
            raise _missing("subscription")
        return SubscriptionAnswer(**subscription_answer(changed))

    @app.delete(
        "/subscriptions/{id_}",
        status_code=204,
        tags=["subscriptions"],
        operation_id="end_subscription",
        responses=problems(401, 403, 404, 422, 503),
    )
    async def end_subscription(id_: UUID, caller: Owner) -> None:
        """End a subscription, and what waits for it."""
        if not await register.end(id_, _owner(caller), "ended-by-owner", clock.now()):
            raise _missing("subscription")

    @app.get("/deliveries", tags=["deliveries"], operation_id="list_deliveries", responses=problems(400, 422, 503))
    async def list_deliveries(
        event: UUID | None = None,
        subscription: UUID | None = None,
        commitment: Annotated[str | None, Query(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=96)] = None,
        state: DeliveryState | None = None,
        cursor: str | None = None,
        limit: Limit = 50,
    ) -> DeliveryPage:
        """The log of deliveries, the newest first; `state=failed` are the dead letters."""
        rows = await register.deliveries(
            event=event,
            subscription=subscription,
            commitment=commitment,
            state=state,
            before=_cursor(cursor),
            limit=limit + 1,
        )
        return DeliveryPage(
            items=tuple(DeliveryAnswer(**delivery_answer(row)) for row in rows[:limit]),
            next_cursor=write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None,
        )

    @app.get("/deliveries/{id_}", tags=["deliveries"], operation_id="read_delivery", responses=problems(404, 422, 503))
    async def show_delivery(id_: UUID) -> DeliveryWithAttempts:
        """One delivery with all its attempts."""
        found = await register.delivery(id_)
        if found is None:
            raise _missing("delivery")
        row, attempts = found
        return DeliveryWithAttempts(
            **delivery_answer(row), tries=tuple(AttemptAnswer(**dict(attempt)) for attempt in attempts)
        )

    @app.get("/conservation", tags=["deliveries"], operation_id="conservation", responses=problems(503))
    async def conservation() -> Conservation:
        """Whether everything that was owed has ended or is pending: accepted × matching = terminal + pending."""
        heard, owed, rows = await register.conservation()
        by_channel: dict[str, dict[str, int]] = {}
        for channel, state, count in rows:
            by_channel.setdefault(channel, {})[state] = count
        pending = sum(count for _, state, count in rows if state in _PENDING)
        settled = sum(count for _, state, count in rows if state not in _PENDING)
        return Conservation(
            ok=owed == settled + pending,
            events=heard,
            owed=owed,
            settled=settled,
            pending=pending,
            by_channel=by_channel,
        )

    @app.get(
        "/unsubscribe/{token}",
        response_class=HTMLResponse,
        tags=["links"],
        operation_id="ask_unsubscribe",
        responses=problems(404, 422),
    )
    async def ask_unsubscribe(token: str) -> HTMLResponse:
        """The page that asks; it changes nothing, since scanners open every link."""
        if links.subscription(token) is None:
            raise _missing("link")
        return _page("Unsubscribe", f'<form method="post" action="/unsubscribe/{escape(token)}">', "Unsubscribe")

    @app.post(
        "/unsubscribe/{token}",
        response_class=HTMLResponse,
        tags=["links"],
        operation_id="unsubscribe",
        responses=problems(404, 422, 503),
    )
    async def unsubscribe(token: str) -> HTMLResponse:
        """End the subscription that the link was made for (RFC 8058, one click); again does no harm."""
        id_ = links.subscription(token)
        if id_ is None or not await register.end(id_, None, "unsubscribed", clock.now()):
            raise _missing("link")
        return _page("You are unsubscribed", "", "")

    return app


def _owner(caller: Caller) -> str | None:
    return None if "operator" in caller.roles else caller.client


def _missing(what: str) -> Problem:
    return Problem(404, "not-found", f"There is no such {what}")


def _twice() -> Problem:
    return Problem(409, "already-subscribed", "This address is already subscribed to the same on this channel")


def _cursor(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return read_cursor(cursor)
    except ValueError:
        raise Problem(400, "bad-cursor", "Use the `next_cursor` of an answer as it is, or none") from None


async def _checked_address(channel: str, address: str, allowed: Allowed) -> str:
    """The address in its normal form; a 422 problem, which does not quote it, for one that can't be delivered to."""
    if channel == "email":
        try:
            return validate_email(address, check_deliverability=False, test_environment=True).normalized
        except EmailNotValidError:
            raise _unfit("This is not an e-mail address") from None
    try:
        url = checked_url(address, allowed)
    except Unsendable as error:
        raise _unfit(str(error)) from None
    host = urlsplit(url).hostname or ""
    try:
        async with asyncio.timeout(5):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return url  # a name may come into being later; what counts is asked again at every connect
    if not all(allowed.lets(ip_address(str(where[0]).split("%")[0]), host) for *_, where in found):
        raise _unfit("the host is not a public address")
    return url


def _unfit(detail: str) -> Problem:
    return Problem(422, "unfit-address", "Nothing can be delivered to this address", detail)


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
