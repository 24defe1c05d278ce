"""The pages are followed on what they tell to start: on `up` with the real clock, on the demo, on a developer's stack.

Whoever does it sets no variable but the key that was shown; `up` and the demo find free ports where the usual ones are
taken by others, as tests need them.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from deploy.embedded.ports import free_ports
from services.cli.fleet import PROJECT, SERVICES
from services.cli.up.running import RunningInstance, read_running
from services.cli.up.settings_text import settings_text
from services.cli.up.state_folder import InstanceFolder
from services.plumbing.clock import SharedClock
from tests.deploy.pages import blocks
from tests.deploy.test_pages_live import follow, followed, subscription_made
from tests.deploy.test_pages_live import pytestmark as for_shells
from tests.journeys.operating import without_instance

pytestmark = [*for_shells, pytest.mark.timeout(900)]

T = TypeVar("T")
README, CONTRIBUTING = PROJECT / "README.md", PROJECT / "CONTRIBUTING.md"
MAIL = {"host": "127.0.0.1", "port": 9, "tls": "none", "sender": "Pledgewire <pledgewire@example.org>"}
"""A mail server at which nobody listens: the pages subscribe to mail, and a trial holds it."""
ONE_MACHINE = PROJECT / "docs" / "one-machine.md"


def environment(state: Path, **more: str) -> dict[str, str]:
    """This process's, without what names another instance."""
    ours = {"PYTHONPATH": str(PROJECT), "PYTHON": sys.executable, "PLEDGEWIRE_STATE": str(state)}
    return without_instance() | ours | more


@contextmanager
def running(
    folder: InstanceFolder, output: Path, variables: dict[str, str], *arguments: str
) -> Iterator[RunningInstance]:
    """A command that stays up, once the instance in the folder is ready."""
    with output.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "services.cli.main", *arguments],
            cwd=output.parent,
            env=variables,
            stdout=out,
            stderr=subprocess.STDOUT,
        )

        def ready() -> RunningInstance | None:
            assert process.poll() is None, output.read_text()
            instance = read_running(folder)
            return instance if instance and instance.ready else None

        try:
            yield until(ready)
        finally:
            process.send_signal(signal.SIGTERM)  # whoever starts us may have Ctrl-C ignored
            process.wait(120)


def until(ask: Callable[[], T | None], seconds: float = 240) -> T:
    """Ask again and again until there is something."""
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)
    return found


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Where the reader stands: what the pages write must not come into our checkout."""
    here = tmp_path / "here"
    (here / "contracts").mkdir(parents=True)
    (here / "contracts" / "examples").symlink_to(PROJECT / "contracts" / "examples")
    return here


def in_a_terminal(page: Path, *beginnings: str) -> list[str]:
    """The blocks of a page that begin so."""
    return [block.text for block in blocks("sh", page) if block.text.startswith(beginnings)]


def test_the_pages_work_on_up(tmp_path: Path, checkout: Path) -> None:
    """
    From an empty folder: `init`, `up`, then every command of the pages for readers, with the key that `up` showed.
    """
    folder = InstanceFolder(tmp_path / "state")
    variables = environment(folder.path)
    first, *others = [block for block in blocks("sh", ONE_MACHINE) if "eval" not in block.text]
    assert "init --yes" in first.text
    follow_text(first.text.splitlines()[0], checkout, variables)
    assert folder.settings.exists()
    with free_ports([0] * 4) as ports:
        free = dict(zip(SERVICES, ports, strict=True))
    folder.settings.write_text(settings_text({"ports": free, "notifier": {"allow_hosts": "127.0.0.1"}, "smtp": MAIL}))
    shown = tmp_path / "shown"
    # Without the statement's chronicle, which `journeys/test_up.py` takes in: the pages act on what is overdue today.
    with running(folder, shown, variables, "up") as instance:
        (key,) = until(lambda: re.findall(r"PLEDGEWIRE_KEY=(pw_\S+)", shown.read_text()))
        variables |= {"PLEDGEWIRE_KEY": key, "ACCESS_FILE": str(folder.access)}
        for text in in_a_terminal(README, "./pledgewire status"):
            follow_text(text, checkout, variables)
        for block in others:
            if "--force" not in block.text:
                follow_text(block.text, checkout, variables)
        (env,) = in_a_terminal(ONE_MACHINE, "eval")
        follow_text(env, checkout, variables)
        follow_pages(checkout, variables | {name: instance.environment[name] for name in instance.environment})
        follow_text("./pledgewire stop", checkout, variables)
    (mail,) = [block.text for block in others if "--force" in block.text]
    follow_text(mail, checkout, variables)
    assert "pledgewire.example.org" in folder.settings.read_text()


def test_the_pages_work_on_the_demo(tmp_path: Path, checkout: Path) -> None:
    """
    While the demo stays up, the same commands work on it with no variable at all.
    """
    folder = InstanceFolder(tmp_path / "state" / "demo")
    variables = environment(tmp_path / "state")
    shown = tmp_path / "shown"
    with running(folder, shown, variables, "demo", "--no-browser", "--to", "2022-02-01") as instance:
        until(lambda: "Everything stays up" in shown.read_text() or None)
        told = shown.read_text()
        assert all(instance.parts[name].url in told for name in SERVICES)
        assert instance.environment["PLEDGEWIRE_KEY"] in told
        for text in in_a_terminal(README, "./pledgewire status"):
            follow_text(text.replace("./pledgewire logs\n", ""), checkout, variables)
        follow_pages(checkout, variables | dict(instance.environment))


def test_the_pages_work_on_a_developers_stack(tmp_path: Path, checkout: Path) -> None:
    """
    The two blocks of CONTRIBUTING.md: a stack on a clock that stands, and another terminal that moves it.
    """
    (start,) = in_a_terminal(CONTRIBUTING, "./pledgewire stack")
    (other,) = in_a_terminal(CONTRIBUTING, "eval")
    (checkout / ".venv").symlink_to(sys.prefix)
    folder = InstanceFolder(tmp_path / "try")
    variables = environment(tmp_path / "none")
    with running(folder, tmp_path / "shown", variables, *start.replace("../try", str(folder.path)).split()[1:]):
        follow_text(other, checkout, variables)
    assert SharedClock(folder.path / "clock").now() == datetime(2022, 3, 1, 18, tzinfo=UTC)


def follow_pages(checkout: Path, variables: dict[str, str]) -> None:
    """Every block that the pages' own run follows, in its order; nobody listens at the receiver of webhooks."""
    variables = dict(variables)
    for block in followed():
        printed = follow(block, checkout, variables)
        if made := subscription_made(block, printed):
            variables["SUBSCRIPTION"] = made


def follow_text(text: str, folder: Path, variables: dict[str, str]) -> str:
    """One block, as somebody types it."""
    (like,) = [block for block in blocks("sh", README) if "./pledgewire demo" in block.text]
    return follow(type(like)(like.page, "sh", text), folder, variables)
