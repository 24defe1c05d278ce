"""What the brokers are told: their settings, as `server.properties` has them, and how they log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from deploy.embedded.ports import HOST
from deploy.embedded.state import Credentials
from deploy.embedded.tls_listener import NETWORK_THREADS, TlsListener

KEYSTORE = "keystore.pem"
MECHANISM = "SCRAM-SHA-512"
PROTOCOL = "SASL_PLAINTEXT"

LOGGING = """\
<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <RollingFile name="file" fileName="{file}" filePattern="{file}.%i">
      <PatternLayout pattern="%d{{yyyy-MM-dd HH:mm:ss,SSS}} %p %c{{1}} %m%n"/>
      <Policies><SizeBasedTriggeringPolicy size="10 MB"/></Policies>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Root level="INFO"><AppenderRef ref="file"/></Root>
  </Loggers>
</Configuration>
"""


def broker_settings(
    index: int, ports: Sequence[tuple[int, int]], credentials: Credentials, folder: str, tls: TlsListener | None = None
) -> dict[str, object]:
    """What `server.properties` says for one broker; `folder` is its own, relative to the one that it runs in."""
    brokers = len(ports)
    client, controller = ports[index]
    replicas = min(3, brokers)
    quorate = max(1, replicas - 1)
    who, known = credentials.username, credentials
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": index,
        "controller.quorum.voters": ",".join(f"{i}@{HOST}:{port}" for i, (_, port) in enumerate(ports)),
        "listeners": f"CLIENT://{HOST}:{client},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"CLIENT://{HOST}:{client}",
        "listener.security.protocol.map": f"CLIENT:{PROTOCOL},CONTROLLER:{PROTOCOL}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.client.sasl.enabled.mechanisms": MECHANISM,
        f"listener.name.client.{MECHANISM.lower()}.sasl.jaas.config": (
            f'{scram} username="{who}" password="{known.kafka_password}";'
        ),
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": (
            f'{plain} username="{who}" password="{known.controller_password}" user_{who}="{known.controller_password}";'
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{who}",
        # Relative to the folder the broker runs in: a comma in a path would make it two.
        "log.dirs": f"{folder}/data",
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": quorate,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 5,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": quorate,
        "transaction.state.log.num.partitions": 5,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": quorate,
        "share.coordinator.state.topic.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        # A test may want to see a killed consumer missed sooner than Kafka's 6 s allow.
        "group.min.session.timeout.ms": 1000,
        # So long a killed broker is missed before others take over, and before its own restart is let in. Less
        # would punish a busy laptop; a single broker has nobody to wait for but its own past, and sends its heartbeats
        # to itself.
        "broker.session.timeout.ms": 3000 if brokers == 1 else 6000,
        "broker.heartbeat.interval.ms": 1500 if brokers == 1 else 1000,
        # A record twice a second by which followers of the controller see that it lives; alone it has none.
        "metadata.max.idle.interval.ms": 0 if brokers == 1 else 500,
        # Each of these is a thread, or memory that the broker takes at its start; the defaults suit a server.
        "num.network.threads": NETWORK_THREADS,
        "listener.name.controller.num.network.threads": 1,
        "num.io.threads": 2,
        "group.coordinator.threads": 1,
        "background.threads": 2,
        "log.cleaner.dedupe.buffer.size": 4_194_304,
        "log.index.size.max.bytes": 1_048_576,
        "socket.send.buffer.bytes": -1,
        "socket.receive.buffer.bytes": -1,
    }
    return _with_tls(settings, tls, index, folder) if tls else settings


def _with_tls(settings: Mapping[str, object], tls: TlsListener, index: int, folder: str) -> dict[str, object]:
    """The settings with a second listener, for clients elsewhere."""
    return {
        **settings,
        "listeners": f"{settings['listeners']},TLS://{tls.listen.of_broker(index)}",
        "advertised.listeners": f"{settings['advertised.listeners']},TLS://{tls.advertised.of_broker(index)}",
        "listener.security.protocol.map": f"{settings['listener.security.protocol.map']},TLS:SASL_SSL",
        "listener.name.tls.sasl.enabled.mechanisms": MECHANISM,
        f"listener.name.tls.{MECHANISM.lower()}.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "listener.name.tls.ssl.keystore.type": "PEM",
        "listener.name.tls.ssl.keystore.location": keystore_place(folder),
        # A renewed certificate may say more or less than the old one; we look whether it is for our address.
        "listener.name.tls.ssl.allow.dn.changes": "true",
        "listener.name.tls.ssl.allow.san.changes": "true",
    }


def keystore_place(folder: str) -> str:
    """Where a broker finds its certificate and key, relative to the folder that it runs in."""
    return f"{folder}/{KEYSTORE}"


def log_settings(log: str) -> str:
    """What log4j is told: everything into one file that is cut before it grows."""
    return LOGGING.format(file=_xml(log))


def _xml(text: str) -> str:
    # "$" begins a lookup in log4j, so it is doubled.
    return escape(text.replace("$", "$$"), {'"': "&quot;"})
