"""The four services as processes of this machine, each with its port, its log and its settings."""

import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import free_ports
from deploy.embedded.processes import Child
from deploy.embedded.state import write_private
from services.plumbing.secrets_at_rest import KEY_SETTINGS

PROJECT = Path(__file__).resolve().parents[2]
ADMIN_BESIDE = 10
"""The admin port of a process stands so far above a public one that was wished for, if that is free."""
SERVICES = ("registry", "scheduler", "notifier", "portal")


def free_port(wished: int = 0) -> int:
    """A port of the loopback interface that nobody listens on now: the wished one, if it is free."""
    with free_ports([wished]) as (port,):
        return port


def kept_secret(path: Path, new: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> str:
    """A random secret that stays the same as long as its file (mode 0600) does; the first time `new` makes it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, new() + "\n")
    return path.read_text().strip()


@dataclass
class Member:
    """One process of the fleet."""

    name: str
    module: str
    port: int
    admin_port: int
    environment: dict[str, str]
    code: Path = PROJECT
    """The folder of the release that it runs: two may stand side by side."""
    python: str = sys.executable
    """The interpreter with the packages of that release."""
    child: Child | None = None
    restarts: int = field(default=0)
    last_exit: int | None = field(default=None)
    """How it had ended when it was last revived; negative for a signal."""

    @property
    def url(self) -> str:
        """Where its HTTP interface is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_url(self) -> str:
        """Where it tells its operators how it is, and its metrics."""
        return f"http://127.0.0.1:{self.admin_port}"


class Fleet:
    """Starts, watches and stops processes; all methods block, and are quick but for `wait_ready` and `stop`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], notes: Path | None = None) -> None:
        """Keep logs in `folder`, pid notes there or in `notes`; `environment` goes to all on top of this process's."""
        self.folder = folder
        self._notes = notes or folder
        self._environment = dict(environment)
        self.members: dict[str, Member] = {}

    def add(
        self,
        name: str,
        module: str,
        *,
        port: int | None = None,
        admin_port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Member:
        """Name a process to be; several may run the same module."""
        with free_ports([0, 0]) as (public, admin):
            member = Member(name, module, port or public, admin_port or admin, dict(environment or {}))
        self.members[name] = member
        return member

    def add_twin(self, name: str, of: str) -> Member:
        """Name a second process with the settings of a first."""
        first = self.members[of]
        return self.add(name, first.module, environment=first.environment)

    def add_services(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        holder_key: str,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        """Name the four services, so that each knows where the others are; those with a wished port there, if free.

        `holder_key` is the registry's API key of the role `holder`, with which it holds old dates at the scheduler.
        """
        wished = ports or {}
        ports = {name: free_port(wished.get(name, 0)) for name in SERVICES}
        urls = {f"{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()}
        for name in ("NOTIFIER", "SCHEDULER"):
            urls |= {f"{name}_PUBLIC_URL": urls[f"{name}_URL"], f"{name}_PORTAL_URL": urls["PORTAL_URL"]}
        for name, file in (("NOTIFIER_LINK_KEYS", "link-key"), ("AUDIT_HASH_KEY", "audit-key")):
            if name not in (environment or {}):
                urls[name] = kept_secret(self.folder / file)
        for name in SERVICES:
            admin = free_port(wished[name] + ADMIN_BESIDE) if wished.get(name) else None
            own = urls | dict(environment or {})
            self.add(name, f"services.{name}", port=ports[name], admin_port=admin, environment=own)
        self.members["registry"].environment["SCHEDULER_KEY"] = holder_key

    def opening(self) -> dict[str, str]:
        """The notifier's settings without which commands can't open what it has sealed, or find an address."""
        names = (*KEY_SETTINGS, "NOTIFIER_LINK_KEYS", "AUDIT_HASH_KEY")
        settings = self._environment | self.members["notifier"].environment
        return {name: settings[name] for name in names if settings.get(name)}

    def start(self, *names: str, environment: Mapping[str, str] | None = None) -> None:
        """Start the named processes, or all; `environment` is for this start only (a failpoint, say)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in names or tuple(self.members):
            member = self.members[name]
            settings = {
                "HTTP_PORT": str(member.port),
                "ADMIN_PORT": str(member.admin_port),
                **self._environment,
                **member.environment,
                **(environment or {}),
            }
            member.child = Child.start(
                [member.python, "-P", "-m", member.module],
                note=self._notes / f"{name}.pid",
                output=self.log(name),
                at_death=signal.SIGTERM,
                environment={**os.environ, "PYTHONPATH": str(member.code), **settings},
                folder=member.code,
            )

    def log(self, name: str) -> Path:
        """The file that a process logs into, one JSON object a line."""
        return self.folder / f"{name}.log"

    def wait_ready(self, *names: str, seconds: float = 60.0) -> None:
        """Return when the named processes, or all, say that they are ready; raise EmbeddedError when one does not."""
        end = time.monotonic() + seconds
        with httpx2.Client(timeout=4, trust_env=False) as client:
            for name in names or tuple(self.members):
                self._wait_for(self.members[name], client, end)

    def wait_for_keys(self, count: int, *names: str, seconds: float = 30.0) -> None:
        """Return when the named services, or all that let in by API keys, know so many; raise EmbeddedError otherwise.

        The registry says what keys there are when it runs, so a service may be ready a moment before it has heard.
        """
        end = time.monotonic() + seconds
        with httpx2.Client(timeout=4, trust_env=False) as client:
            for name in names or ("scheduler", "notifier"):
                while _details(self.members[name], client).get("api_keys", {}).get("known", 0) < count:
                    if time.monotonic() > end:
                        raise EmbeddedError(f"{name} has not heard of all API keys", f"see {self.log('registry')}")
                    time.sleep(0.02)

    def _wait_for(self, member: Member, client: httpx2.Client, end: float) -> None:
        answer = "no answer"
        while time.monotonic() < end:
            if member.child is None or member.child.ended is not None:
                raise EmbeddedError(
                    f"{member.name} ended while it was starting: {self._last_words(member.name)}",
                    f"see {self.log(member.name)}",
                )
            try:
                response = client.get(f"{member.url}/readyz")
            except httpx2.TransportError:
                time.sleep(0.05)
                continue
            if response.status_code == 200:
                return
            answer = str(_details(member, client).get("checks"))[:300]
            time.sleep(0.05)
        raise EmbeddedError(f"{member.name} is not ready: {answer}", f"see {self.log(member.name)}")

    def _last_words(self, name: str) -> str:
        lines = self.log(name).read_text(errors="replace").splitlines()
        return lines[-1][-300:] if lines else "without a word"

    def revive(self) -> list[str]:
        """Start again what has died; the names of those."""
        dead = [name for name, member in self.members.items() if member.child and member.child.ended is not None]
        for name in dead:
            self.start_again(name)
        return dead

    def start_again(self, name: str) -> None:
        """Start one that has died, and count it."""
        member = self.members[name]
        member.restarts += 1
        member.last_exit = member.child.ended if member.child else None
        self.start(name)

    def wait_end(self, name: str, seconds: float = 30.0) -> int:
        """Wait for a process to end by itself; its exit status, negative for a signal."""
        member = self.members[name]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if member.child and (status := member.child.ended) is not None:
                return status
            time.sleep(0.01)
        raise TimeoutError(f"{name} still runs after {seconds} s")

    def kill(self, name: str) -> None:
        """End a process at once, as a crash would."""
        child = self.members[name].child
        if child:
            child.kill()

    def stop(self, *names: str, patience: float = 30.0) -> None:
        """Ask the named processes, or all, to drain and end; kill what has not after `patience` seconds."""
        wanted = [self.members[name] for name in names or tuple(self.members)]
        running = [m.child for m in wanted if m.child and m.child.ended is None]
        for child in running:
            child.identity.signal(signal.SIGTERM)
        for child in running:
            child.stop(signal.SIGTERM, patience)

    def pids(self) -> dict[str, int]:
        """Those that run."""
        return {n: m.child.pid for n, m in self.members.items() if m.child and m.child.ended is None}


def _details(member: Member, client: httpx2.Client) -> dict[str, Any]:
    """What a process says of itself at its admin port; where it has none, as before 0.3.0, at its public one."""
    try:
        answer = client.get(f"{member.admin_url}/readyz")
    except httpx2.TransportError:
        answer = client.get(f"{member.url}/readyz")
    details: dict[str, Any] = answer.json()
    return details
