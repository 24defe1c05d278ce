"""The answer to a request, kept under its `Idempotency-Key`: who asks again hears the same and changes nothing.

An answer is kept in the transaction of its effect, so there is no effect without one. A refusal is not kept: it did
nothing, and the same request may be possible later.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import Request
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.logs import log
from services.plumbing.retry import pause_until
from services.plumbing.sentences import Sentence
from services.plumbing.transient_errors import is_transient

IDEMPOTENCY_V1 = """
create table api_request (
    client text not null,
    idem_key text not null,
    body_sha256 bytea not null,
    status integer not null,
    response json not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (client, idem_key)
);
create index api_request_age on api_request (created_at);
comment on table api_request is 'by the clock of the database: it guards against retries, which know no business time';
"""
"""First version of the table of kept answers; a service's first migration runs it in its own schema."""

LONGEST_KEY = 255
_KEY = re.compile("[!-~]([ -~]*[!-~])?")

NO_KEY = ProblemKind(
    400,
    "idempotency-key",
    Sentence("Send an `Idempotency-Key` of 1 to %(longest_key)s printable ASCII characters", longest_key=LONGEST_KEY),
)
IN_FLIGHT = ProblemKind(409, "request-in-flight", Sentence("The first request with this key is not done yet"))
REUSED = ProblemKind(422, "key-reused", Sentence("The key was used for another request"))
KEY_PROBLEMS = (NO_KEY, IN_FLIGHT, REUSED)
"""What a route that takes an idempotency key may answer because of it."""

IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Made up by the caller, a new one for each new request. The same request again has the same answer"
    " and no second effect, for at least 24 hours.",
    "schema": {"type": "string", "pattern": f"^{_KEY.pattern}$", "minLength": 1, "maxLength": LONGEST_KEY},
}
"""The header, as a parameter in OpenAPI."""


class IdempotencySettings(BaseSettings):
    """How long answers are kept."""

    model_config = SettingsConfigDict(env_prefix="IDEMPOTENCY_")

    keep_hours: int = Field(default=7 * 24, ge=24)
    """By the database's time; we promise 24 hours."""


class KeyInFlight(Problem):
    """The first request with this key is not done yet."""

    def __init__(self) -> None:
        super().__init__(
            IN_FLIGHT,
            Sentence("A request with this Idempotency-Key is being worked on; ask again"),
            headers={"Retry-After": "1"},
        )


class KeyReused(Problem):
    """The key was used for another request."""

    def __init__(self) -> None:
        super().__init__(
            REUSED,
            Sentence("This Idempotency-Key was used for another request; make up a new one"),
        )


@dataclass(frozen=True)
class KeyedRequest:
    """A request that is to have its effect once; keys belong to the client that made them up."""

    client: str
    key: str
    digest: bytes
    """What makes two requests the same; see `request_digest`."""


@dataclass(frozen=True)
class Answer:
    """An answer in JSON's types."""

    status: int
    body: Any


@dataclass(frozen=True)
class KeptAnswer:
    """An answer that was given, and to which request."""

    digest: bytes
    answer: Answer


FindAnswer = Callable[[Connection, KeyedRequest], Awaitable[KeptAnswer | None]]
"""Looks up what is kept under a request's client and key."""


async def keyed_request(request: Request, client: str) -> KeyedRequest:
    """The request with its key; raises a 400 problem where the header is missing or can't be a key."""
    key = request.headers.get("idempotency-key", "")
    if not (len(key) <= LONGEST_KEY and _KEY.fullmatch(key)):
        raise Problem(NO_KEY)
    return KeyedRequest(client, key, request_digest(request.method, request.scope["path"], await request.body()))


def request_digest(method: str, path: str, body: bytes) -> bytes:
    """What makes two requests the same: method, path and the JSON itself, however it is laid out."""
    canonical = json.dumps(json.loads(body or b"null"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{method} {path}\n{canonical}".encode()).digest()


async def kept_answer(
    database: Database, connection: Connection, request: KeyedRequest, find: FindAnswer, *, waits: bool = False
) -> Answer | None:
    """Lock a key until the transaction ends, and give the answer that is kept under it, if there is one.

    While another transaction works on the key this raises `KeyInFlight`, or waits for its end (which holds a
    connection all the while). Raises `KeyReused` when the key has answered a different request.
    """
    # The lock ends with the transaction, after its rows can be seen.
    name = _lock_name(database, request)
    if waits:
        await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", name)
    elif not await connection.fetchval("select pg_try_advisory_xact_lock(hashtextextended($1, 0))", name):
        raise KeyInFlight
    kept = await find(connection, request)
    if kept is None:
        return None
    if kept.digest != request.digest:
        raise KeyReused
    return kept.answer


def _lock_name(database: Database, request: KeyedRequest) -> str:
    return f"{database.schema} api_request {request.client} {request.key}"


async def kept_answers(
    database: Database, connection: Connection, requests: Sequence[KeyedRequest], longest_wait: float
) -> list[Answer | KeyInFlight | KeyReused | None]:
    """The same for several keys, which differ; what `kept_answer` would raise stands in its place.

    From now on no statement of the transaction waits longer than so many seconds for a lock.
    """
    locked = await connection.fetch(
        "select pg_try_advisory_xact_lock(hashtextextended(name, 0)) as ours, set_config('lock_timeout', $2, true)"
        " from unnest($1::text[]) with ordinality as k(name, n) order by n",
        [_lock_name(database, request) for request in requests],
        f"{longest_wait * 1000:.0f}ms",
    )
    # A statement of its own, so that it sees what was committed before the locks were ours.
    rows = await connection.fetch(
        "select n, body_sha256, status, response from api_request join unnest($1::text[], $2::text[]) with ordinality"
        " as k(client, idem_key, n) using (client, idem_key)",
        [request.client for request in requests],
        [request.key for request in requests],
    )
    found: list[Answer | KeyInFlight | KeyReused | None] = [None if row["ours"] else KeyInFlight() for row in locked]
    for row in rows:
        n = row["n"] - 1
        if found[n] is None:
            is_same = row["body_sha256"] == requests[n].digest
            found[n] = Answer(row["status"], row["response"]) if is_same else KeyReused()
    return found


async def keep_answers(connection: Connection, answered: Sequence[tuple[KeyedRequest, Answer]]) -> None:
    """Keep answers under the keys of their requests, in the transaction of their effects."""
    await connection.execute(
        "insert into api_request (client, idem_key, body_sha256, status, response)"
        " select * from unnest($1::text[], $2::text[], $3::bytea[], $4::integer[], $5::json[])",
        [request.client for request, _ in answered],
        [request.key for request, _ in answered],
        [request.digest for request, _ in answered],
        [answer.status for _, answer in answered],
        [answer.body for _, answer in answered],
    )


async def once(
    database: Database,
    request: KeyedRequest,
    act: Callable[[Connection], Awaitable[Answer]],
    *,
    is_dry_run: bool = False,
) -> Answer:
    """Act and keep the answer, in one transaction; or give the answer that was kept.

    A dry run goes the same way, and is rolled back: the answer is the one that the request would have now. For a schema
    with the table of `IDEMPOTENCY_V1`. Raises `KeyInFlight` and `KeyReused`.
    """
    failpoint("api-after-validate")
    async with database.dry_run() if is_dry_run else database.transaction() as connection:
        if kept := await kept_answer(database, connection, request, _find):
            return kept
        answer = await act(connection)
        await keep_answers(connection, [(request, answer)])
        failpoint("api-before-commit")
    failpoint("api-after-commit")
    return answer


async def _find(connection: Connection, request: KeyedRequest) -> KeptAnswer | None:
    row = await connection.fetchrow(
        "select body_sha256, status, response from api_request where client = $1 and idem_key = $2",
        request.client,
        request.key,
    )
    return KeptAnswer(row["body_sha256"], Answer(row["status"], row["response"])) if row else None


class AnswerExpiry:
    """Deletes answers that nobody asks for any more."""

    def __init__(self, database: Database, settings: IdempotencySettings) -> None:
        self._database = database
        self._settings = settings

    async def run(self, stopping: asyncio.Event) -> None:
        """Look every ten minutes until told to stop."""
        while not stopping.is_set():
            try:
                await self.expire_once()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("old answers stay for now", action="forgetting_waits", error=str(error))
            await pause_until(600, stopping)

    async def expire_once(self) -> None:
        """Delete what is older than we keep, by the database's clock."""
        async with self._database.connection() as connection:
            await connection.execute(
                "delete from api_request where created_at < clock_timestamp() - $1::interval",
                timedelta(hours=self._settings.keep_hours),
            )
