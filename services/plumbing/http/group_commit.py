"""Group commit: requests of one kind that come while a transaction runs share the next one.

A transaction waits for the disk once and for the database some fifteen times, whether it writes one thing or fifty. So
the first request goes at once, and what comes meanwhile goes together behind it, in the order in which it came. Each is
judged, kept and answered by itself, and no answer goes out before the commit.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import asyncpg

from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.http.idempotency import Answer, KeyedRequest, KeyInFlight, keep_answers, kept_answers, once
from services.plumbing.logs import log

W = TypeVar("W")

MOST = 50
"""Requests in one transaction."""
LONGEST_WAIT = 0.5
"""Seconds that a group waits for a row that somebody else has locked; then each waits by itself."""

ActTogether = Callable[[Connection, Sequence[W]], Awaitable[Sequence[Answer | Exception | None]]]
"""Does what requests ask for, in their order, in the transaction of this connection: an answer to each, why it is
refused, or None for one that has to go by itself, which the first never has. Of what has no answer nothing may be
written. What it raises has each of them go by itself."""


@dataclass(frozen=True, eq=False)
class _Waiting(Generic[W]):
    request: KeyedRequest
    work: W
    result: "asyncio.Future[Answer | None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """None where it has to go by itself."""


class GroupCommit(Generic[W]):
    """Acts once for each idempotency key, for many at once where many are there."""

    def __init__(self, database: Database, act: ActTogether[W], most: int = MOST) -> None:
        self._database = database
        self._act = act
        self._most = most
        self._waiting: deque[_Waiting[W]] = deque()
        self._at_work: set[tuple[str, str]] = set()
        self._run: asyncio.Task[None] | None = None

    async def once(self, request: KeyedRequest, work: W) -> Answer:
        """Act and keep the answer, in one transaction with others; or give the answer that was kept.

        Raises what `act` refuses this request with, `KeyInFlight`, `KeyReused`, and what the database raises. Whoever
        waits for it may be cancelled: what has begun is done all the same, and is found under the key.
        """
        failpoint("api-after-validate")
        name = (request.client, request.key)
        if name in self._at_work:
            raise KeyInFlight
        waiting = _Waiting(request, work)
        self._at_work.add(name)
        self._waiting.append(waiting)
        if self._run is None or self._run.done():
            # Not in the context of the first: what is logged here belongs to no request.
            self._run = asyncio.create_task(self._run_groups(), context=Context())
        try:
            answer = await waiting.result
            return answer or await once(self._database, request, lambda connection: self.alone(connection, work))
        finally:
            self._at_work.discard(name)

    async def alone(self, connection: Connection, work: W) -> Answer:
        """Act for one request in the caller's transaction; raises what it is refused with."""
        (result,) = await self._act(connection, [work])
        if result is None:
            raise ValueError("whoever goes first can go by itself")
        if isinstance(result, Exception):
            raise result
        return result

    async def _run_groups(self) -> None:
        """Go on until nobody waits; the next to come begins anew."""
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            group = [one for one in some if not one.result.done()]
            try:
                results = await self._commit(group)
            except Exception as error:
                # One that spoils the group, or waits for a row, is to hold up no other; and what was committed though
                # it was not heard is found under its key.
                if len(group) > 1:
                    log.info("a group is taken apart", action="group_apart", error=repr(error), requests=len(group))
                is_final = len(group) == 1 and not isinstance(error, asyncpg.LockNotAvailableError)
                results = [error if is_final else None for _ in group]
            except BaseException:
                for one in group:
                    one.result.cancel()
                raise
            for one, result in zip(group, results, strict=True):
                if one.result.done():
                    continue
                if isinstance(result, Exception):
                    one.result.set_exception(result)
                else:
                    one.result.set_result(result)

    async def _commit(self, group: Sequence[_Waiting[W]]) -> Sequence[Answer | Exception | None]:
        if not group:
            return []
        async with self._database.transaction() as connection:
            requests = [one.request for one in group]
            results: list[Answer | Exception | None] = list(
                await kept_answers(self._database, connection, requests, LONGEST_WAIT)
            )
            new = [n for n, kept in enumerate(results) if kept is None]
            if new:
                acted = await self._act(connection, [group[n].work for n in new])
                for n, result in zip(new, acted, strict=True):
                    results[n] = result
                answered = [(requests[n], one) for n, one in zip(new, acted, strict=True) if isinstance(one, Answer)]
                await keep_answers(connection, answered)
            failpoint("api-before-commit")
        failpoint("api-after-commit")
        return results
