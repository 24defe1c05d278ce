"""`pledgewire access` as an operator types it, against a real broker."""

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from deploy.embedded.ports import HOST, free_ports
from services.cli.access.admin import can_log_in
from services.cli.access.document import SHIPPED, read_access
from services.cli.access.noting import note_access
from services.cli.main import main
from services.plumbing.kafka.settings import KafkaSettings
from tests.access.asking import Asker, as_principal
from tests.journeys.operating import run_pledgewire

SHIPPED_TEXT = SHIPPED.read_text(encoding="utf-8")
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    copied = tmp_path / "access.yaml"
    copied.write_text(SHIPPED_TEXT, encoding="utf-8")
    return copied


@pytest.fixture
def run(kafka: KafkaSettings, kafka_environment: dict[str, str], file: Path) -> Run:
    """Runs a command with this broker and a copy of the file that comes along."""
    environment = kafka_environment | {"ACCESS_FILE": str(file)}
    environment |= {f"KAFKA_PASSWORD_{name}": f"{name}-of-this-test-only" for name in ("REGISTRY", "PORTAL")}
    return lambda *words: run_pledgewire(environment, "access", *words)


@pytest.mark.slow
async def test_from_nothing_to_a_ministry_and_back(run: Run, kafka: KafkaSettings, file: Path) -> None:
    """
    Plan, apply, grant, log in and read, rotate, list, revoke; the file ends as it began.
    """

    async def ran(*words: str) -> CompletedProcess[str]:
        return await asyncio.to_thread(run, *words)

    assert (await ran("plan", "--check")).returncode == 1
    applied = await ran("apply")
    assert applied.returncode == 0, applied.stderr
    assert "registry: a password" in applied.stdout
    assert "scheduler: has no password: set KAFKA_PASSWORD_SCHEDULER and apply again" in applied.stdout
    assert await can_log_in(kafka, "registry", "REGISTRY-of-this-test-only")

    granted = await ran(
        "grant", "ministry", "br-mre", "--read", "status-changed,milestone-scheduled", "--report", "--json"
    )
    assert granted.returncode == 0, granted.stderr
    password = json.loads(granted.stdout)["password"]
    async with Asker(as_principal(kafka, "br-mre", password)) as ministry:
        assert await ministry.reads("status-changed")
        assert await ministry.writes("status-reported-br-mre")
        assert not await ministry.reads("milestone-due")
    assert read_access(file).ministries["br-mre"].read == ("status-changed", "milestone-scheduled")

    again = await ran("grant", "ministry", "br-mre", "--read", "all", "--request-percent", "80")
    assert "br-mre: no longer write topic status-reported-br-mre" in again.stdout
    assert "br-mre keeps its password" in again.stdout
    assert await can_log_in(kafka, "br-mre", password)

    rotated = json.loads((await ran("rotate", "br-mre", "--json")).stdout)["password"]
    assert not await can_log_in(kafka, "br-mre", password)
    assert await can_log_in(kafka, "br-mre", rotated)

    listed = json.loads((await ran("list", "--json")).stdout)["items"]
    assert {one["name"]: one["password"] for one in listed} == {
        "registry": True,
        "scheduler": False,
        "notifier": False,
        "portal": True,
        "br-mre": True,
    }
    assert {one["name"]: one["quota"] for one in listed}["br-mre"] == {"request_percentage": 80.0}

    revoked = await ran("revoke", "br-mre")
    assert (revoked.returncode, revoked.stdout) == (0, "revoked: br-mre\n")
    assert not await can_log_in(kafka, "br-mre", rotated)
    assert await asyncio.to_thread(file.read_text, encoding="utf-8") == SHIPPED_TEXT
    assert (await ran("revoke", "br-mre")).returncode == 3


WRONG = {
    "a topic that there is not": (["grant", "ministry", "mx-sre", "--read", "ladder-chosen"], 2),
    "nothing to grant": (["grant", "ministry", "mx-sre"], 2),
    "no code": (["grant", "ministry", "Mexico", "--report"], 2),
    "a service as a ministry": (["grant", "ministry", "portal", "--report"], 2),
    "rotating a service's password": (["rotate", "registry"], 2),
    "revoking a service": (["revoke", "registry"], 2),
    "rotating a stranger's password": (["rotate", "somebody"], 3),
    "a file that is not there": (["plan", "--file", "nowhere.yaml"], 2),
}


Typed = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def typed(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types a command where no broker is; its status and what it says of an error."""

    def run(*words: str, **settings: str) -> tuple[int, list[str]]:
        for name, value in {"ACCESS_FILE": str(file), "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", **settings}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["pledgewire", "access", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err.splitlines()

    return run


@pytest.mark.parametrize(("words", "status"), WRONG.values(), ids=WRONG)
def test_what_is_asked_wrongly_is_told_in_two_lines_and_changes_nothing(
    words: list[str], status: int, typed: Typed, file: Path
) -> None:
    ended, said = typed(*words)

    assert ended == status, said
    assert [line.partition(":")[0] for line in said] == ["error", "help"]
    assert file.read_text(encoding="utf-8") == SHIPPED_TEXT


def test_a_broker_that_is_not_there_is_told(typed: Typed) -> None:
    ended, (error, help_) = typed("plan")

    assert ended == 1
    assert error.startswith("error: Kafka at 127.0.0.1:1 did not do it")
    assert help_.startswith("help: ")


@pytest.mark.parametrize("where", ["kafka", "database"])
def test_passwords_that_an_instance_keeps_itself_are_refused(where: str, typed: Typed) -> None:
    """
    Its services would go on with theirs, and be let in no more: at the next connection, not at once.
    """
    given = {f"{where.upper()}_PASSWORD_SCHEDULER": "a-password-of-somebody-else"}
    ended, said = typed("apply", KEPT_PASSWORDS=where, DATABASE_URL="postgresql://a:secret@127.0.0.1:1/c", **given)

    assert (ended, len(said)) == (2, 2)
    assert "itself" in said[0] and f"{where.upper()}_PASSWORD_" in said[1]
    assert "somebody-else" not in str(said)


@pytest.mark.parametrize("password", ["short", "with-an-é-in-it-and-long", "with\ta-tab-and-long"])
def test_a_password_that_can_not_be_is_refused_without_being_repeated(password: str, typed: Typed) -> None:
    ended, said = typed("plan", KAFKA_PASSWORD_PORTAL=password)

    assert ended == 2
    assert "KAFKA_PASSWORD_PORTAL" in said[0]
    assert password not in str(said)


def test_a_file_that_can_not_be_written_keeps_everything_as_it_is(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A ministry that can't be taken out of the file is not taken off the broker either: `apply` would bring it back.
    """
    file = tmp_path / "read-only.yaml"
    file.write_text("ministries:\n  mx-sre:\n    report: true\n", encoding="utf-8")
    monkeypatch.setattr("os.access", lambda path, mode, **_: mode != os.W_OK)  # for root all can be

    ended, said = typed("revoke", "mx-sre", "--file", str(file))

    assert (ended, said[0]) == (1, f"error: {file} can't be written")


def test_a_database_that_is_not_there_is_said_and_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The change on Kafka is made already: the command ends, and says that the log does not have it.
    """
    with free_ports([0]) as (port,):
        pass
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody@{HOST}:{port}/nothing")
    told = StringIO()

    with redirect_stderr(told):
        note_access("revoked", "br-mre")

    assert told.getvalue().startswith("not in the audit log: the database did not answer: ")
