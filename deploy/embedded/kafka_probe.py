"""Asks a cluster, as a real client does, whether all of its brokers are there and are ours."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka_admin import kafka_admin
from deploy.embedded.state import Credentials


@dataclass(frozen=True)
class KafkaProbe:
    """A question to the cluster at `servers`, which is to have so many brokers."""

    servers: str
    credentials: Credentials
    brokers: int

    async def ask(self) -> str | None:
        """None when all brokers answer as ours, else why to ask again; EmbeddedError when a stranger does."""
        # Until the broker knows our account it refuses us, which is no news.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        try:
            async with kafka_admin(self.servers, self.credentials, timeout_ms=5_000) as client:
                cluster = await client.describe_cluster()
        except Exception as error:
            return f"{type(error).__name__} {error}"
        if cluster["cluster_id"] != self.credentials.cluster_id:
            raise EmbeddedError(
                f"another Kafka cluster ({cluster['cluster_id']}) answers on {self.servers}",
                "stop that program, or start with --reset for other ports",
            )
        if len(cluster["brokers"]) < self.brokers:
            return f"{len(cluster['brokers'])} of {self.brokers} brokers are there"
        return None
