"""The stop switch over HTTP: one call holds every delivery, another lets them go."""

from typing import Annotated

from fastapi import APIRouter, Depends

from contracts.entered import EnteredLine
from contracts.vocabulary import Count, Instant
from services.notifier.delivery.sending_stop import SendingStop, open_stop, start_sending, stop_sending
from services.notifier.delivery.taking_over import count_unsettled
from services.notifier.subscriptions.access import OPERATOR
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.forms import RequestModel, ResponseModel
from services.plumbing.http.problem_documents import problems


class SendingOrder(RequestModel):
    """Why everything is to be held."""

    reason: EnteredLine


class SendingState(ResponseModel):
    """Whether anything is sent, and what waits."""

    is_stopped: bool
    since: Instant | None
    by: str | None
    reason: str | None
    waiting: Count
    """Deliveries that have not ended: while nothing is stopped, those on their way or due later."""


def sending_router(database: Database, keys: ApiKeys, clock: Clock) -> APIRouter:
    """Stop all sending, let it go on, and look at how it stands."""
    router = APIRouter(prefix="/sending", tags=["sending"])
    Operator = Annotated[Caller, Depends(keys.caller(OPERATOR))]  # noqa: N806  a type, bound to this application's keys

    @router.get("", operation_id="read_sending", responses=problems(401, 403))
    async def read_sending(_: Operator) -> SendingState:
        """Whether sending is stopped, since when, by whom and why."""
        async with database.connection() as connection:
            return await _state(connection, await open_stop(connection))

    @router.post("/stop", operation_id="stop_sending", responses=problems(401, 403))
    async def stop(order: SendingOrder, caller: Operator) -> SendingState:
        """Hold every delivery, in all processes, within five seconds; an attempt that has begun ends as it does."""
        async with database.transaction() as connection:
            return await _state(connection, await stop_sending(connection, caller.actor, order.reason, clock.now()))

    @router.post("/start", operation_id="start_sending", responses=problems(401, 403))
    async def start(caller: Operator) -> SendingState:
        """Send what waits; what has become stale meanwhile expires."""
        async with database.transaction() as connection:
            await start_sending(connection, caller.actor, clock.now())
            return await _state(connection, None)

    return router


async def _state(connection: Connection, stop: SendingStop | None) -> SendingState:
    return SendingState(
        is_stopped=stop is not None,
        since=stop.since if stop else None,
        by=stop.by if stop else None,
        reason=stop.reason if stop else None,
        waiting=await count_unsettled(connection),
    )
