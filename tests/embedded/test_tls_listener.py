"""The listener that others reach: encrypted or not at all, by name and password, beside the one on the loopback."""

import asyncio
import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import free_ports
from deploy.embedded.stack import EmbeddedStack
from deploy.embedded.tls_listener import TlsListener
from services.cli.access.applying import apply_access, new_password
from services.cli.access.document import access_from
from services.cli.running_stack import kafka_settings
from services.plumbing.kafka.settings import KafkaSettings
from tests.access.asking import as_principal

pytestmark = pytest.mark.slow

NAME = "localhost"
MINISTRY = access_from("ministries: {mx-sre: {read: [status-changed], report: true}}", "the test's file")


@dataclass
class Listening:
    """What runs, and the files that its operator named."""

    stack: EmbeddedStack
    authority: trustme.CA
    tls: TlsListener
    cafile: Path

    def inside(self) -> KafkaSettings:
        """The super user, on the loopback listener."""
        return kafka_settings(self.stack.environment())

    def outside(self, protocol: str = "SASL_SSL", cafile: Path | None = None) -> KafkaSettings:
        """The super user's name and password, on the other one."""
        return self.inside().model_copy(
            update={
                "bootstrap_servers": self.stack.tls_servers,
                "security_protocol": protocol,
                "ssl_cafile": str(cafile or self.cafile),
            }
        )

    def write(self, leaf: trustme.LeafCert) -> None:
        self.tls.certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        self.tls.key.write_bytes(leaf.private_key_pem.bytes())

    async def shown(self) -> str:
        """The fingerprint of the certificate that somebody is shown who connects now."""
        context = ssl.create_default_context(cafile=str(self.cafile))
        address = self.tls.advertised
        _, writer = await asyncio.open_connection(address.host, address.port, ssl=context, limit=1)
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return hashlib.sha256(found).hexdigest()


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    folder = tmp_path_factory.mktemp("tls")
    with free_ports([0]) as (port,):
        tls = TlsListener.named(f"127.0.0.1:{port}", f"{NAME}:{port}", folder / "certificate.pem", folder / "key.pem")
    authority = trustme.CA()
    cafile = folder / "authority.pem"
    authority.cert_pem.write_to_path(cafile)
    stack = EmbeddedStack(folder / "state", tls=tls)
    made = Listening(stack, authority, tls, cafile)
    made.write(authority.issue_cert(NAME, key_type=trustme.KeyType.RSA))
    with stack:
        yield made


async def connect(settings: KafkaSettings) -> None:
    """Log in and leave again; raises what a client raises."""
    producer = AIOKafkaProducer(**settings.client_options())
    try:
        async with asyncio.timeout(30):
            await producer.start()
    finally:
        await producer.stop()


async def test_a_ministry_writes_and_reads_by_the_advertised_address(listening: Listening) -> None:
    """
    Whoever trusts the authority: its client is told the advertised address, and no other one, and goes there.
    """
    password = new_password()
    await apply_access(listening.inside(), MINISTRY, {"mx-sre": password})
    ministry = as_principal(listening.outside(), "mx-sre", password)
    producer = AIOKafkaProducer(**ministry.client_options(), acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer(
        "status-reported-mx-sre",
        **as_principal(listening.outside(), *super_user(listening)).client_options(),
        auto_offset_reset="earliest",
    )
    await producer.start()
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            await producer.send_and_wait("status-reported-mx-sre", b"{}", key=b"k")
            assert (await consumer.getone()).key == b"k"
        (told,) = producer.client.cluster.brokers()
    finally:
        await producer.stop()
        await consumer.stop()

    assert (told.host, told.port) == (NAME, listening.tls.advertised.port)


def super_user(listening: Listening) -> tuple[str, str]:
    inside = listening.inside()
    return inside.sasl_username, inside.sasl_password.get_secret_value()


async def test_who_does_not_know_the_authority_turns_away(listening: Listening, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)

    with pytest.raises(KafkaConnectionError):
        await connect(listening.outside(cafile=other))


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
async def test_nothing_is_said_in_the_clear(protocol: str, listening: Listening) -> None:
    with pytest.raises(KafkaConnectionError):
        await connect(listening.outside(protocol))


async def test_nobody_comes_in_without_a_name_or_by_a_guess(listening: Listening) -> None:
    with pytest.raises(KafkaConnectionError):
        await connect(listening.outside("SSL"))
    with pytest.raises((SaslAuthenticationFailed, KafkaConnectionError)):
        await connect(as_principal(listening.outside(), "mx-sre", "a-guess"))
    with pytest.raises(KafkaConnectionError):
        await connect(listening.outside().model_copy(update={"sasl_mechanism": "PLAIN"}))


async def test_a_renewed_certificate_is_shown_while_connections_go_on(listening: Listening) -> None:
    """
    Twice: the broker is not started anew, who is connected stays so, and who comes is shown the new one.
    """
    producer = AIOKafkaProducer(**listening.outside().client_options(), acks="all")
    await producer.start()
    pids, shown = listening.stack.processes(), [await listening.shown()]
    try:
        for kind in (trustme.KeyType.ECDSA, trustme.KeyType.RSA):
            listening.write(listening.authority.issue_cert(NAME, "kafka.example.org", key_type=kind))
            await asyncio.to_thread(listening.stack.renew_certificate)
            shown.append(await listening.shown())
            await producer.send_and_wait("status-reported-mx-sre", b"{}")
    finally:
        await producer.stop()

    assert len(set(shown)) == 3
    assert listening.stack.processes() == pids


async def test_a_certificate_that_is_no_good_changes_nothing(listening: Listening) -> None:
    before = await listening.shown()
    listening.write(listening.authority.issue_cert("elsewhere.example.org"))

    with pytest.raises(EmbeddedError, match="not for localhost"):
        await asyncio.to_thread(listening.stack.renew_certificate)
    assert await listening.shown() == before
    listening.stack.kill_broker()
    with pytest.raises(KafkaConnectionError):
        await connect(listening.outside())
    await asyncio.to_thread(listening.stack.start_broker)
    assert await listening.shown() == before
