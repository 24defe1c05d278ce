"""What runs is found by the commands, what has ended is not, and who names another gets nothing of this one."""

import os
from pathlib import Path

import pytest

from deploy.embedded.processes import Identity
from deploy.embedded.state import write_private
from services.cli.up.running import NAMES, InstancePart, RunningInstance, borrow_environment, document, read_running
from services.cli.up.state_folder import InstanceFolder
from tests.journeys.operating import without_instance


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstanceFolder:
    """An instance's folder, the one that commands look into."""
    monkeypatch.setenv("PLEDGEWIRE_STATE", str(tmp_path))
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    made = InstanceFolder.at(None)
    made.make()
    return made


def note(folder: InstanceFolder, identity: Identity) -> RunningInstance:
    """Write down that an instance runs."""
    instance = RunningInstance(
        pid=identity.pid,
        started=identity.started,
        since="2026-11-29T12:00:00Z",
        version="0.2.0",
        ready=True,
        parts={"registry": InstancePart(pid=1, url="http://127.0.0.1:8401", restarts=2, last_exit=-9)},
        environment={"REGISTRY_URL": "http://127.0.0.1:8401", "PLEDGEWIRE_KEY": "of the instance"},
    )
    write_private(document(folder), instance.written())
    return instance


def ourselves() -> Identity:
    """This process."""
    found = Identity.of(os.getpid())
    assert found
    return found


def test_what_runs_is_read_back(folder: InstanceFolder) -> None:
    """
    The document of a running instance is read as it was written.
    """
    assert read_running(folder) is None
    written = note(folder, ourselves())

    assert read_running(folder) == written


def test_what_was_killed_does_not_run(folder: InstanceFolder) -> None:
    """
    A document that a killed process left behind says nothing, even if another process has its pid by now.
    """
    note(folder, Identity(os.getpid(), "an earlier start"))

    assert read_running(folder) is None
    document(folder).write_text("{")
    assert read_running(folder) is None


def test_commands_reach_the_instance_that_runs(folder: InstanceFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Its variables are borrowed; a key that is set stays.
    """
    monkeypatch.setenv("PLEDGEWIRE_KEY", "mine")
    note(folder, ourselves())
    with monkeypatch.context() as patched:
        patched.setattr(os, "environ", dict(os.environ))
        borrow_environment()
        assert os.environ["REGISTRY_URL"] == "http://127.0.0.1:8401"
        assert os.environ["PLEDGEWIRE_KEY"] == "mine"


@pytest.mark.parametrize("name", NAMES)
def test_who_names_another_instance_gets_nothing_of_this_one(
    folder: InstanceFolder, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    With one address set, none is borrowed: half of one instance and half of another would be neither.
    """
    note(folder, ourselves())
    with monkeypatch.context() as patched:
        patched.setattr(os, "environ", {**os.environ, name: ""})
        borrow_environment()
        assert "PLEDGEWIRE_KEY" not in os.environ


def test_of_a_login_at_another_kafka_nothing_is_left(folder: InstanceFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Which Kafka isn't said, so its name and its password would be shown to ours, which knows neither.
    """
    note(folder, ourselves())
    left = {"KAFKA_SASL_USERNAME": "somebody", "KAFKA_SSL_CAFILE": "/their/ca.pem", "KAFKA_SECURITY_PROTOCOL": "SSL"}
    mine = {"PLEDGEWIRE_KEY": "mine"}
    with monkeypatch.context() as patched:
        patched.setattr(os, "environ", without_instance() | left | mine)
        borrow_environment()
        assert left.keys().isdisjoint(os.environ)
        assert os.environ["REGISTRY_URL"] == "http://127.0.0.1:8401" and os.environ["PLEDGEWIRE_KEY"] == "mine"
