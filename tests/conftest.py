"""The real parts that tests share: one Kafka and one PostgreSQL for the whole run, started when first asked for."""

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import asyncpg
import hypothesis
import pytest

from deploy.embedded.stack import EmbeddedStack
from services.cli.databases import with_database
from services.plumbing.migrations import upgrade

# CI tries the same examples each time: a red run there is a change of ours. Everybody else's runs try new ones.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")

FreshDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Kafka or PostgreSQL by what it asks for, so that no list of folders has to be kept."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_parts)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """A Kafka and a PostgreSQL of this test run's own."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="session")
def database_url(stack: EmbeddedStack) -> str:
    """The server's first database; tests that write take `fresh_database`."""
    return stack.environment()["DATABASE_URL"]


@pytest.fixture(scope="session")
def kafka_environment(stack: EmbeddedStack) -> Iterator[dict[str, str]]:
    """How to reach Kafka; also set in this process, so that `KafkaSettings()` finds it."""
    environment = {k: v for k, v in stack.environment().items() if k.startswith("KAFKA_")}
    before = {k: os.environ.get(k) for k in environment}
    os.environ.update(environment)
    yield environment
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def fresh_database(database_url: str) -> FreshDatabase:
    """Makes an empty database and migrates the named schemas in it; its URL."""

    async def make(schema_versions: Mapping[str, Path]) -> str:
        name = f"test_{uuid4().hex[:12]}"
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(f'create database "{name}"')
        finally:
            await connection.close()
        url = with_database(database_url, name)
        for schema, versions in schema_versions.items():
            await upgrade(url, schema, versions)
        return url

    return make
