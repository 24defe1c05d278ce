"""PostgreSQL: one pool for each process, a schema for each service, and wake-ups by NOTIFY."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from prometheus_client import Gauge, Histogram
from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_core import from_json, to_json
from pydantic_settings import BaseSettings

from services.plumbing.certificates import WatchedCertificate, of_database
from services.plumbing.logs import log
from services.plumbing.retry import Backoff, until_it_works
from services.plumbing.settings_faults import check_database_url
from services.plumbing.transient_errors import Unavailable, is_transient

if TYPE_CHECKING:  # generic for the type checker only
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Connection = asyncpg.Connection | PoolConnectionProxy


CONNECTIONS = Gauge("pledgewire_database_connections", "Connections of this process's pool, by what they do", ["state"])
MOST_CONNECTIONS = Gauge("pledgewire_database_connections_most", "How many connections the pool may have")
CONNECTION_WAIT = Histogram(
    "pledgewire_database_connection_wait_seconds",
    "How long a piece of work waited for a connection, whether it got one or gave up after 10 s",
    buckets=(0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 9.9),
)


class DatabaseSettings(BaseSettings):
    """Where PostgreSQL is, and how much of it a process takes."""

    url: SecretStr = Field(validation_alias=AliasChoices("DATABASE_URL"))
    """`postgresql://user:password@host:port/name`; a socket folder as `?host=/folder`."""
    pool_size: int = Field(default=8, ge=2, validation_alias=AliasChoices("DATABASE_POOL_SIZE"))
    command_timeout: float = Field(default=30.0, validation_alias=AliasChoices("DATABASE_COMMAND_TIMEOUT"))
    """Seconds after which a statement is given up."""

    @field_validator("url")
    @classmethod
    def _names_a_postgresql(cls, value: SecretStr) -> SecretStr:
        check_database_url(value.get_secret_value())
        return value


class Database:
    """One service's connections; its schema is on the search path, and no other.

    `has_queue`: one of its tables is a queue, of which no statistics are true for long. Then every statement is planned
    each time that it runs, since a kept plan that was made for an empty table reads through a full one. And no indexes
    are read as bitmaps: that meets every entry whose row has left the queue, which an index scan learns to pass over.
    """

    def __init__(self, settings: DatabaseSettings, schema: str, *, has_queue: bool = False) -> None:
        self._settings = settings
        self._has_queue = has_queue
        self.schema = schema
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Connect, trying until the database is there."""

        def failed(error: Exception, pause: float) -> None:
            log.warning("database is not there yet", action="database_waits", error=str(error), seconds=pause)

        self._pool = await until_it_works(self._connected_pool, Backoff(longest=5.0), failed)
        CONNECTIONS.labels("busy").set_function(lambda: self._busy_and_idle()[0])
        CONNECTIONS.labels("idle").set_function(lambda: self._busy_and_idle()[1])
        MOST_CONNECTIONS.set(self._settings.pool_size)

    def _busy_and_idle(self) -> tuple[int, int]:
        if self._pool is None:
            return 0, 0
        idle = self._pool.get_idle_size()
        return self._pool.get_size() - idle, idle

    async def _connected_pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        return await asyncpg.create_pool(
            self._settings.url.get_secret_value(),
            min_size=2,
            max_size=self._settings.pool_size,
            command_timeout=self._settings.command_timeout,
            timeout=10,
            init=_prepare,
            reset=_keep_session,
            server_settings=self._server_settings(),
        )

    def certificates(self) -> tuple[WatchedCertificate, ...]:
        """PostgreSQL's; none where it is on this machine or without TLS."""
        ends = of_database(self._settings.url.get_secret_value())
        return (WatchedCertificate("database", ends),) if ends else ()

    async def close(self) -> None:
        """Give all connections back; those still busy after five seconds are cut."""
        if self._pool:
            try:
                await asyncio.wait_for(self._pool.close(), 5)
            except TimeoutError:
                self._pool.terminate()
            self._pool = None

    @property
    def pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        """The pool; raises `Unavailable` while there is no database."""
        if self._pool is None:
            raise Unavailable("the database is not connected yet")
        return self._pool

    @contextlib.asynccontextmanager
    async def _acquired(self, patience: float = 10) -> AsyncIterator[Connection]:
        began, pool = time.monotonic(), self.pool
        try:
            connection = await pool.acquire(timeout=patience)
        finally:
            CONNECTION_WAIT.observe(time.monotonic() - began)
        try:
            yield connection
        finally:
            await pool.release(connection)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction: committed on exit, rolled back on any error."""
        async with self._acquired() as connection, connection.transaction():
            yield connection

    @contextlib.asynccontextmanager
    async def dry_run(self) -> AsyncIterator[Connection]:
        """A connection in a transaction that is rolled back, whatever happens; raises what its commit would."""
        async with self._acquired() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield connection
                await connection.execute("set constraints all immediate")
            finally:
                await transaction.rollback()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection whose statements commit one by one."""
        async with self._acquired() as connection:
            yield connection

    async def ping(self) -> None:
        """Raise if the database does not answer within two seconds."""
        async with self._acquired(patience=2) as connection:
            await connection.execute("select 1", timeout=2)

    async def listen(self, channel: str, heard: Callable[[], None]) -> None:
        """Call `heard` for every NOTIFY on this service's channel, until cancelled.

        Notifications are lost while disconnected, so whoever listens also polls; `heard` is called once
        after each connect for that reason. Needs a direct connection, not a transaction-pooling proxy.
        """
        while True:
            lost = asyncio.Event()
            try:
                connection = await asyncpg.connect(
                    self._settings.url.get_secret_value(), timeout=10, server_settings=self._server_settings()
                )
                try:
                    connection.add_termination_listener(partial(_set, lost))
                    await connection.add_listener(self.channel(channel), lambda *_: heard())
                    heard()
                    await lost.wait()
                finally:
                    with contextlib.suppress(Exception):
                        await connection.close(timeout=2)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("listening was interrupted", action="listen_interrupted", error=str(error))
            await asyncio.sleep(1)

    def channel(self, name: str) -> str:
        """NOTIFY channels are shared by all schemas of a database, so the schema is part of the name."""
        return f"{self.schema}_{name}"

    async def notify(self, connection: Connection, name: str) -> None:
        """Wake listeners when the transaction commits; equal notices of one transaction are merged."""
        await connection.execute("select pg_notify($1, '')", self.channel(name))

    def _server_settings(self) -> dict[str, str]:
        return {
            "search_path": self.schema,
            "application_name": f"pledgewire-{self.schema}",
            "timezone": "UTC",
            "synchronous_commit": "on",
            "idle_in_transaction_session_timeout": "60000",
            "lock_timeout": "10000",
            "plan_cache_mode": "force_custom_plan" if self._has_queue else "auto",
            "enable_bitmapscan": "off" if self._has_queue else "on",
            "jit": "off",  # short statements: compiling them costs more than they do
        }


def _set(event: asyncio.Event, *_: Any) -> None:
    event.set()


_ARRAYS = ("boolean", "integer", "bigint", "real", "float8", "text", "bytea", "uuid", "timestamptz", "jsonb")


async def _prepare(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_json_text, decoder=from_json, schema="pg_catalog")
    # asyncpg asks for the arrays that a statement has when it first meets them, dearly; so it is asked for all at once.
    await connection.prepare("select " + ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_ARRAYS, 1)))


async def _keep_session(_: Connection) -> None:
    """Reset nothing before a connection goes back, and save a round trip each time.

    asyncpg has ended a transaction that was still open, and nothing that we do to a session outlives its transaction.
    """


def _json_text(value: Any) -> str:
    return to_json(value).decode()
