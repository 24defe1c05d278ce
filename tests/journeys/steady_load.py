"""Editors that go on reporting while processes come and go: careful clients, with one key until there is an answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx2

from tests.journeys.instance import LiveInstance

STATUSES = ("in-progress", "at-risk")


class SteadyLoad:
    """Status updates in turn, as fast as they are answered."""

    def __init__(self, instance: LiveInstance, commitments: Sequence[str]) -> None:
        self._instance = instance
        self._commitments = commitments
        self._stopping = asyncio.Event()
        self.answered = 0
        """Updates that were taken."""
        self.refused: list[str] = []
        """Answers that no careful client expects."""
        self.longest = 0.0
        """Seconds until an update was taken at last."""

    async def run(self, first: int, step: int) -> None:
        """One editor, who has every so manieth commitment to himself."""
        turn = 0
        while not self._stopping.is_set():
            for commitment in self._commitments[first::step]:
                await self._insist(commitment, STATUSES[turn % 2])
                if self._stopping.is_set():
                    return
            turn += 1

    async def _insist(self, commitment: str, status: str) -> None:
        key, began = str(uuid4()), asyncio.get_running_loop().time()
        while True:
            try:
                answer = await self._instance.post_status(commitment, status, key=key)
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 201:
                self.answered += 1
                self.longest = max(self.longest, asyncio.get_running_loop().time() - began)
                return
            if answer.status_code not in (409, 503):
                self.refused.append(answer.text)
                return
            await asyncio.sleep(0.05)

    def stop(self) -> None:
        """Let each editor end with the update in hand."""
        self._stopping.set()


@asynccontextmanager
async def under_load(instance: LiveInstance, commitments: Sequence[str], editors: int = 3) -> AsyncIterator[SteadyLoad]:
    """In the block updates come; at its end all have been answered."""
    load = SteadyLoad(instance, commitments)
    async with asyncio.TaskGroup() as group:
        for first in range(editors):
            group.create_task(load.run(first, editors))
        try:
            yield load
        finally:
            load.stop()
