"""What has to be there before the services start: topics, schemas, rights and keys. Run again, it changes nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from aiokafka.errors import KafkaError

from deploy.embedded.errors import EmbeddedError
from services.cli.access.admin import AccessRefused
from services.cli.access.applying import apply_access, new_password
from services.cli.access.database_roles import apply_roles
from services.cli.access.document import SHIPPED, read_access
from services.cli.access.role_planning import ROLES
from services.cli.databases import upgrade_all
from services.cli.fleet import SERVICES
from services.cli.keys import ApiClient, issue_keys
from services.cli.ministries import enter_ministries
from services.cli.topics import TopicAdmin, apply_topics
from services.cli.up.settings import TrialSection
from services.cli.up.state_folder import InstanceFolder
from services.plumbing.audit.entries import Actor
from services.plumbing.clock import MACHINE_CLOCK
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_key_text import agreed_key
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.transient_errors import Unavailable

if TYPE_CHECKING:
    from services.notifier.delivery.trial import Trial

OPERATOR = ApiClient("operator", ("admin", "assessor", "auditor", "editor", "operator", "reporter", "subscriber"))
"""Who gets the key that the first start shows: it may do everything but hold dates, and give what it has to others."""
HOLDER = ApiClient("registry", ("holder",))
"""The registry at the scheduler."""
IMPORTER = ApiClient("pledgewire-up", ("editor",))
"""`up` itself, where it takes in a statement."""


@dataclass(frozen=True)
class Prepared:
    """What the services and the operator need to know."""

    holder_key: str
    importer_key: str
    kafka_passwords: Mapping[str, str]
    """With what each service logs in to Kafka; empty where all log in as the operator says."""
    role_passwords: Mapping[str, str]
    """With what each role logs in to PostgreSQL; empty likewise."""
    first_key: str | None
    """The operator's key, made now, and shown once; None when there is one already."""
    trial: "Trial | None" = None
    """The trial that is on."""


async def prepare(
    folder: InstanceFolder,
    kafka: KafkaSettings,
    database_url: str,
    *,
    manage_topics: bool,
    manage_access: bool,
    manage_database: bool,
    trial: TrialSection,
) -> Prepared:
    """Bring Kafka and PostgreSQL to what this release needs.

    Raises EmbeddedError where one of them can't be reached or does not let us, and what else they raise.
    """
    write_access_file(folder.access)
    await _reach(database_url)
    passwords = {name: folder.secret(f"kafka-{name}", new_password) for name in SERVICES} if manage_access else {}
    access_file = folder.access if manage_access else None
    await asyncio.gather(upgrade_all(database_url), _make_topics(kafka, passwords, access_file, manage_topics))
    roles = {role: folder.secret(f"database-{role}", new_password) for role in ROLES} if manage_database else {}
    if roles:
        try:
            await apply_roles(database_url, roles)
        except asyncpg.InsufficientPrivilegeError as error:
            raise EmbeddedError(
                f"PostgreSQL does not let its user make roles: {error}",
                "name a user who may (alter role … createrole), or set manage = false in [database] of pledgewire.toml",
            ) from error
    await enter_ministries(database_url)
    on_trial = await _trial(database_url, trial)
    agreed: dict[str, str] = {}
    for client in (HOLDER, IMPORTER):
        key = agreed_key(folder.secret(f"{client.name}-key"))
        agreed |= await issue_keys(database_url, [client], made=key)
    first = None
    if not await _has_key(database_url, OPERATOR.name):
        first = (await issue_keys(database_url, [OPERATOR]))[OPERATOR.name]
    return Prepared(agreed[HOLDER.name], agreed[IMPORTER.name], passwords, roles, first, on_trial)


async def _trial(database_url: str, settings: TrialSection) -> "Trial | None":
    """The trial that is on, begun now where nothing has ever been sent; None where everybody gets everything."""
    from services.notifier.delivery.trial import begin_trial, open_trial

    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": database_url}), "notifier")
    await database.open()
    try:
        async with database.transaction() as connection:
            if not settings.enabled:
                return await open_trial(connection)
            by, now = Actor("pledgewire-up"), MACHINE_CLOCK.now()
            return await begin_trial(connection, by, settings.allow, now, only_first=True)
    finally:
        await database.close()


def write_access_file(file: Path) -> None:
    """Copy the shipped file where there is none: from then on it is the operator's."""
    if not file.exists():
        file.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")


async def _reach(database_url: str) -> None:
    """Raise EmbeddedError where the database does not let us in; its address holds a password, and is not said."""
    try:
        connection = await asyncpg.connect(database_url, timeout=15)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise EmbeddedError(
            f"PostgreSQL does not let us in: {error or type(error).__name__}",
            "see that it runs, and correct url in [database] of pledgewire.toml, or DATABASE_URL",
        ) from error
    await connection.close()


async def _make_topics(
    kafka: KafkaSettings, passwords: Mapping[str, str], access_file: Path | None, manage_topics: bool
) -> None:
    """Make topics, and the rights of the file, as far as they are ours to make; that Kafka answers matters anyway."""
    try:
        async with TopicAdmin(kafka):
            pass
        if manage_topics:
            await apply_topics(kafka)
        if access_file:
            await apply_access(kafka, read_access(access_file), passwords)
    except (KafkaError, AccessRefused, Unavailable, OSError, TimeoutError) as error:
        raise EmbeddedError(
            f"Kafka at {kafka.bootstrap_servers} did not do it: {error or type(error).__name__}",
            "see that it runs, and correct [kafka] of pledgewire.toml, or the KAFKA_ variables;"
            " manage = false where others make topics and rights",
        ) from error


async def _has_key(database_url: str, client: str) -> bool:
    """Whether a client has ever had a key: one that was revoked is not made again by a start."""
    connection = await asyncpg.connect(database_url)
    try:
        return bool(await connection.fetchval("select exists (select from registry.api_key where client = $1)", client))
    finally:
        await connection.close()
