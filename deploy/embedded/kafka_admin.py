"""An administrator's client at embedded brokers, by the account that the stack itself has there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from deploy.embedded.kafka_settings import MECHANISM, PROTOCOL
from deploy.embedded.state import Credentials


@asynccontextmanager
async def kafka_admin(servers: str, credentials: Credentials, *, timeout_ms: int) -> AsyncIterator[Any]:
    """One that is connected, until the block ends; each request may take so long. Raises what aiokafka raises."""
    # aiokafka takes 0.3 s to import, which passes while Java starts.
    from aiokafka.admin import AIOKafkaAdminClient

    client = AIOKafkaAdminClient(
        bootstrap_servers=servers,
        security_protocol=PROTOCOL,
        sasl_mechanism=MECHANISM,
        sasl_plain_username=credentials.username,
        sasl_plain_password=credentials.kafka_password,
        request_timeout_ms=timeout_ms,
    )
    try:
        await client.start()
        yield client
    finally:
        await client.close()
