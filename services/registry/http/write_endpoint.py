"""What every writing route goes through: a key with the role, once for its idempotency key, in one transaction."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.plumbing.clock import MACHINE_CLOCK, Clock
from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.idempotency import IDEMPOTENCY_KEY, Answer, keyed_request, once
from services.plumbing.tracing import current_traceparent
from services.registry.actions.events import ActionContext

Act = Callable[[Connection, ActionContext], Awaitable[BaseModel]]
"""Does what a request asks for, in the transaction of this connection; returns the body of the answer."""

KEYED = {"parameters": [IDEMPOTENCY_KEY]}
"""How the document shows that a route takes an idempotency key."""


class WriteEndpoint:
    """Checks who asks, and acts once for each idempotency key."""

    def __init__(self, database: Database, clock: Clock, keys: ApiKeys) -> None:
        self.database = database
        self._clock = clock
        self._keys = keys

    def caller(self, role: str) -> Callable[..., Caller]:
        """A dependency: the caller, who must have the role."""
        return self._keys.caller(role)

    def context(self, request: Request, caller: Caller) -> ActionContext:
        """Now, by whom, and for which request."""
        return ActionContext(
            now=self._clock.now(),
            machine_now=MACHINE_CLOCK.now(),
            client=caller.client,
            ministry=caller.ministry,
            correlation_id=request.state.correlation_id,
            traceparent=current_traceparent(),
        )

    async def once(self, request: Request, caller: Caller, status: int, act: Act) -> Response:
        """Act once for this request's key; whoever asks again gets the same answer."""
        context = self.context(request, caller)

        async def answer(connection: Connection) -> Answer:
            return Answer(status, (await act(connection, context)).model_dump(mode="json"))

        given = await once(self.database, await keyed_request(request, caller.client), answer)
        return JSONResponse(given.body, given.status)
