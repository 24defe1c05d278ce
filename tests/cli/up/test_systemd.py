"""The unit that `pledgewire systemd` prints: few rights, and nothing in it that `up` can't do without."""

import configparser
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from services.cli.up.keeping import notify
from services.cli.up.settings import settings_of
from services.cli.up.state_folder import SYSTEM
from services.cli.up.systemd_unit import Program, unit

INSTALLED = Program(("/usr/local/bin/pledgewire",))
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")


def written(text: str = "", folder: Path = SYSTEM, program: Program = INSTALLED) -> str:
    """The unit for these settings."""
    return unit(program, settings_of(text), folder, "pledgewire", None)


@needs_systemd
@pytest.mark.parametrize("text", ["", "[tls]\nenabled = true\nfirst_port = 443"], ids=["plain", "ports below 1024"])
@pytest.mark.parametrize("program", [INSTALLED, Program(("/home/ana/.venv/bin/pledgewire",))], ids=["system", "home"])
def test_its_exposure_is_at_most_3(tmp_path: Path, text: str, program: Program) -> None:
    """
    `systemd-analyze security` counts 3 or less, of 10.
    """
    file = tmp_path / "pledgewire-under-test.service"
    file.write_text(written(text, program=program))
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    level = re.search(r"Overall exposure level for .*: ([0-9.]+)", said.stdout)

    assert level, said.stdout + said.stderr
    assert float(level[1]) <= 3


def test_it_starts_and_stops_as_up_does() -> None:
    """
    It waits until all is ready, asks the one process to stop, and keeps what the commands look for where they look.
    """
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read_string(written())
    service = read["Service"]

    assert service["ExecStart"] == "/usr/local/bin/pledgewire up"
    assert (service["Type"], service["KillMode"], service["Restart"]) == ("notify", "mixed", "on-failure")
    assert (service["User"], service["StateDirectory"]) == ("pledgewire", "pledgewire")
    assert "Environment=PLEDGEWIRE_STATE=/var/lib/pledgewire\n" in written()
    assert "Environment=TMPDIR=/run/pledgewire\n" in written(), "PostgreSQL's socket would be hidden from the commands"


def test_only_low_ports_take_a_capability() -> None:
    """
    A port below 1024 takes the one right to open it; nothing else has any.
    """
    low = "[tls]\nenabled = true\nfirst_port = 443"

    assert "CapabilityBoundingSet=\n" in written() and "PrivateUsers=yes" in written()
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in written(low) and "PrivateUsers=no" in written(low)


def test_words_are_quoted_as_systemd_reads_them() -> None:
    """
    A folder with spaces, a percent sign or a dollar is one word.
    """
    program = Program(("/opt/a b/100%/pledge$wire",))

    assert 'ExecStart="/opt/a b/100%%/pledge$$wire" up\n' in written(program=program)
    assert "ReadWritePaths=/srv/pledges\n" in written(folder=Path("/srv/pledges"))


def test_systemd_is_told_when_all_is_ready(tmp_path: Path) -> None:
    """
    A word goes to the socket that systemd names, and nowhere where it names none.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "notify")}.get)
        assert door.recv(100) == b"READY=1"
    notify("READY=1", {}.get)
