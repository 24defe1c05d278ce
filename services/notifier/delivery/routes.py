"""Deliveries over HTTP: the log, which everybody may read, and the law of conservation."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

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
from services.plumbing.http.cursors import Cursors
from services.plumbing.http.problems import Problem, problems

_PENDING = ("pending", "sending")
_CURSORS = Cursors[int](int)


def delivery_router(log: DeliveryLog) -> APIRouter:
    """Everything here is open: it names no address."""
    router = APIRouter(tags=["deliveries"])

    @router.get("/deliveries", operation_id="list_deliveries", responses=problems(400, 422, 503))
    async def list_deliveries(
        event: UUID | None = None,
        subscription: UUID | None = None,
        commitment: Annotated[str | None, Query(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=96)] = None,
        state: DeliveryState | None = None,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> DeliveryPage:
        """The log of deliveries, the newest first; `state=failed` are the dead letters."""
        found = await log.page(
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

    @router.get("/deliveries/{id_}", operation_id="read_delivery", responses=problems(404, 422, 503))
    async def show_delivery(id_: UUID) -> DeliveryWithAttempts:
        """One delivery with all its attempts."""
        found = await log.find(id_)
        if found is None:
            raise Problem(404, "not-found", "There is no such delivery")
        row, attempts = found
        return DeliveryWithAttempts(
            **delivery_answer(row), tries=tuple(AttemptAnswer(**dict(attempt)) for attempt in attempts)
        )

    @router.get("/conservation", operation_id="conservation", responses=problems(503))
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
