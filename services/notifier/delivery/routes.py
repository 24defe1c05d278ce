"""Deliveries over HTTP: the log, to whose subscriptions they are, and the law of conservation."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from contracts.vocabulary import Slug
from services.notifier.channels.webhook import cloud_event
from services.notifier.delivery.answers import (
    AttemptAnswer,
    Conservation,
    DeliveryAnswer,
    DeliveryPage,
    DeliveryState,
    DeliveryWithAttempts,
    delivery_answer,
)
from services.notifier.delivery.log import DeliveryLog
from services.notifier.subscriptions.access import READERS, owner_for
from services.notifier.subscriptions.subscription_links import LINK_ENDED, SubscriptionLinks
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.cursors import BAD_CURSOR, Cursor, Cursors
from services.plumbing.http.forms import WRITTEN_NUMBER
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import not_found
from services.plumbing.sentences import Sentence

_PENDING = ("pending", "sending")
_CURSORS = Cursors[int](Annotated[int, Field(ge=0, lt=2**63)])


def delivery_router(log: DeliveryLog, keys: ApiKeys, links: SubscriptionLinks) -> APIRouter:
    """The log is for owners, operators and those who have the link of a message; no answer names an address."""
    router = APIRouter(tags=["deliveries"])
    Reader = Annotated[Caller, Depends(keys.caller(*READERS))]  # noqa: N806  a type, bound to this application's keys

    @router.get("/deliveries", operation_id="list_deliveries", responses=problems(BAD_CURSOR, 401, 403))
    async def list_deliveries(
        caller: Reader,
        event: UUID | None = None,
        subscription: UUID | None = None,
        commitment: Slug | None = None,
        state: DeliveryState | None = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=200), WRITTEN_NUMBER] = 50,
    ) -> DeliveryPage:
        """The log of deliveries, the newest first; `state=failed` are the dead letters. An operator sees all."""
        found = await log.page(
            owner=owner_for(caller),
            event=event,
            subscription=subscription,
            commitment=commitment,
            state=state,
            before=_CURSORS.read(cursor) if cursor is not None else None,
            limit=limit + 1,
        )
        rows, next_cursor = _CURSORS.page(found, limit, lambda row: row["position"])
        return DeliveryPage(
            items=tuple(DeliveryAnswer(**delivery_answer(row)) for row in rows), next_cursor=next_cursor
        )

    @router.get("/deliveries/{id_}", operation_id="read_delivery", responses=problems(401, 403, 404))
    async def show_delivery(id_: UUID, caller: Reader) -> DeliveryWithAttempts:
        """One delivery with all its attempts."""
        found = await log.find(id_, owner_for(caller))
        if found is None:
            raise not_found(Sentence("There is no such delivery"))
        row, attempts = found
        return DeliveryWithAttempts(
            **delivery_answer(row), tries=tuple(AttemptAnswer(**dict(attempt)) for attempt in attempts)
        )

    @router.get("/events/{id_}", operation_id="read_event", responses=problems(401, 403, 404))
    async def show_event(id_: UUID, caller: Reader) -> dict[str, Any]:
        """An event that one of the caller's subscriptions was to be told of, as the CloudEvent that a webhook gets.

        An operator sees all of them.
        """
        found = await log.event(id_, owner_for(caller))
        if found is None:
            raise not_found(Sentence("There is no such event"))
        event: dict[str, Any] = json.loads(cloud_event(found))
        return event

    @router.get(
        "/subscription-links/{token}/deliveries",
        operation_id="list_deliveries_by_link",
        responses=problems(404, LINK_ENDED),
    )
    async def list_deliveries_by_link(
        token: str, limit: Annotated[int, Query(ge=1, le=200), WRITTEN_NUMBER] = 50
    ) -> DeliveryPage:
        """What a subscription was sent lately, the newest first, to who has the link of one of its messages."""
        row = await links.subscription(token)
        rows = await log.page(
            owner=None, event=None, subscription=row["id"], commitment=None, state=None, before=None, limit=limit
        )
        return DeliveryPage(items=tuple(DeliveryAnswer(**delivery_answer(row)) for row in rows), next_cursor=None)

    @router.get("/conservation", operation_id="conservation")
    async def conservation() -> Conservation:
        """Whether everything that was owed has ended or is pending: accepted × matching = terminal + pending."""
        events, owed, rows = await log.conservation()
        by_channel: dict[str, dict[str, int]] = {}
        for channel, state, count in rows:
            by_channel.setdefault(channel, {})[state] = count
        pending = sum(count for _, state, count in rows if state in _PENDING)
        settled = sum(count for _, state, count in rows if state not in _PENDING)
        return Conservation(
            ok=owed == settled + pending,
            events=events,
            owed=owed,
            settled=settled,
            pending=pending,
            by_channel=by_channel,
        )

    return router
