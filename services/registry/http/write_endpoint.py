"""What every writing route goes through: a key with the role, once for its idempotency key, in one transaction."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.plumbing.audit.keyed_hash import KeyedHash
from services.plumbing.clock import MACHINE_CLOCK, Clock
from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.etags import IF_MATCH, check_if_match, has_if_match
from services.plumbing.http.group_commit import GroupCommit
from services.plumbing.http.idempotency import IDEMPOTENCY_KEY, Answer, keyed_request, once
from services.plumbing.tracing import current_traceparent
from services.registry.actions.events import ActionContext

W = TypeVar("W")

Act = Callable[[Connection, ActionContext], Awaitable[BaseModel]]
"""Does what a request asks for, in the transaction of this connection; returns the body of the answer."""

Shown = Callable[[Connection], Awaitable[BaseModel | None]]
"""What GET would answer now of what is to be changed, which nobody else changes until the transaction ends."""

KEYED = {"parameters": [IDEMPOTENCY_KEY]}
"""How the document shows that a route takes an idempotency key."""
CONDITIONAL = {"parameters": [IDEMPOTENCY_KEY, IF_MATCH]}
"""The same of a route that keeps to `If-Match`, too."""

DryRun = Annotated[
    bool,
    Query(
        description="Do everything that the request asks for, and roll it back: the answer is the one that the same"
        " request would have now, with `dry_run: true`; ids of events and times are those of the dry run. Nothing is"
        " recorded, published, counted or kept, the `Idempotency-Key` neither."
    ),
]


def written(body: dict[str, Any], status: int, context: ActionContext) -> Response:
    """The answer to a request that writes; that of a dry run says so."""
    return JSONResponse(body | {"dry_run": True} if context.is_dry_run else body, status)


class WriteEndpoint:
    """Checks who asks, and acts once for each idempotency key."""

    def __init__(self, database: Database, clock: Clock, keys: ApiKeys, keyed_hash: KeyedHash) -> None:
        self.database = database
        self._keyed_hash = keyed_hash
        self._clock = clock
        self._keys = keys

    def caller(self, *roles: str) -> Callable[..., Awaitable[Caller]]:
        """A dependency: the caller, who must have one of the roles. It also takes the parameter `dry_run`."""
        checked = self._keys.caller(*roles)

        async def caller(
            request: Request, found: Annotated[Caller, Depends(checked)], *, dry_run: DryRun = False
        ) -> Caller:
            request.state.dry_run = dry_run
            return found

        return caller

    def reader(self, *roles: str) -> Callable[..., Awaitable[Caller]]:
        """A dependency of a route that writes nothing: the caller, who must have one of the roles."""
        return self._keys.caller(*roles)

    def context(self, request: Request, caller: Caller) -> ActionContext:
        """Now, by whom, and for which request."""
        return ActionContext(
            now=self._clock.now(),
            machine_now=MACHINE_CLOCK.now(),
            client=caller.client,
            ministry=caller.ministry,
            key_id=caller.key_id,
            correlation_id=request.state.correlation_id,
            traceparent=current_traceparent(),
            keyed_hash=self._keyed_hash,
            is_dry_run=getattr(request.state, "dry_run", False),
        )

    async def once(
        self,
        request: Request,
        caller: Caller,
        status: int,
        act: Act,
        shown: Shown | None = None,
        *,
        location: str = "",
    ) -> Response:
        """Act once for this request's key; whoever asks again gets the same answer.

        With `shown` the request's `If-Match` is held against it first; who asks again is past that. `location` is where
        what was made can be read, with members of the answer in braces.

        With `dry_run` everything is done and rolled back: the answer is the same but for `dry_run`, which says so.
        """
        context = self.context(request, caller)

        async def answer(connection: Connection) -> Answer:
            if shown is not None and has_if_match(request.headers):
                check_if_match(request.headers, await shown(connection))
            return Answer(status, (await act(connection, context)).model_dump(mode="json"))

        keyed = await keyed_request(request, caller.client)
        given = await once(self.database, keyed, answer, is_dry_run=context.is_dry_run)
        return _response(given, context, location)

    async def once_in_group(
        self,
        request: Request,
        caller: Caller,
        group: GroupCommit[W],
        work: Callable[[ActionContext], W],
        shown: Shown,
        *,
        location: str = "",
    ) -> Response:
        """The same in one transaction with others, for what `work` makes of the context.

        A dry run, which is rolled back, goes by itself, and so does who has named by `If-Match` what they read.
        """
        context = self.context(request, caller)
        keyed, own = await keyed_request(request, caller.client), work(context)

        async def answer(connection: Connection) -> Answer:
            if has_if_match(request.headers):
                check_if_match(request.headers, await shown(connection))
            return await group.alone(connection, own)

        if context.is_dry_run or has_if_match(request.headers):
            given = await once(self.database, keyed, answer, is_dry_run=context.is_dry_run)
        else:
            given = await group.once(keyed, own)
        return _response(given, context, location)


def _response(given: Answer, context: ActionContext, location: str) -> Response:
    response = written(given.body, given.status, context)
    if location and not context.is_dry_run:
        response.headers["Location"] = location.format_map(given.body)
    return response
