"""Apache Kafka in KRaft mode on the loopback interface, and on another one if told so: one broker, or three.

Every broker is a controller too. Clients and brokers speak SCRAM, controllers speak PLAIN (SCRAM's own records live
in the log that the controllers have yet to agree on). The voters are named in the settings rather than recorded in
the log, so that a port which someone else has taken can be changed between two runs.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from deploy.embedded.apart import apart
from deploy.embedded.certificates import keystore
from deploy.embedded.errors import EmbeddedError, file_error
from deploy.embedded.java import check_java, java, plain_environment
from deploy.embedded.kafka_features import FeatureUpgrade, levels
from deploy.embedded.kafka_format import format_brokers
from deploy.embedded.kafka_probe import KafkaProbe
from deploy.embedded.kafka_settings import KEYSTORE, broker_settings, log_settings
from deploy.embedded.keystore_reload import KeystoreReload
from deploy.embedded.log_files import last_words
from deploy.embedded.ports import HOST, free_ports
from deploy.embedded.processes import Child
from deploy.embedded.state import Credentials, StateFolder, write_private
from deploy.embedded.tls_listener import TlsListener

# Small and quick to start: 250 MiB of heap is plenty for a demo, and the second compiler would cost memory to gain
# speed that shows after minutes.
MEMORY = [
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    # A broker at rest does little, and would interpret it for minutes before it counts as worth compiling.
    "-XX:CompileThresholdScaling=0.1",
    "-XX:ReservedCodeCacheSize=48m",
    "-XX:+ExitOnOutOfMemoryError",
    # No file in the temporary folder for tools that watch Java programs.
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
]
READY = 60.0  # seconds until a start counts as failed
PATIENCE = 10.0  # seconds a broker gets to hand over its partitions


class Kafka:
    """The brokers of one state folder."""

    def __init__(
        self, state: StateFolder, jars: Path, brokers: int, credentials: Credentials, tls: TlsListener | None = None
    ) -> None:
        """Name the parts; `jars` is the folder that `jars.fetch` returned. Nothing is started yet."""
        self._state = state
        self._folder = state.path / "kafka"
        self._jars = jars
        self._brokers = brokers
        self._credentials = credentials
        self._tls = tls
        self._children: dict[int, Child] = {}
        self._ports: list[tuple[int, int]] = []
        self._giving_up = threading.Event()

    @property
    def bootstrap_servers(self) -> str:
        """All brokers' addresses, separated by commas."""
        return ",".join(f"{HOST}:{client}" for client, _ in self._ports)

    @property
    def tls_servers(self) -> str:
        """The addresses by which clients elsewhere reach the brokers; empty where there is no listener for them."""
        return ",".join(str(self._tls.advertised.of_broker(i)) for i in range(self._brokers)) if self._tls else ""

    @property
    def pids(self) -> dict[str, int]:
        """The brokers that run, by name."""
        return {f"kafka-{index}": child.pid for index, child in sorted(self._children.items()) if child.ended is None}

    def start(self) -> None:
        """Format what is new, start every broker and wait until the cluster answers as ours."""
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            self._check_size()
            if self._tls:
                self._tls.check_free(self._brokers)
            self._prepare()
        except OSError as error:
            raise file_error(error, "keep Kafka's data", self._folder) from error
        for attempt in (1, 2, 3):
            for index in range(self._brokers):
                self._launch(index)
            try:
                self._wait_ready()
            except _PortTaken as taken:
                # Someone took the port between our look and the broker's bind.
                self.stop()
                if attempt == 3:
                    raise EmbeddedError(
                        f"the port {taken} for Kafka was taken three times by another program",
                        "see what opens ports on this machine (ss -ltnp), then start again",
                    ) from taken
                self._choose_ports(keep=False)
                self._write_settings()
            else:
                self._upgrade_features()
                return

    def stop(self) -> None:
        """Stop the brokers, all at once. Of three the last wait in vain for a majority, so they get less patience."""
        for child in self._children.values():
            child.identity.signal(signal.SIGTERM)
        for child in self._children.values():
            child.stop(signal.SIGTERM, PATIENCE if self._brokers == 1 else 2.0)
        self._children.clear()

    def renew_certificate(self) -> None:
        """Show the certificate that its file has now to whoever connects from now on; open connections stay.

        Raises EmbeddedError, and shows the old one still, where the new one can't be shown.
        """
        self._write_keystores()
        folders = {index: self._broker(index).name for index in self._children}
        apart(KeystoreReload(self.bootstrap_servers, self._credentials, folders).ask)
        if self._tls:
            for index in self._children:
                self._tls.wait_until_shown(index, (self._broker(index) / KEYSTORE).read_text())

    def give_up(self) -> None:
        """Make a start that is under way on another thread end soon, with an error."""
        self._giving_up.set()

    def kill_broker(self, index: int) -> None:
        """End a broker at once, as a crash would."""
        self._children.pop(index).kill()

    def start_broker(self, index: int) -> None:
        """Start a broker that was killed, on its old port, and wait until the cluster counts it in."""
        if index in self._children and self._children[index].ended is None:
            return
        self._launch(index)
        self._wait_ready()

    # ---- what is written before a start

    def _check_size(self) -> None:
        made_with = self._state.read("kafka", self._unformatted)["brokers"]
        if made_with != self._brokers:
            raise EmbeddedError(
                f"{self._state.path} holds a cluster of {made_with}, not of {self._brokers}",
                f"start with --brokers {made_with}, or with --reset to empty it",
            )

    def _prepare(self) -> None:
        self._choose_ports(keep=True)
        self._write_settings()
        self._write_keystores()
        if not self._state.read("kafka", self._unformatted)["formatted"]:
            self._format()
            self._remember_release()

    def _upgrade_features(self) -> None:
        """Let a folder that an older Kafka has made have what the newer one can; asked once for each release."""
        if self._state.read("kafka", self._unformatted).get("release") != self._release:
            upgrade = FeatureUpgrade(self.bootstrap_servers, self._credentials, levels(self._java(0), self._release))
            apart(upgrade.ask)
            self._remember_release()

    def _remember_release(self) -> None:
        self._state.write("kafka", {"brokers": self._brokers, "formatted": True, "release": self._release})

    @property
    def _release(self) -> str:
        """Of the jars, as Kafka names its features' levels: 4.3 for kafka-4.3.1."""
        return ".".join(self._jars.name.partition("-")[2].split(".")[:2])

    def _unformatted(self) -> dict[str, object]:
        return {"brokers": self._brokers, "formatted": False}

    def _choose_ports(self, *, keep: bool) -> None:
        remembered = self._state.read("ports", lambda: {"kafka": []})["kafka"] if keep else []
        wanted = [port for pair in remembered for port in pair] or [0] * (2 * self._brokers)
        with free_ports(wanted) as ports:
            self._ports = list(zip(ports[::2], ports[1::2], strict=True))
        self._state.write("ports", {"kafka": self._ports})

    def _write_settings(self) -> None:
        for index in range(self._brokers):
            self._broker(index).mkdir(exist_ok=True, mode=0o700)
            settings = broker_settings(index, self._ports, self._credentials, self._broker(index).name, self._tls)
            text = "".join(f"{name}={value}\n" for name, value in settings.items())
            write_private(self._broker(index) / "server.properties", text)
            log = self._state.logs / f"kafka-{index}.log"
            (self._broker(index) / "log4j2.xml").write_text(log_settings(str(log)))

    def _format(self) -> None:
        format_brokers(self._java(0), [self._broker(index) for index in range(self._brokers)], self._credentials)

    def _write_keystores(self) -> None:
        if self._tls:
            text = keystore(self._tls.certificate, self._tls.key, self._tls.advertised.host, datetime.now(UTC))
            for index in range(self._brokers):
                write_private(self._broker(index) / KEYSTORE, text)

    # ---- running

    def _launch(self, index: int) -> None:
        try:
            self._children[index] = Child.start(
                [*self._java(index), "kafka.Kafka", str(self._broker(index) / "server.properties")],
                note=self._state.path / f"kafka-{index}.pid",
                output=self._state.logs / f"kafka-{index}.out",
                # Killed, not asked: three brokers that are asked at once would wait for one another's majority. The
                # data survives, for the pages written are the kernel's.
                at_death=signal.SIGKILL,
                # Fewer heaps of the C library: 20 MiB less.
                environment={**plain_environment(), "MALLOC_ARENA_MAX": "2"},
                folder=self._folder,
            )
        except OSError as error:
            raise file_error(error, "start Kafka", self._folder) from error

    def _java(self, index: int) -> list[str]:
        return [
            str(java()),
            *MEMORY,
            f"-Dlog4j2.configurationFile={self._broker(index) / 'log4j2.xml'}",
            "-cp",
            f"{self._jars}/*",
        ]

    def _wait_ready(self) -> None:
        end = time.monotonic() + READY
        for index in range(self._brokers):
            if index in self._children:
                self._wait_port(index, end)
        question = KafkaProbe(self.bootstrap_servers, self._credentials, brokers=len(self._children))
        while (reason := apart(question.ask)) is not None:
            self._check_alive()
            if time.monotonic() > end:
                raise self._failed(0, f"it didn't answer within {READY:.0f} s: {reason}")
            self._pause()

    def _wait_port(self, index: int, end: float) -> None:
        while True:
            self._check_alive()
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((HOST, self._ports[index][0])) == 0:
                    return
            if time.monotonic() > end:
                raise self._failed(index, f"it didn't open its port within {READY:.0f} s")
            self._pause()

    def _pause(self) -> None:
        if self._giving_up.wait(0.05):
            raise EmbeddedError("the start of Kafka was given up", "start again")

    def _check_alive(self) -> None:
        for index, child in self._children.items():
            if child.ended is not None:
                said = self._last_words(index)
                if "Address already in use" in said:
                    raise _PortTaken(self._ports[index][0])
                check_java()
                raise self._failed(index, f"it ended with status {child.ended}")

    def _failed(self, index: int, reason: str) -> EmbeddedError:
        log = self._state.logs / f"kafka-{index}.log"
        said = self._last_words(index)
        if "No space left on device" in said:
            return EmbeddedError(
                f"Kafka stopped because the disk of {self._folder} is full",
                "free some space there, or choose another folder with PLEDGEWIRE_STATE",
            )
        errors = [line for line in said.splitlines() if " ERROR " in line or " FATAL " in line]
        last = f" ({errors[-1].split(' ', 3)[-1][:200]})" if errors else ""
        return EmbeddedError(f"Kafka doesn't run: {reason}{last}", f"read {log}, then start again")

    def _last_words(self, index: int) -> str:
        return last_words(*(self._state.logs / f"kafka-{index}.{ending}" for ending in ("out", "log")))

    def _broker(self, index: int) -> Path:
        return self._folder / f"broker-{index}"


class _PortTaken(Exception):
    """Another program listens where the broker wanted to."""
