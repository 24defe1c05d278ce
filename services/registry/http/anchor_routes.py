"""The routes about anchors: events on which milestones hang, and what becomes known of them."""

from collections.abc import Sequence
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Body, Depends, Request, Response, Security
from pydantic import BaseModel

from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import Caller
from services.registry.actions import anchors as anchoring
from services.registry.actions.anchors import IsOff, Moved, WasHeld
from services.registry.actions.events import Occasion
from services.registry.actions.reschedule import Scheduled
from services.registry.http import queries
from services.registry.http.forms import (
    AnchorList,
    AnchorMoved,
    AnchorRecord,
    AnchorSettled,
    NewAnchor,
    NewDate,
    NewOutcome,
    Rescheduled,
    from_json,
)
from services.registry.http.write_endpoint import BEARER, KEYED, Door, found_or_404, id_of, problems, span_said
from services.registry.store import HeldAnchor

NewAnchorBody = Annotated[NewAnchor, Body(), from_json(NewAnchor)]
NewDateBody = Annotated[NewDate, Body(), from_json(NewDate)]
NewOutcomeBody = Annotated[NewOutcome, Body(), from_json(NewOutcome)]


def reading(database: Database) -> APIRouter:
    """What everybody may ask."""
    router = APIRouter()

    @router.get("/anchors", response_model=AnchorList, operation_id="list_anchors")
    async def anchors() -> AnchorList:
        """The events on which milestones hang."""
        async with queries.snapshot(database) as connection:
            return await queries.anchor_list(connection)

    @router.get(
        "/anchors/{anchor_id}", response_model=AnchorRecord, responses=problems(404), operation_id="read_anchor"
    )
    async def anchor(anchor_id: str) -> AnchorRecord:
        """An anchor, with all that became known of it."""
        async with queries.snapshot(database) as connection:
            return found_or_404(await queries.anchor_record(connection, id_of(anchor_id, "anchor")), "anchor")

    return router


def writing(door: Door) -> APIRouter:
    """What editors do."""
    router = APIRouter(dependencies=[Security(BEARER)])
    Editor = Annotated[Caller, Depends(door.role("editor"))]  # noqa: N806  a type, though made here
    database = door.database

    @router.post(
        "/anchors",
        status_code=201,
        response_model=AnchorRecord,
        responses=problems(400, 401, 403, 409, 415, 422, 503),
        openapi_extra=KEYED,
        operation_id="create_anchor",
    )
    async def create_anchor(request: Request, new: NewAnchorBody, caller: Editor) -> Response:
        """Enter an event on which milestones may hang, however roughly its date is known."""

        async def act(connection: Connection, occasion: Occasion) -> BaseModel:
            span = span_said(new.edtf)
            anchor = HeldAnchor(new.id, new.zone, span, new.local_time, new.source, new.known_on, None, None)
            await anchoring.create_anchor(connection, anchor, new.title, occasion)
            return found_or_404(await queries.anchor_record(connection, new.id), "anchor")

        return await door.once(request, caller, 201, act)

    @router.put(
        "/anchors/{anchor_id}",
        response_model=AnchorMoved,
        responses=problems(400, 401, 403, 404, 409, 415, 422, 503),
        openapi_extra=KEYED,
        operation_id="move_anchor",
    )
    async def move_anchor(request: Request, anchor_id: str, new: NewDateBody, caller: Editor) -> Response:
        """Give an anchor another date; the milestones that hang on it follow, and an outcome is open again."""

        async def act(connection: Connection, occasion: Occasion) -> BaseModel:
            news = Moved(span_said(new.edtf), new.local_time, new.source, new.known_on)
            change, followers = await anchoring.move_anchor(
                database, connection, id_of(anchor_id, "anchor"), news, occasion
            )
            return AnchorMoved(
                change=change,
                anchor=found_or_404(await queries.anchor_entry(connection, anchor_id), "anchor"),
                rescheduled=_rescheduled(followers),
            )

        return await door.once(request, caller, 200, act)

    @router.post(
        "/anchors/{anchor_id}/outcome",
        response_model=AnchorSettled,
        responses=problems(400, 401, 403, 404, 409, 415, 422, 503),
        openapi_extra=KEYED,
        operation_id="settle_anchor",
    )
    async def settle_anchor(request: Request, anchor_id: str, new: NewOutcomeBody, caller: Editor) -> Response:
        """Say what came of an anchor.

        Held: its milestones move only where it was held on other days. Cancelled: they lose their date, or hang on the
        successor from then on.
        """

        async def act(connection: Connection, occasion: Occasion) -> BaseModel:
            known = id_of(anchor_id, "anchor")
            if new.outcome == "held":
                span = span_said(new.edtf) if new.edtf else None
                held = WasHeld(span, new.local_time, new.source, new.known_on)
                followers = await anchoring.hold_anchor(database, connection, known, held, occasion)
            else:
                off = IsOff(new.successor_id, new.source, new.known_on)
                followers = await anchoring.call_off(database, connection, known, off, occasion)
            return AnchorSettled(
                anchor=found_or_404(await queries.anchor_entry(connection, anchor_id), "anchor"),
                rescheduled=_rescheduled(followers),
            )

        return await door.once(request, caller, 200, act)

    return router


def _rescheduled(followers: Sequence[Scheduled]) -> tuple[Rescheduled, ...]:
    return tuple(
        Rescheduled(
            milestone_id=one.milestone.id,
            commitment_id=one.commitment_id,
            schedule_version=one.version,
            change=cast(Literal["moved", "more-precise", "cancelled", "held"], one.change),
            event_id=one.event_id,
        )
        for one in followers
    )
