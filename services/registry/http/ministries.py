"""Ministries over HTTP: who may report, for which party, and what they are called."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel

from contracts.entered import EnteredLine, EnteredText
from contracts.vocabulary import MinistryCode, PartyCode
from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.forms import StrictRequestModel, strict_body
from services.plumbing.http.problem_documents import problems
from services.registry.actions import ministries as actions
from services.registry.actions.events import ActionContext
from services.registry.catalogue.contents import Ministry
from services.registry.http.parameters import found, id_in_path
from services.registry.http.problems import problem_kind
from services.registry.http.shown import ministry_shown
from services.registry.http.write_endpoint import CONDITIONAL, KEYED, WriteEndpoint
from services.registry.rules.errors import AlreadyExists, Invalid
from services.registry.rules.parties import UnknownParty
from services.registry.views.ministries import MinistryList, MinistryRecord, ministry_list, ministry_record
from services.registry.views.snapshot import snapshot


class MinistryFacts(StrictRequestModel):
    """What a ministry is called, whose it is, and how people reach it."""

    party: PartyCode
    name: EnteredText
    contact: EnteredLine | None = None
    """A mail address or a page, for people."""


class NewMinistry(MinistryFacts):
    """A ministry to be entered."""

    code: MinistryCode


NewMinistryBody = Annotated[NewMinistry, Body(), strict_body(NewMinistry)]
MinistryFactsBody = Annotated[MinistryFacts, Body(), strict_body(MinistryFacts)]


def read_routes(database: Database) -> APIRouter:
    """What everybody may read of ministries."""
    router = APIRouter()

    @router.get("/ministries", response_model=MinistryList, operation_id="list_ministries")
    async def list_ministries() -> MinistryList:
        """The ministries that read topics and report."""
        async with snapshot(database) as connection:
            return await ministry_list(connection)

    @router.get(
        "/ministries/{code}", response_model=MinistryRecord, responses=problems(404), operation_id="read_ministry"
    )
    async def read_ministry(code: str) -> MinistryRecord:
        """A ministry."""
        async with snapshot(database) as connection:
            return found(await ministry_record(connection, id_in_path(code, "ministry")), "ministry")

    return router


def write_routes(endpoint: WriteEndpoint) -> APIRouter:
    """What operators do with ministries."""
    router = APIRouter()
    Operator = Annotated[Caller, Depends(endpoint.caller("operator"))]  # noqa: N806  a type, though made here

    @router.post(
        "/ministries",
        status_code=201,
        response_model=MinistryRecord,
        responses=problems(401, 403, *map(problem_kind, (Invalid, UnknownParty, AlreadyExists))),
        openapi_extra=KEYED,
        operation_id="create_ministry",
    )
    async def create_ministry(request: Request, new: NewMinistryBody, caller: Operator) -> Response:
        """Enter a ministry. Its topics and its users on Kafka are made by `pledgewire access apply`."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            ministry = Ministry(code=new.code, party=new.party, name=new.name, contact=new.contact)
            await actions.create_ministry(connection, ministry, context)
            return found(await ministry_record(connection, new.code), "ministry")

        return await endpoint.once(request, caller, 201, act)

    @router.put(
        "/ministries/{code}",
        response_model=MinistryRecord,
        responses=problems(401, 403, 404, problem_kind(Invalid)),
        openapi_extra=CONDITIONAL,
        operation_id="change_ministry",
    )
    async def change_ministry(request: Request, code: str, new: MinistryFactsBody, caller: Operator) -> Response:
        """Say anew what a ministry is called and how people reach it; whose it is can't be changed."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            known = id_in_path(code, "ministry")
            ministry = Ministry(code=known, party=new.party, name=new.name, contact=new.contact)
            await actions.change_ministry(connection, ministry, context)
            return found(await ministry_record(connection, known), "ministry")

        return await endpoint.once(request, caller, 200, act, ministry_shown(code))

    return router
