"""Anchors over HTTP: events on which milestones hang, and what becomes known of them."""

import re
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import AfterValidator, BaseModel, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from contracts.entered import EnteredSource, EnteredText
from contracts.vocabulary import Day, Slug, WallTime
from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.forms import ResponseModel, StrictRequestModel, strict_body, zone_schema
from services.plumbing.http.problem_documents import problems
from services.plumbing.sentences import Sentence
from services.plumbing.zones import zone_names
from services.registry.actions import anchors as actions
from services.registry.actions.anchors import CancelAnchor, CreateAnchor, MoveAnchor, RecordAnchorHeld
from services.registry.actions.events import ActionContext
from services.registry.actions.holds import ScheduleHolds
from services.registry.actions.inputs import Edtf
from services.registry.http.dates import MOVING, NewDate, NewDateBody, RescheduledMilestone, rescheduled
from services.registry.http.parameters import found, id_in_path, span_in_body
from services.registry.http.problems import problem_kind
from services.registry.http.shown import anchor_shown
from services.registry.http.write_endpoint import CONDITIONAL, KEYED, WriteEndpoint
from services.registry.rules.errors import AlreadyExists, Invalid
from services.registry.views.anchors import (
    AnchorEntry,
    AnchorList,
    AnchorRecord,
    anchor_entry,
    anchor_list,
    anchor_record,
)
from services.registry.views.snapshot import snapshot

_CARRIED = frozenset(n for n in zone_names() if re.fullmatch(r"[A-Z][A-Za-z]+(/[A-Z][A-Za-z_]+){0,2}", n, re.ASCII))


def _carried_zone(name: str) -> str:
    if name not in _CARRIED:
        raise PydanticCustomError("zone", "no zone of the IANA time zone database that events can carry")
    return name


AnchorZone = TypeAliasType("AnchorZone", Annotated[str, AfterValidator(_carried_zone), zone_schema(_CARRIED)])
"""An IANA zone, of a name that events can carry (`Milestone.zone`): one with digits, signs or hyphens is none."""


class NewAnchor(NewDate):
    """An event on which milestones may hang, as far as its date is known."""

    id: Slug
    title: EnteredText
    zone: AnchorZone
    """Where it takes place."""


class NewOutcome(StrictRequestModel):
    """What came of an anchor, and who says so."""

    outcome: Literal["held", "cancelled"]
    edtf: Edtf | None = None
    """The days on which it was held, in the years 1950 to 2149, where they are others than the register has."""
    local_time: WallTime | None = None
    successor_id: Slug | None = None
    """The event that takes the place of a cancelled one."""
    source: EnteredSource
    known_on: Day

    @model_validator(mode="after")
    def _held_or_cancelled(self) -> Self:
        if self.outcome == "held" and self.successor_id:
            raise ValueError(Sentence("only what was cancelled has a successor"))
        if self.outcome == "cancelled" and (self.edtf or self.local_time):
            raise ValueError(Sentence("what was cancelled has no days; a successor has its own"))
        return self


class AnchorMoved(ResponseModel):
    """What a new date did."""

    change: Literal["moved", "more-precise", "unchanged"]
    anchor: AnchorEntry
    rescheduled: tuple[RescheduledMilestone, ...]


class AnchorSettled(ResponseModel):
    """What an outcome did."""

    anchor: AnchorEntry
    rescheduled: tuple[RescheduledMilestone, ...]


NewAnchorBody = Annotated[NewAnchor, Body(), strict_body(NewAnchor)]
NewOutcomeBody = Annotated[NewOutcome, Body(), strict_body(NewOutcome)]


def read_routes(database: Database) -> APIRouter:
    """What everybody may read of anchors."""
    router = APIRouter()

    @router.get("/anchors", response_model=AnchorList, operation_id="list_anchors")
    async def list_anchors() -> AnchorList:
        """The events on which milestones hang."""
        async with snapshot(database) as connection:
            return await anchor_list(connection)

    @router.get(
        "/anchors/{anchor_id}", response_model=AnchorRecord, responses=problems(404), operation_id="read_anchor"
    )
    async def read_anchor(anchor_id: str) -> AnchorRecord:
        """An anchor, with all that became known of it."""
        async with snapshot(database) as connection:
            return found(await anchor_record(connection, id_in_path(anchor_id, "anchor")), "anchor")

    return router


def write_routes(endpoint: WriteEndpoint, holds: ScheduleHolds | None) -> APIRouter:
    """What editors do with anchors."""
    router = APIRouter()
    Editor = Annotated[Caller, Depends(endpoint.caller("editor"))]  # noqa: N806  a type, though made here
    database = endpoint.database

    @router.post(
        "/anchors",
        status_code=201,
        response_model=AnchorRecord,
        responses=problems(401, 403, *map(problem_kind, (Invalid, AlreadyExists))),
        openapi_extra=KEYED,
        operation_id="create_anchor",
    )
    async def create_anchor(request: Request, new: NewAnchorBody, caller: Editor) -> Response:
        """Enter an event on which milestones may hang, however roughly its date is known."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            span = span_in_body(new.edtf)
            create = CreateAnchor(new.id, new.title, new.zone, span, new.local_time, new.source, new.known_on)
            await actions.create_anchor(connection, create, context)
            return found(await anchor_record(connection, new.id), "anchor")

        return await endpoint.once(request, caller, 201, act)

    @router.put(
        "/anchors/{anchor_id}",
        response_model=AnchorMoved,
        responses=problems(401, 403, 404, *map(problem_kind, (*MOVING, actions.AnchorSucceeded))),
        openapi_extra=CONDITIONAL,
        operation_id="move_anchor",
    )
    async def move_anchor(request: Request, anchor_id: str, new: NewDateBody, caller: Editor) -> Response:
        """Give an anchor another date; the milestones that hang on it follow, and an outcome is open again."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            move = MoveAnchor(span_in_body(new.edtf), new.local_time, new.source, new.known_on)
            known_id = id_in_path(anchor_id, "anchor")
            change, followers = await actions.move_anchor(database, connection, holds, known_id, move, context)
            anchor = found(await anchor_entry(connection, anchor_id), "anchor")
            return AnchorMoved(change=change, anchor=anchor, rescheduled=rescheduled(followers))

        return await endpoint.once(request, caller, 200, act, anchor_shown(anchor_id))

    @router.post(
        "/anchors/{anchor_id}/outcome",
        response_model=AnchorSettled,
        responses=problems(
            401,
            403,
            404,
            *map(problem_kind, (*MOVING, actions.AnchorSucceeded, actions.AnchorAlreadyCancelled)),
        ),
        openapi_extra=CONDITIONAL,
        operation_id="settle_anchor",
    )
    async def settle_anchor(request: Request, anchor_id: str, new: NewOutcomeBody, caller: Editor) -> Response:
        """Say what came of an anchor.

        Held: its milestones move only where it was held on other days. Cancelled: they lose their date, or hang on the
        successor from then on.
        """

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            known_id = id_in_path(anchor_id, "anchor")
            if new.outcome == "held":
                span = span_in_body(new.edtf) if new.edtf else None
                report = RecordAnchorHeld(span, new.local_time, new.source, new.known_on)
                followers = await actions.record_anchor_held(database, connection, holds, known_id, report, context)
            else:
                cancellation = CancelAnchor(new.successor_id, new.source, new.known_on)
                followers = await actions.cancel_anchor(database, connection, holds, known_id, cancellation, context)
            anchor = found(await anchor_entry(connection, anchor_id), "anchor")
            return AnchorSettled(anchor=anchor, rescheduled=rescheduled(followers))

        return await endpoint.once(request, caller, 200, act, anchor_shown(anchor_id))

    return router
