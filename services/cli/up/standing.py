"""`pledgewire status` and `stop`: how a house stands, and its end."""

import signal
import time
from dataclasses import asdict, dataclass
from shlex import quote

import httpx2
import typer

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.processes import Identity
from services.cli.service_client import FAILED, NOT_FOUND, print_json
from services.cli.up.running import HousePart, RunningHouse, read_running
from services.cli.up.state_folder import HouseFolder


@dataclass(frozen=True)
class PartStanding:
    """How one process stands."""

    name: str
    state: str
    """`ready`, `running` (of Kafka and PostgreSQL), `not ready: …` or `down`."""
    part: HousePart

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


def tell_environment(folder: HouseFolder) -> None:
    """Print the variables by which a house is reached, for `eval` of a shell; raises EmbeddedError."""
    for name, text in _running(folder).environment.items():
        typer.echo(f"export {name}={quote(text)}")


def tell_status(folder: HouseFolder, *, as_json: bool) -> int:
    """Print how a house stands; the exit status. Raises EmbeddedError where nothing runs."""
    house = _running(folder)
    found = [_standing(name, part) for name, part in house.parts.items()]
    well = house.ready and all(one.is_well for one in found)
    if as_json:
        shown = {one.name: {"state": one.state, **asdict(one.part)} for one in found}
        print_json(
            {
                "state": "ready" if well else "not-ready",
                "folder": str(folder.path),
                "since": house.since,
                "version": house.version,
                "public_url": house.public_url,
                "parts": shown,
            }
        )
    else:
        how = "up" if house.ready else "starting"
        typer.echo(f"{how} since {house.since[:16]}Z, release {house.version}, in {folder.path} (pid {house.pid})")
        for one in found:
            typer.echo(one.line())
        typer.echo(f"readers reach the portal at {house.public_url}")
    return 0 if well else FAILED


def stop_house(folder: HouseFolder, seconds: float) -> None:
    """Ask a house to end, and wait for it; raises EmbeddedError where nothing runs, and where it goes on."""
    house = _running(folder)
    process = Identity(house.pid, house.started)
    process.signal(signal.SIGTERM)
    end = time.monotonic() + seconds
    while process.alive:
        if time.monotonic() > end:
            raise EmbeddedError(
                f"process {house.pid} has not ended within {seconds:.0f} s",
                f"see what it does in {folder.logs}, or wait longer with --seconds",
            )
        time.sleep(0.05)
    typer.echo("stopped")


def _running(folder: HouseFolder) -> RunningHouse:
    house = read_running(folder)
    if house is None:
        raise EmbeddedError(
            f"nothing runs in {folder.path}", "`pledgewire up` starts it; --state names another folder", NOT_FOUND
        )
    return house


def _standing(name: str, part: HousePart) -> PartStanding:
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
