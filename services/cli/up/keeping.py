"""Keeps an instance up until told to stop: starts again what has ended, keeps logs short, shows new certificates."""

import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NoReturn

from deploy.embedded.errors import EmbeddedError
from services.cli.up.instance import Instance, Say
from services.cli.up.rotation import rotate
from services.cli.up.supervision import RestartPolicy
from services.plumbing.file_stamps import Stamp, stamps

LOOK_EVERY = 0.5
"""Seconds between two looks at the processes."""
CERTIFICATE_EVERY = 10.0
"""Seconds between two looks at the certificate that ministries are shown."""
TIDY_EVERY = 60.0
"""Seconds between two looks at the logs."""


def keep_up(instance: Instance, say: Say) -> NoReturn:
    """Look after an instance until a signal; whatever ends is started again, and that is said."""
    policy = RestartPolicy()
    for name in running(instance):
        policy.started(name, datetime.now(UTC))
    tidied = looked = time.monotonic()
    shown = _certificate(instance)
    while True:
        time.sleep(LOOK_EVERY)
        if _started_again(instance, policy, say):
            instance.note(ready=True)
        if time.monotonic() - looked > CERTIFICATE_EVERY:
            looked = time.monotonic()
            if (found := _certificate(instance)) != shown:
                shown = found
                _show_certificate(instance, say)
        if time.monotonic() - tidied > TIDY_EVERY:
            tidied = time.monotonic()
            for log in instance.folder.logs.glob("*.log"):
                rotate(log)


def _certificate(instance: Instance) -> list[Stamp]:
    """What tells whether the certificate of the listener for ministries was renewed; empty where there is none."""
    return stamps(instance.kafka_tls.certificate, instance.kafka_tls.key) if instance.kafka_tls else []


def _show_certificate(instance: Instance, say: Say) -> None:
    try:
        instance.parts.renew_certificate()
        say("Kafka shows the new certificate")
    except EmbeddedError as error:
        say(str(error))


def running(instance: Instance) -> dict[str, int]:
    """The pids of what runs, by name."""
    return instance.parts.processes() | instance.fleet.pids()


def _started_again(instance: Instance, policy: RestartPolicy, say: Say) -> bool:
    """Start what is due; whether anything has changed."""
    now = datetime.now(UTC)
    changed = False
    runs = running(instance)
    for name in [*instance.expected_parts, *instance.fleet.members]:
        if name not in runs and (pause := policy.ended(name, now)) is not None:
            changed = True
            say(f"{name} ended{_how(instance, name)}; it is started again in {pause.total_seconds():.0f} s")
    for name in policy.due(now):
        changed = True
        policy.started(name, now)
        try:
            _start(instance, name)
        except (EmbeddedError, OSError) as error:
            say(f"{name} could not be started: {error}")
    return changed


def _how(instance: Instance, name: str) -> str:
    member = instance.fleet.members.get(name)
    status = member.child.ended if member and member.child else None
    return "" if status is None else f" with status {status}" if status >= 0 else f" by signal {-status}"


def _start(instance: Instance, name: str) -> None:
    if name == "postgres":
        instance.parts.start_postgres()
    elif name.startswith("kafka-"):
        instance.parts.start_broker(int(name.removeprefix("kafka-")))
    else:
        instance.fleet.start_again(name)


def notify(state: str, environment: Callable[[str], str | None] = os.environ.get) -> None:
    """Tell systemd how it stands (`READY=1`, `STOPPING=1`), where it asked to be told: sd_notify(3)."""
    address = environment("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        # A leading @ names an abstract socket.
        door.sendto(state.encode(), f"\0{address[1:]}" if address[0] == "@" else address)
