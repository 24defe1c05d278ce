"""`pledgewire stack`, as a developer uses it: start it, read stack.json, try something, move the clock, stop it."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psutil
import pytest

from deploy.embedded.processes import Identity
from services.cli.fleet import PROJECT, SERVICES
from services.cli.service_client import ASKED_WRONGLY, FAILED
from services.plumbing.clock import SharedClock

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

T = TypeVar("T")
COAL = "nals-2021-coal-finance"


def command(*arguments: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "services.cli.main", "stack", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def until(ask: Callable[[], T | None], process: "subprocess.Popen[str]", seconds: float = 120) -> T:
    """Ask again and again until there is something, as long as the command runs."""
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, f"not within {seconds} s"
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return found


def read(document: Path) -> dict[str, Any] | None:
    found: dict[str, Any] | None = json.loads(document.read_text()) if document.exists() else None
    return found


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def running(state: Path) -> "Iterator[subprocess.Popen[str]]":
    process = command(state, "--clock", "2021-12-23T18:00:00Z", "--import", "--env", "NOTIFIER_POOL=16")
    yield process
    process.kill()
    process.communicate()


def test_a_stack_stays_up_with_its_own_clock_until_it_is_told_to_stop(
    running: "subprocess.Popen[str]", state: Path
) -> None:
    stack = until(lambda: read(state / "stack.json"), running)

    assert set(stack) == {"urls", "admin_urls", "keys", "smtp_port", "pids", "parts", "env", "kafka_tls", "logs"}
    assert set(stack["urls"]) == set(stack["pids"]) == {*SERVICES, "inbox"}
    assert set(stack["admin_urls"]) == set(SERVICES)
    assert set(stack["keys"]) == {"editors", "tracker", "assessor", "other-subscriber", "mx-sre", "ca-gac"}
    assert stat.S_IMODE((state / "stack.json").stat().st_mode) == 0o600
    assert psutil.Process(stack["pids"]["notifier"]).environ()["NOTIFIER_POOL"] == "16"

    with httpx2.Client(timeout=30, trust_env=False) as http:
        wanted = {
            "subscriber": "Somebody who tries it",
            "channel": "email",
            "address": "somebody@ministry.example",
            "language": "en",
            "zone": "America/Toronto",
            "filters": {"commitments": [COAL], "events": ["milestone-due"]},
        }
        key = {"Authorization": f"Bearer {stack['keys']['editors']}"}
        made = http.post(f"{stack['urls']['notifier']}/subscriptions", json=wanted, headers=key)
        assert made.status_code == 201, made.text

        def mail() -> str | None:
            inbox = http.get(f"{stack['urls']['inbox']}/dev/inbox/messages", params={"kind": "email"}).json()
            return next((one["title"] for one in inbox["messages"]), None)

        assert mail() is None
        clock = SharedClock(state / "clock")
        clock.set(datetime(2021, 12, 24, 18, tzinfo=UTC))

        def mail_as_time_passes() -> str | None:
            """A day's reminders wait a quarter of an hour for one another, by this clock."""
            clock.set(clock.now() + timedelta(seconds=10))
            return mail()

        assert "In 7 days: " in until(mail_as_time_passes, running)

    second = command(state)
    told = second.communicate(timeout=60)[1].splitlines()
    assert second.returncode == 1
    assert told[0].startswith(f"error: {state} is in use by another run (process {running.pid})")
    assert (told[1][:6], len(told)) == ("help: ", 2)

    running.send_signal(signal.SIGTERM)
    output = running.communicate(timeout=60)

    assert (running.returncode, output[0]) == (0, "")
    assert "Ready after" in output[1] and output[1].splitlines()[-1] == "Stopping"
    assert [pid for pid in (*stack["pids"].values(), *stack["parts"].values()) if Identity.of(pid)] == []
    assert not (state / "stack.json").exists()


def test_ctrl_c_while_it_is_starting_leaves_nothing_running(state: Path) -> None:
    starting = command(state)
    mine = until(lambda: psutil.Process(starting.pid).children(recursive=True), starting)

    starting.send_signal(signal.SIGINT)
    starting.communicate(timeout=60)

    assert starting.returncode == 0
    assert [process for process in mine if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert not (state / "stack.json").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["--clock", "noon"], ASKED_WRONGLY, "error: the clock can't be set to 'noon'"),
        (["--clock", "2022-02-01T18:00:00"], ASKED_WRONGLY, "error: the clock can't be set to '2022-02-01T18:00:00'"),
        (["--env", "NOTIFIER_POOL"], ASKED_WRONGLY, "error: 'NOTIFIER_POOL' is no setting"),
        (["--env", "pool=1"], ASKED_WRONGLY, "error: 'pool=1' is no setting"),
        (["--brokers", "2"], ASKED_WRONGLY, "error: a cluster of 2 brokers is not offered"),
        (["--env", "NOTIFIER_POOL=none"], FAILED, "error: notifier ended while it was starting"),
    ],
)
def test_what_can_not_be_is_said_in_two_lines(state: Path, arguments: list[str], status: int, error: str) -> None:
    refused = command(state, *arguments)
    told = [line for line in refused.communicate(timeout=120)[1].splitlines() if line[:5] in ("error", "help:")]

    assert refused.returncode == status
    assert told[0].startswith(error)
    assert (told[1][:6], len(told)) == ("help: ", 2)
