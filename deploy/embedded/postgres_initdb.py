"""Makes the empty data folder of a new database server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.postgres_programs import call, no_postgres
from deploy.embedded.state import Credentials, write_private

PATIENCE = 60.0  # seconds until it counts as failed
LOCALE = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")


def initialise(
    data: Path,
    binaries: Path,
    socket: Path,
    credentials: Credentials,
    user: int | None,
    settings: Mapping[str, str],
    locale: Sequence[str] = LOCALE,
) -> None:
    """Run initdb in a half-way folder, so that an interrupted one never looks finished.

    As root it runs as `user`. `locale` is what this version's initdb is told. Raises EmbeddedError.
    """
    half = data.with_name(f"{data.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    password = socket / "password"
    write_private(password, credentials.postgres_password + "\n")
    if user is not None:
        os.chown(half, user, user)
        os.chown(password, user, user)
    command = [
        str(binaries / "bin" / "initdb"),
        f"--pgdata={half}",
        f"--username={credentials.username}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        *locale,
    ]
    try:
        done = call(command, user, timeout=PATIENCE)
    finally:
        password.unlink(missing_ok=True)
    if done.returncode != 0:
        said = [line for line in done.stderr.strip().splitlines() if "error" in line] or [done.stderr.strip()]
        if "No space left" in done.stderr:
            raise EmbeddedError(
                f"PostgreSQL can't make its data folder: the disk of {half.parent} is full",
                "free some space there, or choose another folder with PLEDGEWIRE_STATE",
            )
        raise no_postgres(said[0][:300])
    with (half / "postgresql.conf").open("a") as file:
        file.write("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
    half.replace(data)
