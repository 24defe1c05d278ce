"""The answer to a request, kept under its `Idempotency-Key`: who asks again hears the same and changes nothing.

An answer is kept in the transaction of its effect, so there is no effect without one. A refusal is not kept: it did
nothing, and the same request may be possible later.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.logs import log
from services.plumbing.transient_errors import is_transient
from services.registry.rules.errors import Refusal


class AnswerSettings(BaseSettings):
    """How long answers are kept."""

    model_config = SettingsConfigDict(env_prefix="IDEMPOTENCY_")

    keep_hours: int = Field(default=7 * 24, ge=24)
    """By the machine's time; we promise 24 hours."""


class KeyInFlight(Refusal):
    """The first request with this key is not done yet."""

    kind = "request-in-flight"


class KeyReused(Refusal):
    """The key was used for another request."""

    kind = "key-reused"


@dataclass(frozen=True)
class Request:
    """A request that is to have its effect once; keys belong to the client that made them up."""

    client: str
    key: str
    digest: bytes


@dataclass(frozen=True)
class Answer:
    """An answer in JSON's types."""

    status: int
    body: Any


def digest_of(method: str, path: str, body: bytes) -> bytes:
    """What makes two requests the same: method, path and the JSON itself, however it is laid out."""
    canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{method} {path}\n{canonical}".encode()).digest()


async def once(
    database: Database, request: Request, status: int, act: Callable[[Connection], Awaitable[BaseModel]]
) -> Answer:
    """Act and keep the answer, in one transaction; or give the answer that was kept.

    Raises `KeyInFlight` while another transaction works on this key, and `KeyReused` when it has answered a
    different request.
    """
    failpoint("api-after-validate")
    async with database.transaction() as connection:
        if kept := await _kept(database, connection, request):
            return kept
        answer = Answer(status, (await act(connection)).model_dump(mode="json"))
        await connection.execute(
            "insert into api_request (client, idem_key, body_sha256, status, response) values ($1, $2, $3, $4, $5)",
            request.client,
            request.key,
            request.digest,
            answer.status,
            answer.body,
        )
        failpoint("api-before-commit")
    failpoint("api-after-commit")
    return answer


async def _kept(database: Database, connection: Connection, request: Request) -> Answer | None:
    # The lock ends with the transaction, after its rows can be seen; waiting for it would hold a connection.
    free = await connection.fetchval(
        "select pg_try_advisory_xact_lock(hashtextextended($1, 0))",
        f"{database.schema} api_request {request.client} {request.key}",
    )
    if not free:
        raise KeyInFlight("A request with this Idempotency-Key is being worked on; ask again")
    row = await connection.fetchrow(
        "select body_sha256, status, response from api_request where client = $1 and idem_key = $2",
        request.client,
        request.key,
    )
    if row is None:
        return None
    if row["body_sha256"] != request.digest:
        raise KeyReused("This Idempotency-Key was used for another request; make up a new one")
    return Answer(row["status"], row["response"])


class Forgetting:
    """Lets go of answers that nobody asks for any more."""

    def __init__(self, database: Database, settings: AnswerSettings) -> None:
        self._database = database
        self._settings = settings

    async def run(self, stopping: asyncio.Event) -> None:
        """Look every ten minutes until told to stop."""
        while not stopping.is_set():
            try:
                await self.forget_once()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("old answers stay for now", action="forgetting_waits", error=str(error))
            try:
                await asyncio.wait_for(stopping.wait(), 600)
            except TimeoutError:
                continue

    async def forget_once(self) -> None:
        """Delete what is older than we keep, by the database's clock."""
        async with self._database.connection() as connection:
            await connection.execute(
                "delete from api_request where created_at < clock_timestamp() - $1::interval",
                timedelta(hours=self._settings.keep_hours),
            )
