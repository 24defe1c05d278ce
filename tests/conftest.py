"""The real parts that tests share: one Kafka and one PostgreSQL for the whole run, started when first asked for.

Where workers share the tests, each has its own two; a file is one worker's, so that a module's fixtures are made once.
"""

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from deploy.embedded.stack import EmbeddedStack
from services.cli.databases import with_database
from services.plumbing.migrations import upgrade

# CI tries the same examples each time: a red run there is a change of ours. Everybody else's runs try new ones.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")

FreshDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]


_INSTANCES = ("tests/deploy/", "tests/embedded/", "tests/journeys/", "tests/soak/")
"""Folders whose tests start a Kafka, a PostgreSQL and mostly all services of their own."""


class InstancesInTurn(LoadScopeScheduling):
    """Hands out files to workers, in their order; what starts whole instances goes to one worker, one after the other.

    An instance has leases and Kafka sessions of two seconds. Two that start and stop beside each other on two cores
    hold each other up for longer, and then it is not the fault under test that is seen. Nor do two need the memory at
    once.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "instances" if nodeid.startswith(_INSTANCES) else nodeid.partition("::")[0]


def pytest_configure() -> None:
    """Let no command of a test find the instance that somebody keeps up on this machine."""
    os.environ["PLEDGEWIRE_STATE"] = f"/nonexistent/pledgewire-{uuid4()}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> InstancesInTurn:
    """How the tests are shared out among workers."""
    return InstancesInTurn(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs Kafka or PostgreSQL by what it asks for, so that no list of folders has to be kept."""
    if hasattr(config, "workerinput"):  # what takes longest begins first, so that no worker is left with it at the end
        items.sort(key=lambda item: not item.nodeid.startswith(_INSTANCES))
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
    """Makes a database with the newest revision of the named schemas, and nothing else in it; its URL.

    The first of a kind is migrated, and kept; all are copies of it, which are there in a sixth of the time.
    """
    migrated: dict[frozenset[tuple[str, Path]], str] = {}

    async def create(template: str | None = None) -> str:
        name = f"test_{uuid4().hex[:12]}"
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(f'create database "{name}"' + (f' template "{template}"' if template else ""))
        finally:
            await connection.close()
        return name

    async def make(schema_versions: Mapping[str, Path]) -> str:
        kind = frozenset(schema_versions.items())
        if kind not in migrated:
            first = await create()
            for schema, versions in schema_versions.items():
                await upgrade(with_database(database_url, first), schema, versions)
            migrated[kind] = first
        return with_database(database_url, await create(migrated[kind]))

    return make
