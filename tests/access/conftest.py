"""A broker with all topics, on which each module begins and ends with nobody but the super user."""

from collections.abc import AsyncIterator

import pytest

from services.cli.access.admin import AccessAdmin
from services.cli.topics import apply_topics
from services.plumbing.kafka.settings import KafkaSettings


async def emptied(kafka: KafkaSettings) -> None:
    """Nobody may do anything any more, but for the super user."""
    async with AccessAdmin(kafka) as admin:
        found = await admin.found()
        await admin.delete_acls(found.acls)
        await admin.delete_users(found.users - {kafka.sasl_username})
        await admin.set_quotas({name: dict.fromkeys(values) for name, values in found.quotas.items()})


@pytest.fixture(scope="module")
async def kafka(kafka_environment: dict[str, str]) -> AsyncIterator[KafkaSettings]:
    """How the super user reaches it."""
    settings = KafkaSettings()
    await emptied(settings)
    await apply_topics(settings)
    yield settings
    await emptied(settings)
