"""The trial over HTTP: whether one is on and what it holds, and the word that ends it."""

from typing import Annotated

from fastapi import APIRouter, Depends

from contracts.vocabulary import Count, Instant
from services.notifier.delivery.trial import HeldByTrial, Trial, count_held, go_live, open_trial
from services.notifier.subscriptions.access import OPERATOR
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.forms import ResponseModel
from services.plumbing.http.problem_documents import problems


class TrialState(ResponseModel):
    """Whether a trial is on, who gets anything while it is, and what it holds."""

    is_on: bool
    since: Instant | None
    by: str | None
    allowed: tuple[str, ...]
    """Mail addresses, @domains, hosts of webhooks, and ids of subscriptions."""
    held: Count
    """Deliveries that wait for somebody to go live; once the trial has ended, those that had waited."""
    addresses: Count
    """To how many addresses they go."""
    stale: Count
    """How many of them would be stale by now, and expire."""


def trial_router(database: Database, keys: ApiKeys, clock: Clock) -> APIRouter:
    """Look at the trial, and go live."""
    router = APIRouter(prefix="/trial", tags=["sending"])
    Operator = Annotated[Caller, Depends(keys.caller(OPERATOR))]  # noqa: N806  a type, bound to this application's keys

    @router.get("", operation_id="read_trial", responses=problems(401, 403))
    async def read_trial(_: Operator) -> TrialState:
        """Whether a trial is on, its list, and what it holds."""
        async with database.connection() as connection:
            return _state(await open_trial(connection), await count_held(connection, clock.now()))

    @router.post("/end", operation_id="go_live", responses=problems(401, 403))
    async def end_trial(caller: Operator) -> TrialState:
        """Go live: what was held is told now, or overtaken, or expires; where no trial is on, nothing changes."""
        async with database.transaction() as connection:
            held = await go_live(connection, caller.actor, clock.now())
        return _state(None, held or HeldByTrial(0, 0, 0))

    return router


def _state(trial: Trial | None, held: HeldByTrial) -> TrialState:
    return TrialState(
        is_on=trial is not None,
        since=trial.since if trial else None,
        by=trial.by if trial else None,
        allowed=trial.allowed if trial else (),
        held=held.deliveries,
        addresses=held.addresses,
        stale=held.stale,
    )
