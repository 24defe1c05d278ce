"""What runs now, as `run/up.json` says it: where everything is, and how it is got into.

It holds passwords (mode 0600, in a folder of mode 0700) and goes when the instance stops. The commands read it, so that
`pledgewire verify` needs no variables on the machine where `pledgewire up` or `pledgewire demo` runs.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from services.cli.up.state_folder import InstanceFolder, default_folder

NAMES = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "REGISTRY_URL", "SCHEDULER_URL", "NOTIFIER_URL")
"""Variables that say where something is: who sets one of them means another instance, and gets nothing of this one."""

_LOGIN = ("KAFKA_SECURITY_", "KAFKA_SASL_", "KAFKA_SSL_")
"""How variables begin that say how a Kafka lets one in: one Kafka's are of no use at another."""


@dataclass(frozen=True)
class InstancePart:
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
class RunningInstance:
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
    tls_certificate: str = ""
    tls_key: str = ""
    """The files that readers are shown; empty where they come over plain HTTP."""
    parts: Mapping[str, InstancePart] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the commands need to reach it; passwords among it."""

    def written(self) -> str:
        """As the file has it."""
        return json.dumps(asdict(self), indent=1) + "\n"


def document(folder: InstanceFolder) -> Path:
    """The file of an instance."""
    return folder.run / "up.json"


def read_running(folder: InstanceFolder) -> RunningInstance | None:
    """What runs on this folder; None where nothing does, a file that a killed one left behind or not."""
    try:
        found: dict[str, Any] = json.loads(document(folder).read_text())
        parts = {name: InstancePart(**part) for name, part in found.pop("parts").items()}
        instance = RunningInstance(**found, parts=parts)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    from deploy.embedded.processes import Identity  # loads psutil: only once there is a file

    return instance if Identity(instance.pid, instance.started).alive else None


def instances() -> Iterator[InstanceFolder]:
    """Where an instance of this user may run: the default folder's, then the demo's."""
    folder = default_folder()
    yield InstanceFolder(folder)
    yield InstanceFolder(folder / "demo")


def running_folder(named: Path | None) -> InstanceFolder:
    """The named folder; else the one of this user in which something runs, and the default one where nothing does."""
    if named:
        return InstanceFolder.at(named)
    return next((folder for folder in instances() if read_running(folder)), InstanceFolder.at(None))


def borrow_environment() -> None:
    """Give this process the variables of the instance that runs here, where it has none of its own.

    Where it isn't said where a Kafka is, what says how it lets one in is of no use, and taken away.
    """
    if any(name in os.environ for name in NAMES):
        return
    for folder in instances():
        if document(folder).exists() and (instance := read_running(folder)):
            forget_logins()
            for name, value in instance.environment.items():
                os.environ.setdefault(name, value)
            return


def forget_logins() -> None:
    """Take away this process's variables that say how a Kafka lets one in: another's are to come."""
    for name in [name for name in os.environ if name.startswith(_LOGIN)]:
        del os.environ[name]
