"""Subscriptions over HTTP: each is its owner's; an operator sees all."""

from datetime import datetime
from functools import partial
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notifier.channels import CHANNELS
from services.notifier.channels.channel import PostedChannel
from services.notifier.channels.ssrf_guard import AllowList, UndeliverableAddress
from services.notifier.subscriptions.access import READERS, owner_for
from services.notifier.subscriptions.answers import (
    CreatedSubscription,
    SubscriptionAnswer,
    SubscriptionPage,
    SubscriptionState,
    filters_of,
    subscription_answer,
)
from services.notifier.subscriptions.forms import ChangedSubscription, NewSubscription, check_reach
from services.notifier.subscriptions.own_ladder import kept_ladder
from services.notifier.subscriptions.signing_keys import new_secret
from services.notifier.subscriptions.store import AlreadySubscribed, Row, SubscriptionStore
from services.notifier.subscriptions.timing_form import TimingForm, check_timing, timing_column
from services.notifier.transport.resolver import resolves_to_allowed
from services.plumbing.clock import Clock
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.cursors import BAD_CURSOR, Cursor, Cursors
from services.plumbing.http.etags import IF_MATCH, check_if_match
from services.plumbing.http.forms import WRITTEN_NUMBER
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import REFUSED_BY_RULE, Problem, ProblemKind, not_found
from services.plumbing.sentences import Sentence, sentence_of

_CURSORS = Cursors[UUID](UUID)

ENDED = ProblemKind(409, "ended", Sentence("The subscription has ended; make a new one"))
ALREADY_SUBSCRIBED = ProblemKind(
    409, "already-subscribed", Sentence("You have subscribed this address to the same on this channel already")
)
NEVER_TOLD = ProblemKind(422, "never-told", Sentence("The subscription would never be told of this"))
UNFIT_ADDRESS = ProblemKind(422, "unfit-address", Sentence("Nothing can be delivered to this address"))


def subscription_router(store: SubscriptionStore, keys: ApiKeys, allowed: AllowList, clock: Clock) -> APIRouter:
    """Make, list, read, change and end subscriptions."""
    router = APIRouter(tags=["subscriptions"])
    router.include_router(_reading(store, keys))
    router.include_router(_writing(store, keys, allowed, clock))
    return router


def _reading(store: SubscriptionStore, keys: ApiKeys) -> APIRouter:
    router = APIRouter()
    Reader = Annotated[Caller, Depends(keys.caller(*READERS))]  # noqa: N806  a type, bound to this application's keys

    @router.get(
        "/subscriptions",
        operation_id="list_subscriptions",
        responses=problems(BAD_CURSOR, 401, 403),
    )
    async def list_subscriptions(
        caller: Reader,
        state: SubscriptionState | None = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=200), WRITTEN_NUMBER] = 50,
    ) -> SubscriptionPage:
        """One's own subscriptions; an operator sees all."""
        after = _CURSORS.read(cursor) if cursor is not None else None
        found = await store.page(owner_for(caller), state, after, limit + 1)
        rows, next_cursor = _CURSORS.page(found, limit, lambda row: row["id"])
        return SubscriptionPage(
            items=tuple(SubscriptionAnswer(**subscription_answer(row)) for row in rows), next_cursor=next_cursor
        )

    @router.get(
        "/subscriptions/{id_}",
        operation_id="read_subscription",
        responses=problems(401, 403, 404),
    )
    async def show_subscription(id_: UUID, caller: Reader) -> SubscriptionAnswer:
        """One subscription."""
        row = await store.find(id_, owner_for(caller))
        if row is None:
            raise not_found(Sentence("There is no such subscription"))
        return SubscriptionAnswer(**subscription_answer(row))

    return router


def _writing(store: SubscriptionStore, keys: ApiKeys, allowed: AllowList, clock: Clock) -> APIRouter:
    router = APIRouter()
    Owner = Annotated[Caller, Depends(keys.caller("subscriber"))]  # noqa: N806  a type, bound to this application's keys

    @router.post(
        "/subscriptions",
        status_code=201,
        operation_id="subscribe",
        responses=problems(401, 403, ALREADY_SUBSCRIBED, UNFIT_ADDRESS),
    )
    async def subscribe(form: NewSubscription, caller: Owner, response: Response) -> CreatedSubscription:
        """Subscribe. The signing key of a webhook is shown in this answer only."""
        now = clock.now()
        address = await _deliverable(form.channel, form.address, allowed)
        secret = (form.secret or new_secret()) if CHANNELS[form.channel].is_signed else None
        values = {
            "owner": caller.client,
            "subscriber": form.subscriber,
            "channel": form.channel,
            "address": address,
            "secret": secret,
            "language": form.language,
            "zone": form.zone,
            **form.filters.model_dump(mode="json"),
            "ladder": form.ladder.model_dump(mode="json") if form.ladder else None,
            "level": form.level,
            "timing": _timing_column(form.channel, form.timing, now),
        }
        try:
            row = await store.add(values, now, caller.actor)
        except AlreadySubscribed:
            raise Problem(ALREADY_SUBSCRIBED) from None
        response.headers["Location"] = f"/subscriptions/{row['id']}"
        return CreatedSubscription(**subscription_answer(row), secret=secret)

    @router.patch(
        "/subscriptions/{id_}",
        operation_id="change_subscription",
        openapi_extra={"parameters": [IF_MATCH]},
        responses=problems(401, 403, 404, ENDED, ALREADY_SUBSCRIBED, NEVER_TOLD),
    )
    async def change_subscription(
        request: Request, id_: UUID, form: ChangedSubscription, caller: Owner
    ) -> SubscriptionAnswer:
        """Change language, zone, filters, ladder, level or timing; pause or resume."""
        row = await store.find(id_, owner_for(caller))
        if row is None:
            raise not_found(Sentence("There is no such subscription"))
        if row["state"] == "ended":
            raise Problem(ENDED)
        check = partial(_check_if_match, request)
        check(row)
        try:
            now = clock.now()
            columns = changed_columns(row, form, now)
            changed = await store.change(id_, owner_for(caller), columns, now, caller.actor, check)
        except AlreadySubscribed:
            raise Problem(ALREADY_SUBSCRIBED) from None
        if changed is None:
            raise not_found(Sentence("There is no such subscription"))
        return SubscriptionAnswer(**subscription_answer(changed))

    @router.delete(
        "/subscriptions/{id_}",
        status_code=204,
        operation_id="end_subscription",
        openapi_extra={"parameters": [IF_MATCH]},
        responses=problems(401, 403, 404),
    )
    async def end_subscription(request: Request, id_: UUID, caller: Owner) -> None:
        """End a subscription, and what waits for it."""
        check = partial(_check_if_match, request)
        if not await store.end(id_, owner_for(caller), "ended-by-owner", clock.now(), caller.actor, check):
            raise not_found(Sentence("There is no such subscription"))

    return router


def _check_if_match(request: Request, row: Row) -> None:
    """Raise a 412 problem where the request names another version of the subscription than this."""
    check_if_match(request.headers, SubscriptionAnswer(**subscription_answer(row)))


def changed_columns(row: Row, form: ChangedSubscription, now: datetime) -> dict[str, object]:
    """The columns of a subscription after a change; a 422 problem for a ladder or level without effect."""
    filters = form.filters or filters_of(row)
    ladder = form.ladder if "ladder" in form.model_fields_set else kept_ladder(row["ladder"])
    level = form.level if "level" in form.model_fields_set else row["level"]
    try:
        check_reach(filters, ladder, level)
    except ValueError as error:
        raise Problem(NEVER_TOLD, sentence_of(error)) from None
    columns: dict[str, object] = {
        "language": form.language or row["language"],
        "zone": form.zone or row["zone"],
        **filters.model_dump(mode="json"),
        "ladder": ladder.model_dump(mode="json") if ladder else None,
        "level": level,
    }
    if "timing" in form.model_fields_set:
        columns["timing"] = _timing_column(row["channel"], form.timing, now)
    if form.state:
        columns |= {"state": form.state, "reason": None, "ended_at": None}
    return columns


def _timing_column(channel: str, timing: TimingForm | None, now: datetime) -> dict[str, object] | None:
    try:
        check_timing(channel, timing)
        return timing_column(timing, now)
    except ValueError as error:
        raise Problem(REFUSED_BY_RULE, sentence_of(error)) from None


async def _deliverable(name: str, address: str, allowed: AllowList) -> str:
    """The address in its normal form; a 422 problem, which does not quote it, for one that can't be delivered to."""
    channel = CHANNELS[name]
    try:
        checked = channel.checked_address(address, allowed)
    except UndeliverableAddress as error:
        raise Problem(UNFIT_ADDRESS, sentence_of(error)) from None
    if isinstance(channel, PostedChannel) and not await resolves_to_allowed(urlsplit(checked).hostname or "", allowed):
        raise Problem(UNFIT_ADDRESS, Sentence("the host is not a public address"))
    return checked
