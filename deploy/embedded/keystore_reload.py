"""Tells running brokers that their certificate has changed: they read it again when its setting is set anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka_admin import kafka_admin
from deploy.embedded.kafka_settings import keystore_place
from deploy.embedded.state import Credentials


@dataclass(frozen=True)
class KeystoreReload:
    """A word to the brokers at `servers`; `folders` are those of all that run, by the broker's number."""

    servers: str
    credentials: Credentials
    folders: Mapping[int, str]

    async def ask(self) -> None:
        """Return when all have read it; EmbeddedError where one would not."""
        from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
        from aiokafka.errors import KafkaError

        setting = "listener.name.tls.ssl.keystore.location"
        try:
            async with kafka_admin(self.servers, self.credentials, timeout_ms=15_000) as client:
                for index, folder in self.folders.items():
                    # The same place as before: the broker looks whether the file is another one.
                    resource = ConfigResource(
                        ConfigResourceType.BROKER, str(index), configs={setting: keystore_place(folder)}
                    )
                    for answer in await client.alter_configs([resource]):
                        for code, message, *_ in answer.resources:
                            if code:
                                raise _refused(f"{message} (Kafka's error {code})")
        except (KafkaError, OSError, TimeoutError) as error:
            raise _refused(repr(error)) from error


def _refused(reason: str) -> EmbeddedError:
    return EmbeddedError(f"Kafka did not take the new certificate: {reason}", "the old one is shown until a restart")
