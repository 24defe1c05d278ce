"""`pledgewire up`, as an operator uses it: the first start, a fault, commands beside it, the end, the second start."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx2
import pytest

from deploy.embedded.processes import Identity
from services.cli.fleet import PROJECT, SERVICES, free_port
from services.cli.up.running import RunningInstance, read_running
from services.cli.up.settings_text import settings_text
from services.cli.up.state_folder import InstanceFolder
from services.registry.catalogue.loading import load
from tests.journeys.operating import without_instance

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

T = TypeVar("T")
HOOK = "https://hooks.example.org/pledgewire"


@dataclass
class Operator:
    """Somebody at a terminal of the machine, with one state folder."""

    folder: InstanceFolder
    environment: dict[str, str] = field(default_factory=dict)
    started: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def up(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start it in a terminal."""
        process = subprocess.Popen(
            self._command("up", *arguments),
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command in a second terminal."""
        return subprocess.run(
            self._command(*arguments),
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def instance(self) -> RunningInstance | None:
        """What runs, once it is ready."""
        found = read_running(self.folder)
        return found if found and found.ready else None

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "services.cli.main", *arguments]

    def _environment(self) -> dict[str, str]:
        ours = {"PYTHONPATH": str(PROJECT), "PLEDGEWIRE_STATE": str(self.folder.path)}
        return without_instance() | ours | self.environment


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """With a pledgewire.toml that names free ports, since other tests run beside this one."""
    folder = InstanceFolder(tmp_path / "state")
    folder.make()
    ports = {"ports": {name: free_port() for name in SERVICES}}
    folder.settings.write_text(settings_text(ports))
    made = Operator(folder)
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def until(ask: Callable[[], T | None], process: "subprocess.Popen[str]", seconds: float = 180) -> T:
    """Ask again and again until there is something, as long as it runs."""
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, f"not within {seconds} s"
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    return found


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Ask it to end, and what it had to say."""
    process.send_signal(signal.SIGTERM)
    out, complaints = process.communicate(timeout=120)
    return process.returncode, out, complaints


async def rows(instance: RunningInstance, question: str) -> list[Any]:
    """What the database says."""
    connection = await asyncpg.connect(instance.environment["DATABASE_URL"])
    try:
        return list(await connection.fetch(question))
    finally:
        await connection.close()


async def test_an_operator_starts_it_loses_a_service_and_starts_it_again(operator: Operator) -> None:
    """
    The first start shows an address and a key, once; what dies is started again; commands need no variables; what was
    there is there after the next start.
    """
    first = operator.up()
    assert first.stdout
    shown: list[str] = []
    threading.Thread(target=lambda: shown.extend(first.stdout or ()), daemon=True).start()
    instance = until(operator.instance, first)
    assert {name for name, part in instance.parts.items() if part.pid} == {*SERVICES, "kafka-0", "postgres"}
    assert stat.S_IMODE((operator.folder.run / "up.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(operator.folder.secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in operator.folder.secrets.iterdir()} == {0o600}

    killed = instance.parts["notifier"].pid
    assert killed
    os.kill(killed, signal.SIGKILL)

    def revived() -> RunningInstance | None:
        found = operator.instance()
        return found if found and found.parts["notifier"].pid not in (None, killed) else None

    again = until(revived, first)
    assert (again.parts["notifier"].restarts, again.parts["notifier"].last_exit) == (1, -9)

    def well() -> dict[str, Any] | None:
        told = operator.run("status", "--json")
        return json.loads(told.stdout) if told.returncode == 0 else None

    assert until(well, first)["parts"]["notifier"]["state"] == "ready"
    checked = operator.run("verify")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "started" in operator.run("logs", "registry").stdout
    assert json.loads(operator.run("trial", "status", "--json").stdout)["is_on"]
    second = operator.run("up")
    assert second.returncode == 1 and "is in use by another run" in second.stderr

    (key,) = until(lambda: re.findall(r"export PLEDGEWIRE_KEY=(pw_\S+)", "".join(shown)), first)
    operator.environment["PLEDGEWIRE_KEY"] = key
    following = re.findall(r"^    \./pledgewire (.+)$", "".join(shown), re.MULTILINE)
    assert len(following) == 3
    for command in following:
        done = operator.run(*command.split())
        assert done.returncode == 0, done.stdout + done.stderr
    assert instance.public_url in "".join(shown) and str(operator.folder.path) in "".join(shown)
    assert "nobody gets messages, they are held until `./pledgewire go-live`" in "".join(shown)

    operator.environment["DATABASE_PASSWORD_SCHEDULER"] = "a-password-of-somebody-else"
    refused = operator.run("access", "apply")
    del operator.environment["DATABASE_PASSWORD_SCHEDULER"]
    assert refused.returncode == 2 and "itself" in refused.stderr

    assert operator.run("stop").returncode == 0
    assert first.wait(60) == 0
    assert first.stderr and "notifier ended by signal 9" in first.stderr.read()
    assert [pid for part in again.parts.values() if (pid := part.pid) and Identity.of(pid)] == []
    assert operator.run("status").returncode == 3

    for kept in (*operator.folder.secrets.glob("kafka-*"), *operator.folder.secrets.glob("database-*")):
        kept.unlink()  # how the page says that they get new passwords
    third = operator.up()
    instance = until(operator.instance, third)
    listed = operator.run("keys", "list")
    assert listed.returncode == 0 and "operator" in listed.stdout, listed.stderr
    assert "live;" in operator.run("go-live", "--yes").stdout
    status, out, _ = ended(third)
    assert status == 0 and "PLEDGEWIRE_KEY" not in out and "Pledgewire is up after" in out


def _exchange_the_key(operator: Operator) -> None:
    """The address and the signing secret of the one subscription are sealed from the first start, and then anew."""

    def sealed() -> dict[str, int]:
        told = json.loads(operator.run("secrets", "status", "--json").stdout)
        assert (told["in_the_clear"], told["unknown"]) == (0, [])
        return dict(told["sealed"])

    before = sealed()
    assert list(before.values()) == [2]
    made = operator.run("secrets", "new-key", str(operator.folder.secrets / "secrets-key"))
    assert made.returncode == 0, made.stderr
    assert "1 of 1 subscriptions were sealed anew" in operator.run("secrets", "rotate").stdout
    after = sealed()
    assert list(after.values()) == [2] and set(after).isdisjoint(before)


async def test_what_lies_in_the_past_tells_and_escalates_nothing(operator: Operator) -> None:
    """
    The statement of 2021 is taken in with its chronicle: all of it is there, and nothing of it waits to be told, though
    somebody subscribes to everything before it comes.
    """
    process = operator.up()
    instance = until(operator.instance, process)
    made = operator.run("keys", "add", "ana", "--database", "--role", "subscriber", "--role", "operator", "--json")
    key = json.loads(made.stdout)["key"]
    events = ["commitment-created", "milestone-scheduled", "milestone-due", "status-changed", "consistency-flagged"]
    wanted = {
        "subscriber": "Somebody who wants everything",
        "channel": "webhook",
        "address": HOOK,
        "language": "en",
        "zone": "America/Toronto",
        "filters": {"events": events},
    }

    def subscribed() -> bool:
        answer = httpx2.post(
            f"{instance.parts['notifier'].url}/subscriptions",
            json=wanted,
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
        )
        return answer.status_code == 201

    until(subscribed, process)
    _exchange_the_key(operator)
    held = json.loads(operator.run("person", "export", "--address", HOOK).stdout)
    assert [one["address"] for one in held["subscriptions"]] == [HOOK]
    assert ended(process)[0] == 0
    process = operator.up("--statement", "nals-2021")
    instance = until(operator.instance, process)

    def taken_in() -> bool:
        found = httpx2.get(f"{instance.parts['registry'].url}/commitments", params={"limit": 200}, trust_env=False)
        return {one["id"] for one in found.json()["items"]} == {one.id for one in load().commitments}

    until(taken_in, process)

    async def heard() -> bool:
        question = (
            "select (select count(*) from registry.outbox where topic = any('{commitment-created,milestone-scheduled,"
            "status-changed,consistency-flagged}')) as said, (select count(*) from notifier.event) as told"
        )
        ((said, told),) = await rows(instance, question)
        return bool(0 < said == told)

    end = time.monotonic() + 120
    while not await heard():
        assert time.monotonic() < end, "the notifier has not read all of it"
        time.sleep(0.2)  # noqa: ASYNC251  nothing else goes on here

    assert await rows(instance, "select id from notifier.delivery") == []
    assert await rows(instance, "select state from scheduler.reminder where state = 'pending' and due_at < now()") == []
    late = (
        "select e.milestone_id from scheduler.escalation e join scheduler.milestone_plan p using (milestone_id)"
        " where e.next_at is not null and (p.milestone #>> '{span,latest}')::date < current_date"
    )
    assert await rows(instance, late) == []
    assert await rows(instance, "select event_id from scheduler.outbox where topic <> 'audit-head-scheduler'") == []
    assert ended(process)[0] == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[smtp]\nhots = 'x'", "pledgewire.toml can't be"),
        ("[portal]\npublic_url = 'x'", "public_url"),
        ("[kafka]\nlisten = '0.0.0.0:9093'", "takes listen, advertised, certificate and key"),
        ("[portal]\ncolour = 'x'", "[portal] colour: there is no such setting"),
    ],
)
def test_what_can_not_be_is_told_before_anything_starts(operator: Operator, text: str, told: str) -> None:
    """
    A setting that makes no sense is told in two lines, with status 2, and leaves nothing running.
    """
    operator.folder.settings.write_text(text)
    refused = operator.run("up")

    assert refused.returncode == 2
    assert [line[:6] for line in refused.stderr.splitlines()] == ["error:", "help: "]
    assert told in refused.stderr


@pytest.mark.parametrize("section", ["ports", "tls"])
def test_a_port_that_is_taken_is_named(operator: Operator, section: str) -> None:
    """
    An address that moved with each start would be none: a taken port is an error, which says whose it is to be.
    """
    taken = free_port()
    ports = {name: taken if (name, section) == ("registry", "ports") else free_port() for name in SERVICES}
    tls = {"enabled": True, "listen": "127.0.0.1", "first_port": taken - 1}
    operator.folder.settings.write_text(settings_text({"ports": ports} | ({"tls": tls} if section == "tls" else {})))
    with socket.create_server(("127.0.0.1", taken)):
        refused = operator.run("up")

    assert refused.returncode == 1
    assert f"the port {taken} of the registry is taken" in refused.stderr
    assert f"[{section}]" in refused.stderr


def test_an_address_that_this_machine_has_not_is_named(operator: Operator) -> None:
    """
    Where nobody could listen, it says so before anything starts.
    """
    ports = {name: free_port() for name in SERVICES}
    tls = {"enabled": True, "listen": "192.0.2.1", "first_port": free_port()}
    operator.folder.settings.write_text(settings_text({"ports": ports, "tls": tls}))
    refused = operator.run("up")

    assert refused.returncode == 1
    assert "can't listen at 192.0.2.1" in refused.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[database]\nurl = 'postgresql://ana:secret@127.0.0.1:1/x'", "PostgreSQL does not let us in"),
        ("[kafka]\nbootstrap_servers = '127.0.0.1:1'\nsecurity_protocol = 'PLAINTEXT'", "Kafka at 127.0.0.1:1 did not"),
    ],
)
def test_what_is_the_operators_own_and_does_not_answer_is_named(operator: Operator, text: str, told: str) -> None:
    """
    A database or a broker that is named and isn't there ends it with two lines, without the password.
    """
    ports = "\n".join(["[ports]", *(f"{name} = {free_port()}" for name in SERVICES)])
    operator.folder.settings.write_text(f"{ports}\n{text}\n")
    refused = operator.run("up")

    assert refused.returncode == 1
    *_, error, helped = refused.stderr.splitlines()
    assert error.startswith("error: ") and told in error and helped.startswith("help: ")
    assert "Traceback" not in refused.stderr and "secret" not in refused.stderr


def test_a_certificate_that_is_not_there_is_named(operator: Operator) -> None:
    """
    What readers are shown is looked at before anything starts.
    """
    ports = "\n".join(["[ports]", *(f"{name} = {free_port()}" for name in SERVICES)])
    named = "[tls]\nenabled = true\ncertificate = '/nowhere/c.pem'\nkey = '/nowhere/k.pem'"
    operator.folder.settings.write_text(f"{ports}\n{named}\n")
    refused = operator.run("up")

    assert refused.returncode == 1
    assert [line[:6] for line in refused.stderr.splitlines()] == ["error:", "help: "]
    assert "could not read c.pem: there is no such file in /nowhere" in refused.stderr
