"""The starter kits as a ministry's engineer has them: programs of their own, told by variables, heard line by line."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.cli.fleet import PROJECT

EXAMPLES = PROJECT / "examples"
PATIENCE = 60.0  # seconds for a line


@dataclass
class Kit:
    """One program that runs."""

    process: asyncio.subprocess.Process

    async def line(self) -> str:
        """What it prints next; what it complains of, where it ends instead."""
        assert self.process.stdout and self.process.stderr
        async with asyncio.timeout(PATIENCE):
            told = await self.process.stdout.readline()
        assert told, (await self.process.stderr.read()).decode()
        return told.decode().rstrip("\n")

    async def lines(self, number: int) -> list[str]:
        return [await self.line() for _ in range(number)]

    async def complaint(self) -> str:
        """What it says when it ends by itself."""
        async with asyncio.timeout(PATIENCE):
            _, said = await self.process.communicate()
        assert self.process.returncode
        return said.decode()


@asynccontextmanager
async def started(command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> AsyncIterator[Kit]:
    """Run a kit in a folder, with these variables and no others of Pledgewire; it is ended at the end of the block."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *command, env=inherited | dict(environment), cwd=folder, stdout=PIPE, stderr=PIPE
    )
    try:
        yield Kit(process)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


def python(kit: str, program: str, *arguments: str) -> list[str | Path]:
    """The command that runs a program of a kit; our environment has what its requirements name."""
    return [sys.executable, EXAMPLES / kit / program, *arguments]


async def run(command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """How a kit that does one thing ends, and what it has printed."""
    async with started(command, environment, folder) as kit, asyncio.timeout(PATIENCE):
        printed, said = await kit.process.communicate()
        return kit.process.returncode or 0, printed.decode() + said.decode()
