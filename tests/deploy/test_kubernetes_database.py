"""The database of the manifests, on a real PostgreSQL: made as the operator makes it, then as the migration does."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from services.cli.access.applying import new_password
from services.cli.access.role_planning import MIGRATOR, ROLES, SERVICE_ROLES
from services.cli.databases import with_user
from services.cli.kubernetes.scaling import due_query
from services.cli.kubernetes.workloads import MIGRATE
from tests.conftest import FreshDatabase
from tests.deploy.kubernetes_kinds import VALUES, named
from tests.journeys.operating import run_pledgewire

PASSWORDS = {role: new_password() for role in ROLES}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
async def url(fresh_database: FreshDatabase) -> str:
    """A database that its owner owns and that is empty, with the roles of the cluster's spec, none of them mighty."""
    made = await fresh_database({})
    spec = named("Cluster")[VALUES.database.cluster]["spec"]
    owner = spec["bootstrap"]["initdb"]["owner"]
    managed = [one["name"] for one in spec["managed"]["roles"] if one["login"]]
    assert (owner, managed) == (MIGRATOR, list(SERVICE_ROLES.values()))
    connection = await asyncpg.connect(made)
    try:
        for role in (owner, *managed):
            if not await connection.fetchval("select exists (select from pg_roles where rolname = $1)", role):
                await connection.execute(f"create role {role} login")
            await connection.execute(f"alter role {role} login password '{PASSWORDS[role]}'")
        await connection.execute(
            f'alter database "{await connection.fetchval("select current_database()")}" owner to {owner}'
        )
    finally:
        await connection.close()
    return made


def steps() -> Iterator[list[str]]:
    """The commands of the job, as it runs them one after the other."""
    for command in MIGRATE.split(" && "):
        program, words = command.split("services.cli.main ")
        assert program == "python -m "
        yield words.split()


async def test_the_migration_needs_nobody_mighty_and_each_service_then_has_its_rows(url: str) -> None:
    """
    The owner alone makes schemas, tables, rights and the registry's key; run again, it ends well; then each role reads
    its own schema, and no other's.
    """
    environment = {"DATABASE_URL": with_user(url, MIGRATOR, PASSWORDS[MIGRATOR]), "SCHEDULER_KEY": "k" * 40}
    for _ in range(2):
        for words in steps():
            done = await asyncio.to_thread(run_pledgewire, environment, *words)
            assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"

    for service, role in SERVICE_ROLES.items():
        connection = await asyncpg.connect(with_user(url, role, PASSWORDS[role]))
        try:
            assert await connection.fetchval(f"select count(*) from {service}.outbox") is not None
            for other in SERVICE_ROLES:
                if other != service:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await connection.fetchval(f"select count(*) from {other}.outbox")
            if service == "notifier":
                assert await connection.fetchval(due_query(VALUES)) == 0, "KEDA logs in as the notifier"
        finally:
            await connection.close()
