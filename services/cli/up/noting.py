"""A stack that isn't `up`'s, the demo's or a developer's, written down so that the commands find it too."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from deploy.embedded.processes import Identity
from deploy.embedded.state import write_private
from services.cli import VERSION
from services.cli.access.passwords import kept_passwords
from services.cli.fleet import SERVICES
from services.cli.running_stack import RunningStack
from services.cli.up.running import InstancePart, RunningInstance, document
from services.cli.up.state_folder import InstanceFolder


@contextmanager
def found_by_commands(folder: InstanceFolder, stack: RunningStack, more: Mapping[str, str]) -> Iterator[None]:
    """As long as the block runs, the commands find the stack in this folder; `more` are variables beside the usual."""
    folder.run.mkdir(exist_ok=True, mode=0o700)
    me = Identity.of(os.getpid()) or Identity(os.getpid(), "")
    urls = {f"{name.upper()}_URL": stack.url(name) for name in ("registry", "scheduler", "notifier")}
    admin_urls = {f"{name.upper()}_ADMIN_URL": stack.admin_url(name) for name in SERVICES}
    parts = {name: InstancePart(pid) for name, pid in (stack.parts.processes() if stack.parts else {}).items()}
    services = {name: InstancePart(pid, stack.url(name)) for name, pid in stack.fleet.pids().items() if name != "inbox"}
    kept = kept_passwords(kafka=bool(stack.parts), database=bool(stack.parts))
    instance = RunningInstance(
        pid=me.pid,
        started=me.started,
        since=datetime.now(UTC).isoformat(),
        version=VERSION,
        ready=True,
        public_url=stack.url("portal"),
        parts={**services, **parts},
        environment={**stack.environment, **stack.fleet.opening(), **urls, **admin_urls, **kept, **more},
    )
    write_private(document(folder), instance.written())
    try:
        yield
    finally:
        document(folder).unlink(missing_ok=True)
