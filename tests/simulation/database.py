"""The real PostgreSQL under the simulation: one call at a time, each in its turn, which may fail, and time by the seed.

A call blocks the whole simulation until PostgreSQL has answered, so nothing but the seed decides what comes first. What
PostgreSQL itself would read or draw is replaced: `clock_timestamp()` by the simulation's time (a value in statements, a
function in defaults), drawn ids by counted ones.

Transactions of several processes are open at once. A statement that waits for another's lock is noticed
(`pg_blocking_pids`) and left where it is; it goes on when a transaction ends, as in reality.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import asyncpg
import uvloop

from services.plumbing.database import Connection, Database, DatabaseSettings
from tests.simulation.loop import OWNER

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")

_CLOCK = "clock_timestamp()"
_PATIENCE = 0.003
"""Seconds of real time after which it is asked whether a statement waits for a lock."""
LOCK_TIMEOUT = 10.0
IDLE_IN_TRANSACTION = 60.0
"""Seconds of virtual time, as the service's sessions have it."""

_GROUND = """
create or replace function clock_timestamp() returns timestamptz language sql volatile as
    $$ select current_setting('simulation.now')::timestamptz $$;
create sequence if not exists simulated_ids;
create or replace function simulated_id() returns uuid language sql volatile as
    $$ select ('0190c0de-0000-7000-8000-' || lpad(to_hex(nextval('simulated_ids')), 12, '0'))::uuid $$;
do $$
declare r record;
begin
    for r in select c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid) as expression
             from pg_attrdef d join pg_class c on c.oid = d.adrelid
                  join pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum
             where c.relnamespace = current_schema()::regnamespace and a.attgenerated = '' loop
        if r.expression ~ 'uuid|random' then
            execute format('alter table %I alter %I set default simulated_id()', r.relname, r.attname);
        elsif r.expression ~ 'clock_timestamp|now\\(\\)|current_timestamp' then
            execute format('alter table %I alter %I set default clock_timestamp()', r.relname, r.attname);
        end if;
    end loop;
    for r in select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r' loop
        execute format('alter table %I set (autovacuum_enabled = false)', r.relname);
    end loop;
end $$;
"""

_USED = """
select relname from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
and relname !~ 'alembic|version' and pg_relation_size(oid) > 0 order by relname
"""
_SEQUENCES_BEGIN_ANEW = """
select setval(seqrelid::regclass, seqstart, false) from pg_sequence join pg_class on pg_class.oid = seqrelid
where relnamespace = current_schema()::regnamespace
"""
_DATED = """
select distinct relname from pg_class join pg_attrdef on adrelid = pg_class.oid
where relnamespace = current_schema()::regnamespace and pg_get_expr(adbin, adrelid) ~ 'clock_timestamp' order by relname
"""


async def new_database(url: str) -> str:
    """The name of an empty database, made for one run."""
    name = f"simulation_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    return name


class _RealDatabase(Database):
    """Sessions whose functions are looked up in the schema first, and whose plans don't depend on earlier calls."""

    def _server_settings(self) -> dict[str, str]:
        return super()._server_settings() | {
            "search_path": f"{self.schema}, pg_catalog",
            "synchronous_commit": "off",
            "plan_cache_mode": "force_generic_plan",
            "idle_in_transaction_session_timeout": "0",
            "lock_timeout": "0",
            "deadlock_timeout": "1h",
            "simulation.now": "2023-01-01T00:00:00Z",
        }


@contextlib.contextmanager
def _standing_still() -> Iterator[None]:
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)


class Ground:
    """The real sessions, on an event loop of their own, which runs while the simulation's stands still."""

    def __init__(self, url: str, schema: str, sessions: int = 16) -> None:
        settings = DatabaseSettings(DATABASE_URL=url, DATABASE_POOL_SIZE=sessions + 1)  # type: ignore[call-arg,arg-type]
        self._loop = uvloop.new_event_loop()
        self._database = _RealDatabase(settings, schema)
        self.run(self._database.open())
        self._free: list[Any] = []
        self._open: list[RealSession] = []
        self.observer: Any = self.run(self._acquire())
        self.run(self.observer.execute(_GROUND))
        self._free = [self.run(self._acquire()) for _ in range(sessions)]
        self._has_lease = bool(self.look("select from outbox_lease"))
        self.dated = [row["relname"] for row in self.look(_DATED)]
        """Tables of which a column is the time at which a row was written, unless it is given."""

    async def _acquire(self) -> Any:
        return await self._database.pool.acquire()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something with PostgreSQL while the simulation stands still."""
        with _standing_still():
            return self._loop.run_until_complete(work)

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Begin something with PostgreSQL; `wait` goes on with it."""
        return self._loop.create_task(work)

    def wait(self, task: "asyncio.Task[Any]") -> None:
        """Let a task run until it is done, but no longer than it takes to wonder whether it waits for a lock."""
        moment = self._loop.create_future()

        def over(_: object = None) -> None:
            if not moment.done():
                moment.set_result(None)

        late = self._loop.call_later(_PATIENCE, over)
        task.add_done_callback(over)
        with _standing_still():
            self._loop.run_until_complete(moment)
        task.remove_done_callback(over)
        late.cancel()

    def empty(self) -> None:
        """Make everything as it was at first; all sessions are free again."""
        for session in list(self._open):
            self.release(session)
        # New files rather than deleted rows: where a row lies must not depend on the seeds before. What has no file
        # with something in it is left alone, for PostgreSQL waits for the disk, and all sessions plan anew.
        if used := [row["relname"] for row in self.look(_USED)]:
            self.run(self.observer.execute(f"truncate {', '.join(used)}"))
        self.look(_SEQUENCES_BEGIN_ANEW)
        if self._has_lease:
            self.run(self.observer.execute("insert into outbox_lease default values"))

    def look(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """What is committed now."""
        return self.run(self.observer.fetch(query, *values))

    def session(self) -> "RealSession":
        """A session that nobody uses."""
        if not self._free:
            raise AssertionError("the simulation has no free session left")
        session = RealSession(self, self._free.pop())
        self._open.append(session)
        return session

    def release(self, session: "RealSession") -> None:
        """Give a session back; what it has open is rolled back."""
        if session not in self._open:
            return
        self._open.remove(session)
        if session.waiting is not None:
            session.cancel()
        if session.in_transaction:
            self.run(session.real.execute("rollback"))
        self._free.append(session.real)

    def others_open(self, session: "RealSession") -> bool:
        """Whether another session has a transaction open, which may hold locks."""
        return any(other.in_transaction for other in self._open if other is not session)

    def blocked(self) -> "list[RealSession]":
        """The sessions that wait for a lock, those that have waited longest first."""
        waiting = [session for session in self._open if session.waiting is not None]
        return sorted(waiting, key=lambda session: session.waiting_since)

    def blocking(self, session: "RealSession") -> set[int]:
        """The process ids that a session waits for."""
        found: list[int] = self.run(self.observer.fetchval("select pg_blocking_pids($1)", session.pid))
        return set(found)

    def close(self) -> None:
        """Give everything back."""
        for session in list(self._open):
            self.release(session)
        self.run(self._database.close())
        self._loop.close()


class RealSession:
    """One real session while a simulated process has it."""

    _turn = 0

    def __init__(self, ground: Ground, real: Any) -> None:
        self.ground = ground
        self.real = real
        self.pid: int = real.get_server_pid()
        self.in_transaction = False
        self.waiting: asyncio.Task[Any] | None = None
        self.waiting_since = 0

    def execute(self, work: Coroutine[Any, Any, T]) -> "T | Waits":
        """Run a statement to its end, or until it is certain that it waits for another's lock."""
        if not self.ground.others_open(self):
            return self.ground.run(work)
        return self.look_again(self.ground.start(work))

    def look_again(self, task: "asyncio.Task[T]") -> "T | Waits":
        """The same for a statement that is under way."""
        while True:
            self.ground.wait(task)
            if task.done():
                self.waiting = None
                return task.result()
            if self.ground.blocking(self):
                if self.waiting is None:
                    RealSession._turn += 1
                    self.waiting, self.waiting_since = task, RealSession._turn
                return WAITS

    def cancel(self) -> None:
        """Give up the statement that waits; PostgreSQL rolls back what it did."""
        task, self.waiting = self.waiting, None
        if task is None:
            return
        self.ground.run(self.ground.observer.execute("select pg_cancel_backend($1)", self.pid))
        with contextlib.suppress(asyncpg.PostgresError):
            self.ground.run(_result(task))


class Waits:
    """A statement waits for another's lock."""


WAITS = Waits()


async def _result(task: "asyncio.Task[T]") -> T:
    return await task


class SimulatedConnection:
    """What production code holds as its connection: each statement waits for its turn, and may fail."""

    def __init__(self, database: "SimulatedDatabase", session: RealSession) -> None:
        self._database = database
        self._world = database.world
        self.session = session
        self.broken = False
        self.wants_transaction = False
        self.notices: list[str] = []
        self._deadline: asyncio.TimerHandle | None = None

    async def fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """All rows."""
        return await self.statement(query, lambda real: real.fetch(*self._at_its_time(query, values)))

    async def fetchrow(self, query: str, *values: Any) -> asyncpg.Record | None:
        """The first row."""
        return await self.statement(query, lambda real: real.fetchrow(*self._at_its_time(query, values)))

    async def fetchval(self, query: str, *values: Any) -> Any:
        """The first value of the first row."""
        return await self.statement(query, lambda real: real.fetchval(*self._at_its_time(query, values)))

    async def execute(self, query: str, *values: Any) -> str:
        """The statement's tag."""
        return await self.statement(query, lambda real: real.execute(*self._at_its_time(query, values)))

    @contextlib.asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[None]:
        """A transaction in this connection."""
        async with self._database.begun(self):
            yield

    async def statement(self, query: str, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        """Run one statement in its turn, with what the seed lets happen before and after it."""
        world = self._world
        await world.turn(self._database.name, query)
        self._alive()
        await world.mishap(self, "before", query)
        self._alive()
        beforehand = self._begin_first()
        if any(f"into {table} " in query for table in world.ground.dated):
            beforehand.append(f"set simulation.now = '{world.database_now().isoformat()}'")
        if beforehand:
            world.ground.run(self.session.real.execute(";".join(beforehand)))
        found = self.session.execute(work(self.session.real))
        if isinstance(found, Waits):
            found = await world.lock_wait(self)
        await world.mishap(self, "after", query)
        self._alive()
        world.trace("sql", self._database.name, " ".join(query.split())[:60], _shape(found))
        return found  # type: ignore[return-value]

    def _at_its_time(self, query: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """The database's time goes along as one more value: to set it beforehand would be a way of its own."""
        if _CLOCK not in query:
            return query, *values
        return query.replace(_CLOCK, f"${len(values) + 1}::timestamptz"), *values, self._world.database_now()

    def _begin_first(self) -> list[str]:
        """A transaction begins with its first statement, which saves a way to PostgreSQL."""
        if self.session.in_transaction or not self.wants_transaction:
            return []
        self.session.in_transaction = True
        return ["begin"]

    def _alive(self) -> None:
        if self.broken:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    def cut(self) -> None:
        """The connection is lost: PostgreSQL rolls back what it has open."""
        if not self.broken:
            self.broken = True
            self._world.ground.release(self.session)
            self._world.go_on_after_locks()

    def guard(self) -> None:
        """Watch over a transaction that is left alone, as `idle_in_transaction_session_timeout` does."""
        loop = self._world.loop
        token = OWNER.set(None)  # PostgreSQL's own watch, which goes on when the process does not
        try:
            self._deadline = loop.call_later(IDLE_IN_TRANSACTION, self.cut)
        finally:
            OWNER.reset(token)

    def unguard(self) -> None:
        """The transaction has ended."""
        if self._deadline:
            self._deadline.cancel()


class SimulatedDatabase(Database):
    """A service's database as one simulated process sees it."""

    def __init__(self, world: "World", name: str, schema: str) -> None:
        super().__init__(DatabaseSettings(DATABASE_URL="postgresql://simulated/"), schema)  # type: ignore[call-arg,arg-type]
        self.world = world
        self.name = name
        self._connections: list[SimulatedConnection] = []

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """As the real one: committed on exit, rolled back on any error."""
        async with self.connection() as connection, self.begun(connection):  # type: ignore[arg-type]
            yield connection

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection whose statements commit one by one."""
        await self.world.reach_database(self.name)
        connection = SimulatedConnection(self, self.world.ground.session())
        self._connections.append(connection)
        try:
            yield connection  # type: ignore[misc]
        finally:
            await self.world.live()
            self._connections.remove(connection)
            if not connection.broken:
                self.world.ground.release(connection.session)
                connection.broken = True

    @contextlib.asynccontextmanager
    async def begun(self, connection: SimulatedConnection) -> AsyncIterator[None]:
        """A transaction in a connection."""
        real = connection.session.real
        await self.world.turn(self.name, "begin")
        connection._alive()
        connection.wants_transaction = True
        connection.guard()
        try:
            yield
        except BaseException:
            await self.world.live()
            connection.unguard()
            connection.wants_transaction = False
            if not connection.broken and connection.session.in_transaction:
                self.world.ground.run(real.execute("rollback"))
                connection.session.in_transaction = False
                self.world.go_on_after_locks()
            raise
        await self.world.live()
        await self.world.turn(self.name, "commit")
        connection.unguard()
        await self.world.mishap(connection, "before", "commit")
        connection._alive()
        if connection.session.in_transaction:
            self.world.ground.run(real.execute("commit"))
        connection.wants_transaction = connection.session.in_transaction = False
        self.world.trace("commit", self.name)
        notices, connection.notices = connection.notices, []
        self.world.tell(notices)
        self.world.go_on_after_locks()
        await self.world.mishap(connection, "after", "commit")
        connection._alive()

    async def notify(self, connection: Connection, name: str) -> None:
        """Wake listeners when the transaction commits."""
        simulated: SimulatedConnection = connection  # type: ignore[assignment]
        if name not in simulated.notices:
            simulated.notices.append(name)

    async def listen(self, channel: str, heard: Callable[[], None]) -> None:
        """As the real one; notices that come while the connection is lost are lost."""
        while True:
            heard()
            async with self.world.listening(channel, heard) as lost:
                await lost
            await asyncio.sleep(1)

    async def ping(self) -> None:
        """Nobody asks here."""

    def cut_all(self) -> None:
        """The process has died, or the database has: all its connections end."""
        for connection in list(self._connections):
            connection.cut()


def _shape(found: Any) -> Any:
    """What of an answer goes into the trace."""
    if isinstance(found, list):
        return [str(row[0]) for row in found]
    return str(found[0] if isinstance(found, asyncpg.Record) else found)
