"""`/undo-links/{token}`: what somebody in a channel has changed by its link is put back by who sees it told there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter

from contracts.vocabulary import Instant
from services.notifier.notices.shared_changes import SharedChanges
from services.notifier.subscriptions.answers import SubscriptionSummary, subscription_summary
from services.notifier.subscriptions.link_routes import BY_LINK
from services.notifier.subscriptions.link_settings import LinkSettings
from services.notifier.subscriptions.routes import ALREADY_SUBSCRIBED
from services.notifier.subscriptions.signed_ids import SignedIds
from services.notifier.subscriptions.store import AlreadySubscribed, Row, SubscriptionStore
from services.notifier.subscriptions.subscription_links import LINK_ENDED, last_day_of_shared, no_such_link
from services.plumbing.clock import Clock
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.sentences import Sentence

OVERTAKEN = ProblemKind(409, "overtaken", Sentence("It has been changed again since, so this can’t be put back"))


class SharedChange(ResponseModel):
    """What somebody in a channel has changed, and whether it can be put back."""

    changed: tuple[str, ...]
    """The names of what differs."""
    at: Instant
    was: SubscriptionSummary
    """The subscription as it would be if this were put back."""
    now: SubscriptionSummary
    is_undone: bool
    can_be_undone: bool


def undo_tokens(settings: LinkSettings) -> SignedIds:
    """Of changes that are told to a channel."""
    return SignedIds(settings, "undo")


def undo_link(portal: str, tokens: SignedIds, clock: Clock) -> Callable[[UUID], str]:
    """What makes the address of the page where a change is put back; it ends as the channel's other links do."""
    return lambda change_id: f"{portal}/undo/{tokens.token(change_id, last_day_of_shared(clock.now()))}"


def undo_router(store: SubscriptionStore, changes: SharedChanges, tokens: SignedIds, clock: Clock) -> APIRouter:
    """Look at a change, and put it back."""
    router = APIRouter(tags=["links"])

    async def found(token: str) -> tuple[asyncpg.Record, Row]:
        """The change of a link and its subscription; a 404 or 410 problem for a link that is good for nothing."""
        signed = tokens.read(token)
        change = await changes.find(signed.id) if signed else None
        row = await store.find(change["subscription_id"], None) if change else None
        if signed is None or change is None or row is None:
            raise no_such_link()
        if signed.has_ended(clock.now().date()):
            raise Problem(LINK_ENDED)
        return change, row

    @router.get("/undo-links/{token}", operation_id="read_change_by_link", responses=problems(404, LINK_ENDED))
    async def read_change_by_link(token: str) -> SharedChange:
        """What was changed, to who has the link that the channel was told."""
        return _shown(*await found(token))

    @router.post(
        "/undo-links/{token}",
        operation_id="undo_by_link",
        responses=problems(404, LINK_ENDED, OVERTAKEN, ALREADY_SUBSCRIBED),
    )
    async def undo_by_link(token: str) -> SharedChange:
        """Put it back, unless it was changed again; again does no harm. The channel is told of this, too."""
        change, row = await found(token)
        if change["undone_at"] is not None:
            return _shown(change, row)
        columns = dict(change["before"])
        if change["after"].get("state") == "ended":
            columns |= {"reason": None, "ended_at": None}

        async def beside(connection: Connection, before: Any, after: Any, at: datetime) -> None:
            await changes.mark_undone(connection, change["id"], at)
            await changes.record(connection, before, after, at)

        try:
            put_back = await store.change(
                row["id"],
                None,
                columns,
                clock.now(),
                BY_LINK,
                lambda now: _refuse_overtaken(change, now),
                beside=beside,
                revives=True,
            )
        except AlreadySubscribed:
            raise Problem(ALREADY_SUBSCRIBED) from None
        if put_back is None:
            raise no_such_link()
        return _shown(*await found(token))

    return router


def _refuse_overtaken(change: asyncpg.Record, row: Row) -> None:
    if not _stands(change, row):
        raise Problem(OVERTAKEN)


def _stands(change: asyncpg.Record, row: Row) -> bool:
    """Whether the subscription is still as the change has left it."""
    return bool(row["address"]) and all(row[name] == value for name, value in change["after"].items())


def _shown(change: asyncpg.Record, row: Row) -> SharedChange:
    is_undone = change["undone_at"] is not None
    was: Any = dict(row) | change["before"]
    return SharedChange(
        changed=tuple(change["after"]),
        at=change["at"],
        was=subscription_summary(was),
        now=subscription_summary(row),
        is_undone=is_undone,
        can_be_undone=not is_undone and _stands(change, row),
    )
