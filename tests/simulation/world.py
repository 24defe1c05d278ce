"""The world of one simulation: everything that could come out one way or another comes out as its seed says."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from tests.simulation.database import LOCK_TIMEOUT, Ground, RealSession, SimulatedConnection, Waits
from tests.simulation.loop import OWNER, VirtualLoop

if TYPE_CHECKING:
    from tests.simulation.processes import Process

BEGINNING = datetime(2023, 7, 24, 15, 30, tzinfo=UTC)
_START = 1_000.0


@dataclass(frozen=True)
class Menu:
    """How often what goes wrong; each seed draws its own, so that some know only one kind of fault and some many."""

    die: float = 0.0
    freeze: float = 0.0
    cut: float = 0.0
    slow: float = 0.0
    outages: int = 0
    restarts: int = 0
    clock_jumps: int = 0

    @classmethod
    def drawn(cls, random: Random) -> "Menu":
        """A menu: one seed in eight knows no fault of ours at all."""
        if random.random() < 0.125:
            return cls()
        some = random.choice
        return cls(
            die=some([0.0, 0.0, 0.004, 0.012]),
            freeze=some([0.0, 0.0, 0.003, 0.01]),
            cut=some([0.0, 0.0, 0.01, 0.04]),
            slow=some([0.0, 0.02, 0.1]),
            outages=some([0, 0, 0, 1, 2]),
            restarts=some([0, 0, 1, 2]),
            clock_jumps=some([0, 0, 1]),
        )


class World:
    """Time, chance, faults and the trace of one seed."""

    def __init__(self, seed: int, ground: Ground, *, tell: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.ground = ground
        self.menu = Menu.drawn(self.random)
        self.loop = VirtualLoop(self.random.randrange)
        self.processes: list[Process] = []
        self.calm = False
        """No more faults from now on."""
        self.over = False
        self.wall_offset = timedelta()
        self.database_is_back = asyncio.Event()
        self.database_is_back.set()
        self.tried: list[str] = []
        self._listeners: dict[str, list[tuple[Process | None, Callable[[], None]]]] = {}
        self._lock_waits: dict[RealSession, asyncio.Future[Any]] = {}
        self._ids = Random(seed ^ 0x5EED)
        self._hash = hashlib.sha256()
        self._tell = tell
        self.steps = 0

    @property
    def database_is_away(self) -> bool:
        """Whether PostgreSQL takes no connections now."""
        return not self.database_is_back.is_set()

    # ---- time and chance

    @property
    def seconds(self) -> float:
        """Virtual seconds since the beginning."""
        return self.loop.time() - _START

    def monotonic(self) -> float:
        """What `time.monotonic` gives."""
        return self.loop.time()

    def wall(self) -> float:
        """What `time.time` gives."""
        return 1.7e9 + self.loop.time()

    def now(self) -> datetime:
        """Business time, where no process's clock is wrong."""
        return BEGINNING + timedelta(seconds=self.seconds) + self.wall_offset

    def database_now(self) -> datetime:
        """The database's clock: nobody sets it."""
        return BEGINNING + timedelta(days=100, seconds=self.seconds)

    def new_id(self) -> UUID:
        """An id as `uuid4` gives them."""
        return UUID(int=self._ids.getrandbits(128), version=4)

    def chance(self, share: float) -> bool:
        """Whether something happens that happens so often."""
        return share > 0 and self.random.random() < share

    # ---- what is written down

    def trace(self, what: str, *details: Any) -> None:
        """Write down what happened; two runs of a seed have the same trace."""
        self.steps += 1
        line = f"{self.seconds:.6f} {what} {' '.join(map(str, details))}"
        self._hash.update(line.encode())
        if self._tell:
            self._tell(line)

    @property
    def fingerprint(self) -> str:
        """The trace in brief."""
        return self._hash.hexdigest()[:16]

    # ---- the database as processes meet it

    async def live(self) -> None:
        """Nothing, for who lives; who has died goes no further."""
        if self.over:
            raise asyncio.CancelledError
        process = OWNER.get()
        if process is not None and process.is_dead:
            await self.loop.create_future()

    async def turn(self, name: str, what: str) -> None:
        """Wait as long as the way to the database takes."""
        await self.live()
        slow = not self.calm and self.chance(self.menu.slow)
        await asyncio.sleep(self.random.uniform(0.2, 2.0) if slow else self.random.uniform(0.0002, 0.004))
        await self.live()

    async def reach_database(self, name: str) -> None:
        """Take a connection."""
        await self.live()
        if OWNER.get() is None:  # people try until it works; that is not what this is about
            await self.database_is_back.wait()
            return
        if self.database_is_away or (not self.calm and self.chance(self.menu.cut / 2)):
            self.trace("unreachable", name)
            await asyncio.sleep(self.random.choice([0.001, 0.05, 2.0]))
            raise ConnectionRefusedError("the simulated database is not there")

    async def mishap(self, connection: SimulatedConnection, when: str, what: str) -> None:
        """What the seed lets go wrong at a statement: the process dies or freezes, or the connection is lost."""
        await self.live()
        process = OWNER.get()
        if self.calm or process is None:
            return
        if self.chance(self.menu.die):
            self.trace("dies", process, when, what[:30])
            self.kill(process)  # type: ignore[arg-type]
            await self.live()
        if self.chance(self.menu.freeze):
            self.freeze(process)  # type: ignore[arg-type]
            await asyncio.sleep(0)
        if self.database_is_away or self.chance(self.menu.cut):
            self.trace("cut", process, when, what[:30])
            self.tried.append("cut")
            connection.cut()

    async def lock_wait(self, connection: SimulatedConnection) -> Any:
        """Wait for a lock as long as the service's sessions do."""
        session = connection.session
        self.trace("waits for a lock", connection._database.name)
        self.tried.append("lock")
        if self._in_circle(session):
            session.cancel()
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        answer = self._lock_waits[session] = self.loop.create_future()
        try:
            async with asyncio.timeout(LOCK_TIMEOUT):
                return await answer
        except TimeoutError:
            session.cancel()
            raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout") from None
        finally:
            self._lock_waits.pop(session, None)

    def _in_circle(self, session: RealSession) -> bool:
        waits = {other.pid: self.ground.blocking(other) for other in self.ground.blocked()}
        reached, todo = set[int](), [session.pid]
        while todo:
            for pid in waits.get(todo.pop(), ()):
                if pid == session.pid:
                    return True
                if pid not in reached:
                    reached.add(pid)
                    todo.append(pid)
        return False

    def go_on_after_locks(self) -> None:
        """A transaction has ended: who waited for its locks goes on, or waits for the next."""
        for session in self.ground.blocked():
            assert session.waiting is not None
            answer = self._lock_waits.get(session)
            try:
                found = session.look_again(session.waiting)
            except Exception as error:
                session.waiting = None
                if answer and not answer.done():
                    answer.set_exception(error)
                continue
            if not isinstance(found, Waits) and answer and not answer.done():
                answer.set_result(found)

    # ---- notices

    @contextlib.asynccontextmanager
    async def listening(self, channel: str, heard: Callable[[], None]) -> AsyncIterator[asyncio.Future[None]]:
        """Hear notices while the connection holds."""
        entry = (OWNER.get(), heard)
        lost: asyncio.Future[None] = self.loop.create_future()
        self._listeners.setdefault(channel, []).append(entry)  # type: ignore[arg-type]
        try:
            yield lost
        finally:
            self._listeners[channel].remove(entry)  # type: ignore[arg-type]

    def tell(self, channels: Iterable[str]) -> None:
        """Wake those who listen; one in fifty notices is lost, as with a connection that has just gone."""
        for channel in channels:
            for process, heard in list(self._listeners.get(channel, ())):
                if not self.calm and self.chance(0.02):
                    continue
                token = OWNER.set(process)
                try:
                    self.loop.call_later(self.random.uniform(0.0001, 0.003), heard)
                finally:
                    OWNER.reset(token)

    # ---- what goes wrong

    def kill(self, process: "Process") -> None:
        """SIGKILL."""
        self.tried.append("kill")
        process.dies()
        for channel, entries in self._listeners.items():
            self._listeners[channel] = [entry for entry in entries if entry[0] is not process]

    def freeze(self, process: "Process") -> None:
        """SIGSTOP, and later SIGCONT: often for a moment, now and then past every lease."""
        seconds = self.random.choice([0.5, 2.0, 6.0, 14.0])
        self.trace("freezes", process, seconds)
        self.tried.append("freeze")
        process.freezes(seconds)
