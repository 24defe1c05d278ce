"""A whole Pledgewire of one's own: Kafka and PostgreSQL, topics, schemas, keys, the services, and an inbox.

The demo, `pledgewire stack` and the journeys of the tests start it here, each with options of its own.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.stack import EmbeddedStack
from deploy.embedded.state import StateFolder
from deploy.embedded.tls_listener import TlsListener
from services.cli.access.applying import apply_access, new_password
from services.cli.access.database_roles import apply_roles
from services.cli.access.document import READABLE, SHIPPED, MinistryEntry, read_access
from services.cli.access.editing import with_entry
from services.cli.access.role_planning import ROLES, SERVICE_ROLES
from services.cli.databases import upgrade_all, with_user
from services.cli.fleet import SERVICES, Fleet, free_port, kept_secret
from services.cli.keys import ApiClient, count_keys, issue_keys
from services.cli.ministries import enter_ministries
from services.cli.service_client import ASKED_WRONGLY
from services.cli.topics import apply_topics
from services.plumbing.clock import SharedClock
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.secrets_at_rest import keys_from, new_key
from services.registry.catalogue.loading import load

HOST = "127.0.0.1"


@dataclass(frozen=True)
class StackOptions:
    """What is to be started, and where it keeps its things."""

    state: Path
    """The folder of the broker and the database; one run at a time has it."""
    folder: Path
    """Where the services' logs and pids are."""
    clients: tuple[ApiClient, ...]
    clock_file: Path | None = None
    """The settable clock; None for the machine's own."""
    begins: datetime | None = None
    """What the settable clock is set to before anything starts; None leaves it as it is."""
    brokers: int = 1
    """1, or 3 for a cluster with replication 3."""
    reset: bool = False
    """Empty both folders first."""
    parts_of_environment: bool = False
    """Use the Kafka and the PostgreSQL that the environment names, where it names both."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Ports that are wished for, by the service or `inbox`; others are taken where these are busy."""
    allow_hosts: str = HOST
    """Inside addresses to which the notifier may deliver; the inbox is at 127.0.0.1."""
    webhook_secrets: Mapping[str, str] = field(default_factory=dict)
    """The inbox checks these receivers' signatures."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Settings for all processes, before all others."""
    tls: TlsListener | None = None
    """Where clients on other machines reach Kafka; None for nowhere."""


@dataclass(frozen=True)
class RunningStack:
    """What is up."""

    fleet: Fleet
    keys: Mapping[str, str]
    """The API key of each client."""
    environment: Mapping[str, str]
    """How Kafka and PostgreSQL are reached; it holds passwords. Empty where this process's environment says so."""
    kafka: KafkaSettings
    database_url: str
    smtp_port: int
    parts: EmbeddedStack | None
    """The broker and the database; None where they are not ours."""
    settable_clock: SharedClock | None

    @property
    def clock(self) -> SharedClock:
        """The settable clock; raises RuntimeError where the machine's is used."""
        if self.settable_clock is None:
            raise RuntimeError("this stack goes by the machine's clock")
        return self.settable_clock

    def url(self, name: str) -> str:
        """Where a service, or the inbox, listens."""
        return self.fleet.members[name].url

    def admin_url(self, name: str) -> str:
        """Where a service tells its operators how it is."""
        return self.fleet.members[name].admin_url

    @property
    def inbox_url(self) -> str:
        """Where what was sent can be read."""
        return self.url("inbox")


def kafka_settings(environment: Mapping[str, str]) -> KafkaSettings:
    """The settings that these environment variables give."""
    named = {name.removeprefix("KAFKA_").lower(): text for name, text in environment.items() if name[:6] == "KAFKA_"}
    return KafkaSettings.model_validate({name: named[name] for name in named if name in KafkaSettings.model_fields})


@contextmanager
def running_stack(options: StackOptions, progress: Callable[[str], None]) -> Iterator[RunningStack]:
    """Start a whole, wait until all of it is ready, and stop it at the end of the block.

    `progress` is given a line for each step. Raises EmbeddedError, made to be printed as two lines.
    """
    if options.brokers not in (1, 3):
        raise EmbeddedError(f"a cluster of {options.brokers} brokers is not offered", "choose 1 or 3", ASKED_WRONGLY)
    with ExitStack() as closing:
        parts = _started_parts(options, progress, closing)
        environment = _with_access_file(options, parts.environment()) if parts else {}
        everything = os.environ | environment
        kafka, database_url = kafka_settings(everything), everything["DATABASE_URL"]
        passwords, role_passwords = (_passwords(options), _role_passwords(options)) if parts else ({}, {})
        progress("Making topics and schemas")
        clients = [*options.clients, ApiClient("registry", ("holder",))]
        keys = asyncio.run(
            _prepare(kafka, database_url, environment.get("ACCESS_FILE"), passwords, role_passwords, clients)
        )
        if options.reset:
            shutil.rmtree(options.folder, ignore_errors=True)
        options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        clock = SharedClock(options.clock_file) if options.clock_file else None
        if clock and options.begins:
            clock.set(options.begins)
        smtp_port = free_port()
        holder_key = keys.pop("registry")
        shared = {name: text for name, text in environment.items() if not (role_passwords and name == "DATABASE_URL")}
        fleet = _fleet(options, shared, smtp_port, holder_key=holder_key)
        for name, settings in own_access(database_url, passwords, role_passwords).items():
            fleet.members[name].environment |= settings
        closing.callback(fleet.stop)
        progress("Starting registry, scheduler, notifier, portal, and an inbox that listens")
        fleet.start()
        fleet.wait_ready()
        fleet.wait_for_keys(asyncio.run(count_keys(database_url)))
        closing.callback(progress, "Stopping")
        yield RunningStack(fleet, keys, environment, kafka, database_url, smtp_port, parts, clock)


def _started_parts(options: StackOptions, progress: Callable[[str], None], closing: ExitStack) -> EmbeddedStack | None:
    named = os.environ.get("KAFKA_BOOTSTRAP_SERVERS") and os.environ.get("DATABASE_URL")
    if options.parts_of_environment and named:
        progress("Using the Kafka and the PostgreSQL that the environment names")
        return None
    parts = EmbeddedStack(
        options.state, brokers=options.brokers, progress=progress, reset=options.reset, tls=options.tls
    )
    return closing.enter_context(parts)


def _with_access_file(options: StackOptions, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with a file of this stack's own that says who may do what on its Kafka."""
    file = options.state / "access.yaml"
    if not file.exists():
        text = SHIPPED.read_text(encoding="utf-8")
        for ministry in load().ministries:
            text = with_entry(text, "ministries", ministry.code, MinistryEntry(read=READABLE, report=True))
        file.write_text(text, encoding="utf-8")
    return {**environment, "ACCESS_FILE": str(file)}


def _passwords(options: StackOptions) -> dict[str, str]:
    """With what our services log in to the Kafka that is ours, made once."""
    return StateFolder(options.state).read("kafka-passwords", lambda: {name: new_password() for name in SERVICES})


def _role_passwords(options: StackOptions) -> dict[str, str]:
    """With what the roles log in to the PostgreSQL that is ours, made once."""
    return StateFolder(options.state).read("database-passwords", lambda: {role: new_password() for role in ROLES})


def own_access(
    database_url: str, kafka_passwords: Mapping[str, str], role_passwords: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """The settings by which each service logs in to Kafka by its own name, and to PostgreSQL by its own role.

    The portal has no database, and is told of none.
    """
    settings: dict[str, dict[str, str]] = {
        name: {"KAFKA_SASL_USERNAME": name, "KAFKA_SASL_PASSWORD": word} for name, word in kafka_passwords.items()
    }
    for name, role in SERVICE_ROLES.items():
        if role in role_passwords:
            url = with_user(database_url, role, role_passwords[role])
            settings.setdefault(name, {})["DATABASE_URL"] = url
    return settings


async def _prepare(
    kafka: KafkaSettings,
    database_url: str,
    access_file: str | None,
    passwords: Mapping[str, str],
    role_passwords: Mapping[str, str],
    clients: Sequence[ApiClient],
) -> dict[str, str]:
    """The keys, by their clients."""
    steps: list[Awaitable[object]] = [apply_topics(kafka), upgrade_all(database_url)]
    if access_file:
        steps.append(apply_access(kafka, read_access(Path(access_file)), passwords))
    await asyncio.gather(*steps)
    await apply_roles(database_url, role_passwords)
    await enter_ministries(database_url)
    return await issue_keys(database_url, clients)


def _fleet(
    options: StackOptions,
    environment: Mapping[str, str],
    smtp_port: int,
    *,
    holder_key: str,
) -> Fleet:
    """The processes to be, none of them started."""
    clock = {"PLEDGEWIRE_CLOCK_FILE": str(options.clock_file)} if options.clock_file else {}
    inbox_port = free_port(options.ports.get("inbox", 0))
    fleet = Fleet(
        options.folder,
        {
            **environment,
            **clock,
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(smtp_port),
            "SMTP_TLS": "none",
            "NOTIFIER_ALLOW_HOSTS": options.allow_hosts,
            "NOTIFIER_LIMITS": f"{HOST}:{inbox_port}=none",  # it is no Slack, and takes all at once
            "INBOX_SMTP_PORT": str(smtp_port),
            "INBOX_WEBHOOK_SECRETS": json.dumps(dict(options.webhook_secrets)),
            **options.environment,
        },
    )
    fleet.add_services({"INBOX_URL": f"http://{HOST}:{inbox_port}"}, holder_key=holder_key, ports=options.ports)
    kept_secret(options.folder / "secrets-key", new_key)
    fleet.members["notifier"].environment |= keys_from("SECRETS_KEY_FILE", str(options.folder / "secrets-key"))
    fleet.add("inbox", "deploy.embedded.inbox", port=inbox_port)
    return fleet
