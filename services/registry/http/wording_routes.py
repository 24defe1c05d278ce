"""The routes about wordings: how time words are read, and by which policy a statement's are."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response, Security
from pydantic import BaseModel

from services.plumbing.database import Connection
from services.plumbing.http.api_keys import Caller
from services.registry.actions.events import Occasion
from services.registry.actions.reading_policy import put_policy
from services.registry.http.forms import (
    NewReadingPolicy,
    ReadingPolicyChanged,
    Rescheduled,
    WordingToRead,
    from_json,
)
from services.registry.http.write_endpoint import BEARER, KEYED, Door, id_of, problems
from services.registry.wordings import Wording, read

WordingToReadBody = Annotated[WordingToRead, Body(), from_json(WordingToRead)]
NewReadingPolicyBody = Annotated[NewReadingPolicy, Body(), from_json(NewReadingPolicy)]


def reading() -> APIRouter:
    """What everybody may ask."""
    router = APIRouter()

    @router.post("/wordings/read", response_model=Wording, responses=problems(422), operation_id="read_wording")
    async def read_wording(asked: WordingToReadBody) -> Wording:
        """Read a time expression as a statement of that day would mean it; nothing is kept."""
        return read(asked.wording, asked.language, asked.made_on, asked.policy)

    return router


def writing(door: Door) -> APIRouter:
    """What editors do."""
    router = APIRouter(dependencies=[Security(BEARER)])
    Editor = Annotated[Caller, Depends(door.role("editor"))]  # noqa: N806  a type, though made here

    @router.put(
        "/statements/{statement_id}/reading-policy",
        response_model=ReadingPolicyChanged,
        responses=problems(400, 401, 403, 404, 409, 415, 422, 503),
        openapi_extra=KEYED,
        operation_id="set_reading_policy",
    )
    async def set_reading_policy(
        request: Request, statement_id: str, new: NewReadingPolicyBody, caller: Editor
    ) -> Response:
        """Say how a statement's time words are to be read; the dates that they give follow."""

        async def act(connection: Connection, occasion: Occasion) -> BaseModel:
            done = await put_policy(
                door.database, connection, id_of(statement_id, "statement"), new.policy, new.language, occasion
            )
            return ReadingPolicyChanged(
                statement_id=statement_id,
                reading_policy=new.policy,
                rescheduled=tuple(
                    Rescheduled(
                        milestone_id=one.milestone.id,
                        commitment_id=one.commitment_id,
                        schedule_version=one.version,
                        change="moved",
                        event_id=one.event_id,
                    )
                    for one in done.rescheduled
                ),
                kept=done.kept,
            )

        return await door.once(request, caller, 200, act)

    return router
