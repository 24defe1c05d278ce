"""`pledgewire status` and `stop`: how an instance stands, and its end."""

import signal
import time
from dataclasses import asdict, dataclass
from shlex import quote

import httpx2
import typer

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.processes import Identity
from services.cli.service_client import FAILED, NOT_FOUND, print_json
from services.cli.up.running import InstancePart, RunningInstance, read_running
from services.cli.up.state_folder import InstanceFolder


@dataclass(frozen=True)
class PartStanding:
    """How one process stands."""

    name: str
    state: str
    """`ready`, `running` (of Kafka and PostgreSQL), `not ready: …` or `down`."""
    part: InstancePart

    @property
    def is_well(self) -> bool:
        return self.state in ("ready", "running")

    def line(self) -> str:
        """For people."""
        where = f"  {self.part.url}" if self.part.url else ""
        pid = f"  pid {self.part.pid}" if self.part.pid else ""
        return f"{self.name:<10} {self.state:<8}{where}{pid}{self._again()}"

    def _again(self) -> str:
        count, last = self.part.restarts, self.part.last_exit
        if not count:
            return ""
        how = "" if last is None else f", last ended by signal {-last}" if last < 0 else f", last ended with {last}"
        return f"  started again {count} time{'s' if count > 1 else ''}{how}"


def tell_environment(folder: InstanceFolder) -> None:
    """Print the variables by which an instance is reached, for `eval` of a shell; raises EmbeddedError."""
    for name, text in _running(folder).environment.items():
        typer.echo(f"export {name}={quote(text)}")


def tell_status(folder: InstanceFolder, *, as_json: bool) -> int:
    """Print how an instance stands; the exit status. Raises EmbeddedError where nothing runs."""
    instance = _running(folder)
    found = [_standing(name, part) for name, part in instance.parts.items()]
    well = instance.ready and all(one.is_well for one in found)
    if as_json:
        shown = {one.name: {"state": one.state, **asdict(one.part)} for one in found}
        print_json(
            {
                "state": "ready" if well else "not-ready",
                "folder": str(folder.path),
                "since": instance.since,
                "version": instance.version,
                "public_url": instance.public_url,
                "parts": shown,
            }
        )
    else:
        how = "up" if instance.ready else "starting"
        typer.echo(
            f"{how} since {instance.since[:16]}Z, release {instance.version}, in {folder.path} (pid {instance.pid})"
        )
        for one in found:
            typer.echo(one.line())
        typer.echo(f"readers reach the portal at {instance.public_url}")
    return 0 if well else FAILED


def stop_instance(folder: InstanceFolder, seconds: float) -> None:
    """Ask an instance to end, and wait for it; raises EmbeddedError where nothing runs, and where it goes on."""
    instance = _running(folder)
    process = Identity(instance.pid, instance.started)
    process.signal(signal.SIGTERM)
    end = time.monotonic() + seconds
    while process.alive:
        if time.monotonic() > end:
            raise EmbeddedError(
                f"process {instance.pid} has not ended within {seconds:.0f} s",
                f"see what it does in {folder.logs}, or wait longer with --seconds",
            )
        time.sleep(0.05)
    typer.echo("stopped")


def _running(folder: InstanceFolder) -> RunningInstance:
    instance = read_running(folder)
    if instance is None:
        raise EmbeddedError(
            f"nothing runs in {folder.path}", "`pledgewire up` starts it; --state names another folder", NOT_FOUND
        )
    return instance


def _standing(name: str, part: InstancePart) -> PartStanding:
    if part.pid is None or Identity.of(part.pid) is None:
        return PartStanding(name, "down", part)
    if not part.url:
        return PartStanding(name, "running", part)
    try:
        answer = httpx2.get(f"{part.url}/readyz", timeout=5, trust_env=False)
    except httpx2.HTTPError as error:
        return PartStanding(name, f"not ready: {type(error).__name__}", part)
    if answer.status_code == 200:
        return PartStanding(name, "ready", part)
    return PartStanding(name, f"not ready: {answer.text[:200]}", part)
