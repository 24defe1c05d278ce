"""What runs now, as `run/up.json` says it: where everything is, and how it is got into.

It holds passwords (mode 0600, in a folder of mode 0700) and goes when the house stops. The commands read it, so that
`pledgewire verify` needs no variables on the machine where `pledgewire up` or `pledgewire demo` runs.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from services.cli.up.state_folder import HouseFolder, default_folder

NAMES = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "REGISTRY_URL", "SCHEDULER_URL", "NOTIFIER_URL")
"""Variables that say where something is: who sets one of them means another house, and gets nothing of this one."""


@dataclass(frozen=True)
class HousePart:
    """One process."""

    pid: int | None
    """None while it is down."""
    url: str = ""
    """Where it answers on this machine; empty for Kafka and PostgreSQL."""
    restarts: int = 0
    """How often it was started again."""
    last_exit: int | None = None
    """How it ended before it was started again; negative for a signal."""


@dataclass(frozen=True)
class RunningHouse:
    """A whole that is up, or about to be."""

    pid: int
    """Of the process that keeps it up."""
    started: str
    """Tells that process from a later one with the same pid."""
    since: str
    """When it was started (RFC 3339, UTC)."""
    version: str
    ready: bool = False
    public_url: str = ""
    """Where readers reach the portal."""
    parts: Mapping[str, HousePart] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the commands need to reach it; passwords among it."""

    def written(self) -> str:
        """As the file has it."""
        return json.dumps(asdict(self), indent=1) + "\n"


def document(folder: HouseFolder) -> Path:
    """The file of a house."""
    return folder.run / "up.json"


def read_running(folder: HouseFolder) -> RunningHouse | None:
    """What runs on this folder; None where nothing does, a file that a killed one left behind or not."""
    try:
        found: dict[str, Any] = json.loads(document(folder).read_text())
        parts = {name: HousePart(**part) for name, part in found.pop("parts").items()}
        house = RunningHouse(**found, parts=parts)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    from deploy.embedded.processes import Identity  # loads psutil: only once there is a file

    return house if Identity(house.pid, house.started).alive else None


def houses() -> Iterator[HouseFolder]:
    """Where a house of this user may run: the default folder's, then the demo's."""
    folder = default_folder()
    yield HouseFolder(folder)
    yield HouseFolder(folder / "demo")


def running_folder(named: Path | None) -> HouseFolder:
    """The named folder; else the one of this user in which something runs, and the default one where nothing does."""
    if named:
        return HouseFolder.at(named)
    return next((folder for folder in houses() if read_running(folder)), HouseFolder.at(None))


def borrow_environment() -> None:
    """Give this process the variables of the house that runs here, where it has none of its own."""
    if any(name in os.environ for name in NAMES):
        return
    for folder in houses():
        if document(folder).exists() and (house := read_running(folder)):
            for name, value in house.environment.items():
                os.environ.setdefault(name, value)
            return
