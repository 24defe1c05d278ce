"""Folders for the embedded parts, and a process that owns a stack so that it can be killed."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from deploy.embedded.inbox.receiver import Inbox
from deploy.embedded.inbox.settings import InboxHttpSettings, InboxSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def state() -> Iterator[Path]:
    """A new state folder, with a space in its path and a folder above it that is closed to others."""
    # Not pytest's own folder, which stays for the next three runs: a cluster is some 40 MB.
    with tempfile.TemporaryDirectory(prefix="pledgewire test ") as folder:
        yield Path(folder) / "state"


class Owner:
    """Another process that started a stack and says what it got."""

    def __init__(self, state: Path, brokers: int = 1) -> None:
        """Start it and wait until its stack is ready."""
        code = (
            "import json, signal, sys\n"
            "from pathlib import Path\n"
            "from deploy.embedded import EmbeddedStack\n"
            # A suite that runs in the background of a shell inherits that Ctrl-C is ignored.
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "with EmbeddedStack(Path(sys.argv[1]), brokers=int(sys.argv[2])) as stack:\n"
            "    print(json.dumps([stack.processes(), stack.environment()]), flush=True)\n"
            "    sys.stdin.read()\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(state), str(brokers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        assert self.process.stdout
        self.pids, self.environment = json.loads(self.process.stdout.readline())

    def end(self, number: int) -> int:
        """Send a signal to its whole process group, as a terminal does, and wait for its end."""
        os.killpg(self.process.pid, number)
        return self.process.wait(30)

    def close(self) -> None:
        """Make sure that it is gone."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


@pytest.fixture
def owner() -> Iterator[Callable[..., Owner]]:
    """Start owners; they are gone after the test."""
    started = []

    def start(state: Path, brokers: int = 1) -> Owner:
        started.append(Owner(state, brokers))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """An inbox of this process, on free ports."""
    async with Inbox(InboxSettings(smtp_port=0, keep_messages=8000), InboxHttpSettings(port=0)) as listening:
        yield listening


@pytest.fixture
async def web(inbox: Inbox) -> AsyncIterator[httpx2.AsyncClient]:
    """Asks it over HTTP."""
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{inbox.http_port}", trust_env=False) as client:
        yield client
