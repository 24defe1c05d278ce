"""The broker of docker-compose.yml, run without Docker: by its own settings, but for places and addresses.

With those of docker-compose.tls.yml beside them, so that it listens for clients on other machines, too.
"""

import asyncio
import os
import re
import secrets
import signal
import ssl
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from aiokafka.errors import KafkaConnectionError

from deploy.embedded import jars
from deploy.embedded.java import java
from deploy.embedded.kafka import MEMORY
from deploy.embedded.ports import HOST, free_ports
from deploy.embedded.state import new_id
from services.cli.access.admin import can_log_in
from services.cli.fleet import SERVICES
from services.cli.running_stack import kafka_settings
from services.plumbing.kafka.settings import KafkaSettings
from tests.access.asking import Asker
from tests.deploy.pages import commands
from tests.deploy.settings_read import PROJECT
from tests.journeys.operating import run_pledgewire


def services(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / file).read_text(encoding="utf-8"))["services"]
    return found


ALL = services("docker-compose.yml")
# As Compose does it with the second file.
ALL["kafka"]["environment"] |= services("docker-compose.tls.yml")["kafka"]["environment"]
KEYSTORE_SETTING = "listener.name.tls.ssl.keystore.location"
OWN_CERTIFICATE = "own"
"""The folder for what the job `certificates` makes."""
ADVERTISED = "localhost"
NO_SETTINGS = {"KAFKA_HEAP_OPTS"}
"""Of the image's variables, those that its start script takes."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class ComposedBroker:
    """What runs, and what .env would say."""

    ports: Mapping[str, int]
    secrets: Mapping[str, str]
    folder: Path
    pid: int = 0

    @property
    def keystore(self) -> Path:
        """What the container finds in /etc/kafka/tls."""
        return self.folder / "keystore.pem"

    @property
    def cafile(self) -> Path:
        """Whom clients trust."""
        return self.folder / "authority.pem"

    def environment(self, name: str) -> dict[str, str]:
        """A container's environment, as Compose fills it in, but for PostgreSQL: there is none here."""
        found = {key: self.filled_in(str(value)) for key, value in ALL[name]["environment"].items()}
        return {key: value for key, value in found.items() if not key.startswith("DATABASE_")}

    def filled_in(self, text: str) -> str:
        for port, here in self.ports.items():
            text = re.sub(rf"(kafka|127\.0\.0\.1)?:{port}\b", f"{HOST}:{here}", text)
        for place in ("/etc/kafka/key", "/var/lib/pledgewire/authority"):
            text = text.replace(place, str(self.folder / OWN_CERTIFICATE))
        return re.sub(r"\$\{([A-Z_]+)[^}]*\}", lambda match: self.secrets.get(match[1], ""), text)

    def properties(self, data: Path) -> dict[str, str]:
        """What the image makes of the variables: a line for each that begins with KAFKA_."""
        named = {
            name.removeprefix("KAFKA_").lower().replace("_", ".").replace("...", "-").replace("..", "_"): value
            for name, value in self.environment("kafka").items()
            if name.startswith("KAFKA_") and name not in NO_SETTINGS
        }
        return named | {"log.dirs": str(data), KEYSTORE_SETTING: str(self.keystore)}

    def settings(self, name: str) -> KafkaSettings:
        return kafka_settings(self.environment(name))


def program(folder: Path, *words: str) -> list[str]:
    return [str(java()), *MEMORY, "-cp", f"{jars.fetch(lambda line: None)}/*", *words]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedBroker]:
    folder = tmp_path_factory.mktemp("composed")
    with free_ports([0] * 5) as ports:
        names = [f"KAFKA_PASSWORD_{name.upper()}" for name in ("admin", *SERVICES)]
        composed = ComposedBroker(
            dict(zip(("9092", "9093", "9094", "9095", "9096"), ports, strict=True)),
            {name: secrets.token_hex(32) for name in names} | {"KAFKA_TLS_ADVERTISED": f"{ADVERTISED}:{ports[3]}"},
            folder,
        )
    authority = trustme.CA()
    authority.cert_pem.write_to_path(composed.cafile)
    write_keystore(composed, authority)
    make_certificate(composed)
    file = folder / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in composed.properties(folder / "data").items()))
    formatted = subprocess.run(
        program(folder, "kafka.tools.StorageTool", "format", f"--cluster-id={new_id()}", "-c", str(file)),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    with (folder / "out").open("wb") as out:
        running = subprocess.Popen(program(folder, "kafka.Kafka", str(file)), stdout=out, stderr=out, cwd=folder)
    try:
        asyncio.run(answers(composed, running, folder))
        yield replace(composed, pid=running.pid)
    finally:
        running.terminate()
        try:
            running.wait(15)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def write_keystore(broker: ComposedBroker, authority: trustme.CA) -> None:
    """As an operator does it: by the command, from files that an authority has given."""
    certificate, key = broker.folder / "certificate.pem", broker.folder / "key.pem"
    leaf = authority.issue_cert(ADVERTISED)
    certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(key)
    words = ("embedded", "keystore", str(certificate), str(key), ADVERTISED, str(broker.keystore))
    done = run_pledgewire({}, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stat.S_IMODE(broker.keystore.stat().st_mode) == 0o600


def make_certificate(broker: ComposedBroker) -> None:
    """As the job does it, for the address at which the broker is here."""
    own = broker.folder / OWN_CERTIFICATE
    own.mkdir()
    module, *words = ALL["certificates"]["command"]
    assert module == "services.cli.main" and words[2] == "kafka"
    done = run_pledgewire({}, *words[:2], HOST, str(own), str(own))
    assert done.returncode == 0, done.stdout + done.stderr
    assert stat.S_IMODE((own / "keystore.pem").stat().st_mode) == 0o640


async def answers(broker: ComposedBroker, running: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Wait until it is ready for the job."""
    async with asyncio.timeout(60):
        while True:
            assert running.poll() is None, (folder / "out").read_text()[-3000:]
            asker = Asker(broker.settings("init"))
            try:
                await asker.__aenter__()
            except KafkaConnectionError:
                await asyncio.sleep(0.2)
            else:
                return
            finally:
                await asker.__aexit__(None, None, None)


async def test_the_job_lets_each_service_in_by_its_own_name(broker: ComposedBroker) -> None:
    """
    The steps of `init` that concern Kafka end well; then each service may do what is its own, and nobody else's.
    """
    for words in (["topics", "apply"], ["access", "apply"], ["access", "plan", "--check"]):
        done = await asyncio.to_thread(run_pledgewire, broker.environment("init"), *words)
        assert done.returncode == 0, done.stdout + done.stderr

    for name in SERVICES:
        async with Asker(broker.settings(name)) as service:
            assert await service.writes("commitment-created") is (name == "registry")
            assert await service.reads("status-changed")
            assert not await service.deletes("status-changed")


async def test_nobody_else_comes_in(broker: ComposedBroker) -> None:
    """
    The super user is unknown at the clients' door, by either mechanism; nobody comes in by a guess, or without a name.
    """
    admin, clients = broker.settings("init"), broker.settings("registry")
    by_plain = admin.model_copy(update={"bootstrap_servers": clients.bootstrap_servers})
    without = clients.model_copy(update={"security_protocol": "SSL"})
    in_the_clear = clients.model_copy(update={"security_protocol": "SASL_PLAINTEXT"})

    assert not await can_log_in(clients, "pledgewire", admin.sasl_password.get_secret_value())
    assert not await can_log_in(clients, "registry", "a-guess")
    for settings in (by_plain, without, in_the_clear):
        asker = Asker(settings)
        with pytest.raises(KafkaConnectionError):
            await asker.__aenter__()
        await asker.__aexit__(None, None, None)


def test_the_health_check_tells_a_frozen_broker_from_a_healthy_one_and_starts_no_java(broker: ComposedBroker) -> None:
    """
    Healthy in well under a second; not so while the broker is frozen, or where nobody listens.
    """
    program_, *words = [broker.filled_in(word).replace("$$", "$") for word in ALL["kafka"]["healthcheck"]["test"][1:]]
    place = f"/dev/tcp/{HOST}/{broker.ports['9096']}"
    words = [word.replace("/dev/tcp/127.0.0.1/9096", place) for word in words]
    assert program_ == "bash" and place in words[-1] and "java" not in words[-1] and ".sh" not in words[-1]

    def healthy(seconds: float = 5) -> bool:
        try:
            return subprocess.run([program_, *words], check=False, timeout=seconds, capture_output=True).returncode == 0
        except subprocess.TimeoutExpired:  # as Docker ends it
            return False

    assert healthy()
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        assert not healthy(2)
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert healthy()
    words[-1] = words[-1].replace(place, f"/dev/tcp/{HOST}/1")
    assert not healthy()


async def test_clients_elsewhere_come_in_over_tls_alone(broker: ComposedBroker) -> None:
    """
    By the advertised address, with the authority's certificate; without it, or in the clear, nobody comes in.
    """
    inside = broker.settings("registry")
    outside = inside.model_copy(
        update={
            "bootstrap_servers": broker.secrets["KAFKA_TLS_ADVERTISED"],
            "security_protocol": "SASL_SSL",
            "ssl_cafile": str(broker.cafile),
        }
    )
    await asyncio.to_thread(run_pledgewire, broker.environment("init"), "access", "apply")

    async with Asker(outside) as registry:
        assert await registry.reads("status-changed")
    for wrong in ({"ssl_cafile": None}, {"security_protocol": "SASL_PLAINTEXT"}, {"security_protocol": "SSL"}):
        asker = Asker(outside.model_copy(update=wrong))
        with pytest.raises(KafkaConnectionError):
            await asker.__aenter__()
        await asker.__aexit__(None, None, None)


async def test_a_renewed_certificate_is_shown_after_the_command_of_the_operators_page(broker: ComposedBroker) -> None:
    """
    Kafka's own tool sets the place of the keystore anew, by the super user's settings; the broker goes on.
    """
    config = broker.folder / "admin.properties"
    content = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))["configs"]["kafka-admin"]
    config.write_text(broker.filled_in(content["content"]), encoding="utf-8")
    authority = trustme.CA()
    write_keystore(broker, authority)
    (line,) = [one for one in commands("docker") if "/opt/kafka/bin/kafka-configs.sh" in one.words]
    words = line.words[line.words.index("/opt/kafka/bin/kafka-configs.sh") + 1 :]
    places = {"/etc/kafka/tls/keystore.pem": str(broker.keystore), "/etc/kafka/admin.properties": str(config)}
    for place, here in places.items():
        words = [word.replace(place, here) for word in words]

    done = await asyncio.to_thread(
        subprocess.run,
        program(broker.folder, "kafka.admin.ConfigCommand", *map(broker.filled_in, words)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    authority.cert_pem.write_to_path(broker.cafile)
    context = ssl.create_default_context(cafile=str(broker.cafile))
    host, _, port = broker.secrets["KAFKA_TLS_ADVERTISED"].partition(":")
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port), ssl=context)
            except ssl.SSLCertVerificationError:  # not yet: the broker is told of it a moment later
                continue
            writer.close()
            return
