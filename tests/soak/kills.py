"""Kills by the plan: SIGKILL, a moment of nothing, and the same program again; and what was away when."""

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.stack import EmbeddedStack
from services.cli.fleet import Fleet
from tests.soak.plan import Kill


@dataclass(frozen=True, slots=True)
class Outage:
    """From when to when something was away, in seconds since 1970."""

    name: str
    begins: float
    ends: float


MACHINE = "machine"
LONGEST_GAP = 1.5
"""Seconds that this process may not get to run; what takes longer stopped the whole machine, and all leases with it."""


async def note_stalls(outages: list[Outage]) -> None:
    """Note whenever the machine itself stood still; until it is cancelled."""
    before = time.time()
    while True:
        await asyncio.sleep(0.2)
        if (now := time.time()) - before > LONGEST_GAP:
            outages.append(Outage(MACHINE, before, now))
        before = now


@dataclass
class Killer:
    """Carries the plan out; while `quiet` is held nothing is killed. `outages` has the machine's own stalls too."""

    fleet: Fleet
    parts: EmbeddedStack
    quiet: asyncio.Lock = field(default_factory=asyncio.Lock)
    outages: list[Outage] = field(default_factory=list)

    async def run(self, kills: tuple[Kill, ...], begun: float) -> None:
        """Kill each at its time; `begun` is monotonic. Whoever's time has passed meanwhile is killed a little later."""
        for kill in kills:
            await asyncio.sleep(begun + kill.at - time.monotonic())
            async with self.quiet:
                await self._kill(kill)

    @property
    def counts(self) -> Counter[str]:
        """How often whom."""
        return Counter(outage.name for outage in self.outages)

    async def _kill(self, kill: Kill) -> None:
        at = time.time()
        match kill.name:
            case "postgres":
                await asyncio.to_thread(self.parts.kill_postgres)
                await asyncio.sleep(kill.away)
                await asyncio.to_thread(self.parts.start_postgres)
            case "kafka":
                await asyncio.to_thread(self.parts.kill_broker)
                await asyncio.sleep(kill.away)
                with contextlib.suppress(EmbeddedError):  # on a busy machine it may take longer than is waited for
                    await asyncio.to_thread(self.parts.start_broker)
            case name:
                await asyncio.to_thread(self.fleet.kill, name)
                await asyncio.sleep(kill.away)
                self.fleet.start(name)
        self.outages.append(Outage(kill.name, at, time.time()))
