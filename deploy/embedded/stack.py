"""The door: a Kafka and a PostgreSQL of one's own, started together and stopped together."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from deploy.embedded import jars
from deploy.embedded.kafka import Kafka
from deploy.embedded.kafka_settings import MECHANISM, PROTOCOL
from deploy.embedded.postgres import Postgres
from deploy.embedded.postgres_places import forget_outside
from deploy.embedded.processes import clean_up
from deploy.embedded.state import StateFolder
from deploy.embedded.tls_listener import TlsListener

Part = Literal["kafka", "postgres"]


class EmbeddedStack:
    """Brokers and a database that live as long as this process, with their data in the folder `state`.

    Everything here blocks; from a coroutine call it with `asyncio.to_thread`. Errors are EmbeddedError, made to be
    printed as two lines.
    """

    def __init__(
        self,
        state: Path,
        *,
        brokers: int = 1,
        progress: Callable[[str], None] | None = None,
        reset: bool = False,
        tls: TlsListener | None = None,
        parts: Collection[Part] = ("kafka", "postgres"),
        once_ours: Callable[[], None] | None = None,
    ) -> None:
        """Name the folder and the cluster's size (1 or 3); `reset` empties the folder first. Nothing is started.

        `tls` is where clients on other machines reach Kafka; without it, they don't. `parts` is what is started: who
        has a Kafka or a PostgreSQL elsewhere needs the other one alone. `once_ours` is called when the folder is ours
        and nothing has been started: what it raises ends the start.
        """
        if brokers not in (1, 3):
            raise ValueError("a cluster has 1 broker or 3")
        self._state = StateFolder(state)
        self._brokers = brokers
        self._progress = progress
        self._reset = reset
        self._tls = tls
        self._parts = parts
        self._once_ours = once_ours
        self._kafka: Kafka | None = None
        self._postgres: Postgres | None = None

    def __enter__(self) -> Self:
        """Start everything."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self.stop()

    def start(self) -> None:
        """Clean up after a killed run, fetch what is missing, start both, return when both answer."""
        self._state.open()
        # For an exit nobody planned; a killed process is the tether's business.
        atexit.register(self.stop)
        try:
            if left := clean_up(self._state.path):
                self._say(f"Stopped what an earlier run had left behind: {', '.join(left)}")
            if self._once_ours:
                self._once_ours()
            if self._reset:
                self.reset()
            known = self._state.credentials()
            if "postgres" in self._parts:
                self._postgres = Postgres(self._state, known)
            if "kafka" in self._parts:
                self._kafka = Kafka(self._state, jars.fetch(self._progress), self._brokers, known, self._tls)
            if started := [part for part in (self._kafka, self._postgres) if part]:
                self._say(f"Starting {' and '.join(type(part).__name__ for part in started)}")
                self._start_together(started)
        except BaseException:
            self.stop()
            raise

    def _start_together(self, parts: Sequence[Kafka | Postgres]) -> None:
        with ThreadPoolExecutor(2) as pool:
            started = [pool.submit(part.start) for part in parts]
            try:
                wait(started, return_when=FIRST_EXCEPTION)
                for one in started:
                    if one.done():
                        one.result()
            except BaseException:
                # Also for Ctrl-C: the one that is still waiting sees its part end, and gives up.
                for part in parts:
                    part.give_up()
                raise

    def stop(self) -> None:
        """Stop everything and let the folder go. Harmless when nothing runs."""
        atexit.unregister(self.stop)
        try:
            with ThreadPoolExecutor(2) as pool:
                parts = [pool.submit(part.stop) for part in (self._kafka, self._postgres) if part]
            for part in parts:
                part.result()
        finally:
            self._kafka = self._postgres = None
            self._state.close()

    def reset(self) -> None:
        """Empty the folder. Only before the parts run: `EmbeddedStack(..., reset=True)` does it in `start`."""
        if self._kafka or self._postgres:
            raise RuntimeError("stop the stack before emptying its folder")
        forget_outside(self._state.path)
        self._state.empty()

    @property
    def bootstrap_servers(self) -> str:
        """All brokers' addresses, "127.0.0.1:port,..."."""
        return self._running_kafka.bootstrap_servers

    @property
    def tls_servers(self) -> str:
        """All brokers' addresses for clients elsewhere, "kafka.example.org:9093,..."; empty without such a listener."""
        return self._running_kafka.tls_servers

    def renew_certificate(self) -> None:
        """Let the listener for clients elsewhere show the certificate that its file has now; connections stay."""
        self._running_kafka.renew_certificate()

    def environment(self) -> dict[str, str]:
        """The settings by which a service finds what runs here, as environment variables; they hold passwords."""
        known = self._state.credentials()
        database = {"DATABASE_URL": self._postgres.url} if self._postgres else {}
        if "kafka" not in self._parts:
            return database
        return database | {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA_SECURITY_PROTOCOL": PROTOCOL,
            "KAFKA_SASL_MECHANISM": MECHANISM,
            "KAFKA_SASL_USERNAME": known.username,
            "KAFKA_SASL_PASSWORD": known.kafka_password,
            "KAFKA_CLUSTER_ID": known.cluster_id,
        }

    def processes(self) -> dict[str, int]:
        """The pid of each part that runs: "kafka-0", ..., "postgres" (whose sessions are its children)."""
        kafka = self._kafka.pids if self._kafka else {}
        postgres = self._postgres.pids if self._postgres else {}
        return kafka | postgres

    # ---- for tests of failure

    def kill_broker(self, index: int = 0) -> None:
        """End one broker at once, as a crash would."""
        self._running_kafka.kill_broker(index)

    def start_broker(self, index: int = 0) -> None:
        """Start a killed broker again, on its old port, and wait until the cluster counts it in."""
        self._running_kafka.start_broker(index)

    def kill_postgres(self) -> None:
        """End the database server and its sessions at once, as a crash would."""
        self._running_postgres.kill()

    def start_postgres(self) -> None:
        """Start a killed database server again and wait until it answers. Its URL stays the same."""
        self._running_postgres.start()

    @property
    def _running_kafka(self) -> Kafka:
        if self._kafka is None:
            raise RuntimeError("the stack isn't started")
        return self._kafka

    @property
    def _running_postgres(self) -> Postgres:
        if self._postgres is None:
            raise RuntimeError("the stack isn't started")
        return self._postgres

    def _say(self, line: str) -> None:
        if self._progress:
            self._progress(line)
