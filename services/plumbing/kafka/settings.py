"""Where Kafka is and how to be let in."""

import ssl
from typing import Any

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.certificates import WatchedCertificate, of_file, of_servers
from services.plumbing.settings_faults import is_port


class KafkaSettings(BaseSettings):
    """Where Kafka is and how to be let in; the names are those of the Java client, in capitals."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_")

    bootstrap_servers: str = "127.0.0.1:9092"
    security_protocol: str = Field(default="PLAINTEXT", pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$")
    sasl_mechanism: str = Field(default="SCRAM-SHA-512", pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$")
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    session_timeout_ms: int = Field(default=10_000, ge=1_000, le=300_000)
    """So long a consumer that died keeps its partitions from the others of its group."""
    send_timeout: float = Field(default=30.0, gt=0)
    """Seconds after which a send counts as unknown: an idempotent producer itself would wait for ever."""

    @field_validator("bootstrap_servers")
    @classmethod
    def _has_ports_that_there_are(cls, value: str) -> str:
        for server in value.split(","):
            name, colon, port = server.strip().rpartition(":")
            if not server.strip() or (colon and (not name or not is_port(port)) and "::" not in server):
                raise ValueError("write host:port, separated by commas")
        return value

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS with verification, where the protocol asks for it."""
        if not self.security_protocol.endswith("SSL"):
            return None
        context = ssl.create_default_context(cafile=self.ssl_cafile)
        if self.ssl_certfile:
            context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        return context

    def certificates(self) -> tuple[WatchedCertificate, ...]:
        """Those of the brokers that are named, and our own; none without TLS."""
        if not self.security_protocol.endswith("SSL"):
            return ()
        brokers = WatchedCertificate("kafka", of_servers(self.bootstrap_servers))
        own = [WatchedCertificate("kafka-client", of_file(self.ssl_certfile))] if self.ssl_certfile else []
        return (brokers, *own)

    def client_options(self) -> dict[str, Any]:
        """Options of an aiokafka client."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "security_protocol": self.security_protocol,
            "ssl_context": self.ssl_context(),
        }
        if self.security_protocol.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password.get_secret_value(),
            }
        return options

    def faststream_security(self) -> Any:
        """The same for FastStream, which has classes for it."""
        if not self.security_protocol.startswith("SASL"):
            context = self.ssl_context()
            return BaseSecurity(ssl_context=context, use_ssl=context is not None)
        kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
        context = self.ssl_context()
        return kinds[self.sasl_mechanism](
            username=self.sasl_username,
            password=self.sasl_password.get_secret_value(),
            ssl_context=context,
            use_ssl=context is not None,
        )
