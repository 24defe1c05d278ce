"""API keys over HTTP: made, listed and revoked by those with the role `admin`."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contracts.vocabulary import WHOLE, MinistryCode, Slug
from services.plumbing.clock import MACHINE_CLOCK
from services.plumbing.database import Connection
from services.plumbing.http.api_key_text import new_key
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.forms import StrictRequestModel, strict_body
from services.plumbing.http.problem_documents import problems
from services.registry.actions import api_keys as actions
from services.registry.actions.events import ActionContext
from services.registry.http.problems import problem_kind
from services.registry.http.write_endpoint import KEYED, WriteEndpoint
from services.registry.rules.api_keys import (
    DAYS,
    MOST_DAYS,
    ROLES,
    Issuer,
    KeyNotAllowed,
    OtherMinistry,
    Role,
    TooManyLiveKeys,
    WantedKey,
    may_see,
)
from services.registry.rules.errors import Invalid
from services.registry.store.api_keys import all_keys, keys_of
from services.registry.views.api_keys import ApiKeyList, ApiKeyRecord, NewApiKeyRecord, key_record, new_key_record

Reread = Callable[[], Awaitable[None]]
"""Has this process know what the table says now."""


class NewApiKey(StrictRequestModel):
    """A key to be made."""

    client: Slug
    """Whose it is: a system, not a person. What it makes belongs to this name, whichever of its keys it used."""
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=len(ROLES))]
    """What it may do; only what the key that asks may do itself."""
    ministry: MinistryCode | None = None
    """The ministry that it speaks for."""
    days: Annotated[int, Field(ge=1, le=MOST_DAYS), WHOLE] = DAYS
    """For how long it holds."""


NewApiKeyBody = Annotated[NewApiKey, Body(), strict_body(NewApiKey)]
CREATING = tuple(map(problem_kind, (Invalid, KeyNotAllowed, OtherMinistry, TooManyLiveKeys)))


def key_routes(endpoint: WriteEndpoint, reread: Reread) -> APIRouter:
    """What admins do with keys."""
    router = APIRouter()
    database = endpoint.database
    Admin = Annotated[Caller, Depends(endpoint.caller("admin"))]  # noqa: N806  a type, though made here
    Reader = Annotated[Caller, Depends(endpoint.reader("admin"))]  # noqa: N806

    @router.get("/keys", response_model=ApiKeyList, responses=problems(401, 403), operation_id="list_keys")
    async def list_keys(
        caller: Reader, client: Annotated[Slug | None, Query(description="of this client alone")] = None
    ) -> ApiKeyList:
        """All keys, live and ended; who speaks for a ministry sees its own."""
        async with database.connection() as connection:
            found = await (all_keys(connection) if client is None else keys_of(connection, client))
        now = MACHINE_CLOCK.now()
        return ApiKeyList(items=tuple(key_record(key, now) for key in found if may_see(issuer_of(caller), key)))

    @router.post(
        "/keys",
        status_code=201,
        response_model=NewApiKeyRecord,
        responses=problems(401, 403, *CREATING),
        openapi_extra=KEYED,
        operation_id="create_key",
    )
    async def create_key(request: Request, new: NewApiKeyBody, caller: Admin) -> Response:
        """Make a key. It is shown this once: the same request again has the same answer without it."""
        made = new_key()

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            wanted = WantedKey(new.client, tuple(sorted(set(new.roles))), new.ministry, new.days)
            kept = (made.id, made.sha256)
            key = await actions.issue_key(database, connection, wanted, issuer_of(caller), kept, context)
            return new_key_record(key, actions.by_machine(context))

        answer = await endpoint.once(request, caller, 201, act)
        await reread()
        body = json.loads(bytes(answer.body))
        # The answer that is kept holds no key. This request may have been heard before, or be a dry run.
        is_new = body["key_id"] == made.id and "dry_run" not in body
        return JSONResponse(body | {"key": made.text}, 201) if is_new else answer

    @router.delete(
        "/keys/{key_id}",
        response_model=ApiKeyRecord,
        responses=problems(401, 403, 404),
        openapi_extra=KEYED,
        operation_id="revoke_key",
    )
    async def revoke_key(request: Request, key_id: str, caller: Admin) -> Response:
        """Revoke a key for good. Within five seconds no service lets it in; again changes nothing."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            key = await actions.revoke_key(database, connection, key_id, issuer_of(caller), context)
            return key_record(key, actions.by_machine(context))

        answer = await endpoint.once(request, caller, 200, act)
        await reread()
        return answer

    return router


def issuer_of(caller: Caller) -> Issuer:
    """What a caller may give."""
    return Issuer(caller.roles, caller.ministry)
