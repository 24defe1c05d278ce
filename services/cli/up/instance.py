"""A whole Pledgewire on the real clock: what comes along is started, then the services, each on its own port."""

import asyncio
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import EADDRINUSE
from pathlib import Path

from pydantic import ValidationError

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import HOST, why_not
from deploy.embedded.processes import Identity, clean_up
from deploy.embedded.stack import EmbeddedStack
from deploy.embedded.stack import Part as EmbeddedPart
from deploy.embedded.state import write_private
from deploy.embedded.tls_listener import TlsListener
from services.cli import VERSION
from services.cli.access.passwords import kept_passwords
from services.cli.fleet import Fleet
from services.cli.keys import count_keys
from services.cli.running_stack import kafka_settings, own_access
from services.cli.service_client import ASKED_WRONGLY
from services.cli.up.environment import (
    Addresses,
    addresses,
    kept_days,
    own_database,
    own_kafka,
    own_keys,
    shared_environment,
)
from services.cli.up.preparing import Prepared, prepare
from services.cli.up.running import InstancePart, RunningInstance, document
from services.cli.up.settings import UpSettings, tls_ports
from services.cli.up.state_folder import InstanceFolder
from services.cli.up.tls import certificate_and_key
from services.plumbing.secrets_at_rest import keys_from, new_key, settings_of_keys
from services.plumbing.settings_faults import faults_of_settings

Say = Callable[[str], None]
SLOWEST = 240.0
"""Seconds until all services are ready: who has been down for long has much to catch up with, on a small machine."""


@dataclass
class Instance:
    """What is up. `note` writes down for the commands how it stands."""

    folder: InstanceFolder
    fleet: Fleet
    parts: EmbeddedStack
    """The broker and the database, as far as they came along."""
    where: Addresses
    environment: Mapping[str, str]
    """What the commands need to reach it."""
    prepared: Prepared
    since: datetime
    kafka_tls: TlsListener | None = None
    tls: tuple[Path, Path] | None = None
    """The certificate that readers are shown, and its key."""
    expected_parts: tuple[str, ...] = ()
    """What came along, by the names of its processes: all of them are to run."""

    def note(self, *, ready: bool) -> None:
        """Write `run/up.json`."""
        me = Identity.of(os.getpid()) or Identity(os.getpid(), "")
        pids = self.parts.processes()
        parts = {name: InstancePart(pids.get(name)) for name in self.expected_parts}
        for name, member in self.fleet.members.items():
            running = member.child and member.child.ended is None
            pid = member.child.pid if member.child and running else None
            parts[name] = InstancePart(pid, member.url, member.restarts, member.last_exit)
        instance = RunningInstance(
            pid=me.pid,
            started=me.started,
            since=self.since.isoformat(),
            version=VERSION,
            ready=ready,
            public_url=self.where.public["portal"],
            tls_certificate=str(self.tls[0]) if self.tls else "",
            tls_key=str(self.tls[1]) if self.tls else "",
            parts=parts,
            environment=self.environment,
        )
        write_private(document(self.folder), instance.written())


@contextmanager
def running_instance(folder: InstanceFolder, settings: UpSettings, say: Say) -> Iterator[Instance]:
    """Start everything, wait until all of it is ready, and stop it at the end of the block.

    `say` is given a line for each step. Raises EmbeddedError, made to be printed as two lines.
    """
    since = datetime.now(UTC)
    folder.make()
    where = addresses(settings, platform.node() or "localhost")
    kafka, database_url = own_kafka(settings, os.environ), own_database(settings, os.environ)
    with ExitStack() as closing:
        tls = _kafka_listener(settings)
        parts = _started(
            folder, settings, where, closing, say, tls, with_kafka=not kafka, with_database=not database_url
        )
        reached = {"DATABASE_URL": database_url, **kafka, **parts.environment()}
        say("Making topics, schemas and rights")
        prepared = asyncio.run(
            prepare(
                folder,
                kafka_settings(reached),
                reached["DATABASE_URL"],
                manage_database=settings.database.manage,
                trial=settings.trial,
                manage_topics=settings.kafka.manage,
                # Who logs in by no name has no rights of his own.
                manage_access=settings.kafka.manage and reached.get("KAFKA_SECURITY_PROTOCOL", "")[:4] == "SASL",
            )
        )
        shown = certificate_and_key(folder, settings, where) if settings.tls.enabled else None
        fleet = _fleet(folder, settings, where, reached, prepared, shown)
        closing.callback(document(folder).unlink, missing_ok=True)
        closing.callback(fleet.stop)
        commands = {f"{name.upper()}_URL": url for name, url in where.inside.items() if name != "portal"}
        commands |= {f"{name.upper()}_ADMIN_URL": one.admin_url for name, one in fleet.members.items()}
        commands |= reached | fleet.opening() | kept_days(settings) | {"ACCESS_FILE": str(folder.access)}
        commands |= kept_passwords(kafka=bool(prepared.kafka_passwords), database=bool(prepared.role_passwords))
        expected = tuple(parts.processes())
        instance = Instance(folder, fleet, parts, where, commands, prepared, since, tls, shown, expected)
        say("Starting registry, scheduler, notifier and portal")
        fleet.start()
        instance.note(ready=False)
        fleet.wait_ready(seconds=SLOWEST)
        fleet.wait_for_keys(asyncio.run(count_keys(reached["DATABASE_URL"])))
        instance.note(ready=True)
        closing.callback(say, "Stopping")
        yield instance


def _check_ports(settings: UpSettings) -> None:
    """Raise EmbeddedError where somebody else has a port: an address that moves with each start is none."""
    wanted = [(name, HOST, port, "ports") for name, port in dict(settings.ports).items()]
    if settings.tls.enabled:
        wanted += [(name, settings.tls.listen, port, "tls") for name, port in tls_ports(settings.tls).items()]
    for name, host, port, section in wanted:
        error = why_not(host, port)
        if error is None:
            continue
        if error.errno == EADDRINUSE:
            raise EmbeddedError(
                f"the port {port} of the {name} is taken by another program",
                f"see who has it (ss -ltnp), or set another in [{section}] of pledgewire.toml",
            )
        raise EmbeddedError(
            f"the {name} can't listen at {host}, port {port}: {error.strerror or error}",
            f"set another in [{section}] of pledgewire.toml; a port below 1024 takes root or `pledgewire systemd`",
        )


def _kafka_listener(settings: UpSettings) -> TlsListener | None:
    kafka = settings.kafka
    given = [kafka.listen, kafka.advertised, kafka.certificate, kafka.key]
    if not any(given):
        return None
    if not all(given):
        raise EmbeddedError(
            "a Kafka that ministries reach takes listen, advertised, certificate and key",
            "set all four in [kafka] of pledgewire.toml, or none of them",
            ASKED_WRONGLY,
        )
    return TlsListener.named(kafka.listen, kafka.advertised, Path(kafka.certificate), Path(kafka.key))


def _started(
    folder: InstanceFolder,
    settings: UpSettings,
    where: Addresses,
    closing: ExitStack,
    say: Say,
    tls: TlsListener | None,
    *,
    with_kafka: bool,
    with_database: bool,
) -> EmbeddedStack:
    """What comes along, started; also where nothing does, since it keeps a second run off the folder.

    Once no other run has the folder, the services that a killed one left behind are ended: they hold the ports.
    """

    def once_ours() -> None:
        clean_up(folder.run)
        _check_ports(settings)
        if settings.tls.enabled:
            certificate_and_key(folder, settings, where)

    wanted: list[EmbeddedPart] = []
    wanted += ["kafka"] if with_kafka else []
    wanted += ["postgres"] if with_database else []
    return closing.enter_context(EmbeddedStack(folder.path, progress=say, tls=tls, parts=wanted, once_ours=once_ours))


def _fleet(
    folder: InstanceFolder,
    settings: UpSettings,
    where: Addresses,
    reached: Mapping[str, str],
    prepared: Prepared,
    tls: tuple[Path, Path] | None,
) -> Fleet:
    """The processes to be, none of them started; each logs in by its own name, and shows `tls` where there is one."""
    told = {
        **shared_environment(settings, where),
        "NOTIFIER_LINK_KEYS": folder.secret("link-key"),
        "AUDIT_HASH_KEY": folder.secret("audit-key"),
    }
    database_url = reached["DATABASE_URL"]
    shared = {name: text for name, text in reached.items() if not (prepared.role_passwords and name == "DATABASE_URL")}
    fleet = Fleet(folder.logs, shared, folder.run)
    fleet.add_services(told, holder_key=prepared.holder_key, ports=dict(settings.ports))
    for name, own in own_access(database_url, prepared.kafka_passwords, prepared.role_passwords).items():
        fleet.members[name].environment |= own
    fleet.members["notifier"].environment |= _keys(folder, settings)
    if tls:
        certificate, key = tls
        for name, port in tls_ports(settings.tls).items():
            fleet.members[name].environment |= {
                "HTTP_TLS_HOST": settings.tls.listen,
                "HTTP_TLS_PORT": str(port),
                "HTTP_TLS_CERTIFICATE": str(certificate),
                "HTTP_TLS_KEY": str(key),
            }
    return fleet


def _keys(folder: InstanceFolder, settings: UpSettings) -> dict[str, str]:
    """Where the keys of secrets are; those in the folder are made at the first start. Raises EmbeddedError."""
    given = own_keys(settings, os.environ)
    if not given:
        folder.secret("secrets-key", new_key)
        given = keys_from("SECRETS_KEY_FILE", str(folder.secrets / "secrets-key"))
    try:
        settings_of_keys(given)
    except ValidationError as error:
        raise EmbeddedError(
            f"the keys of secrets can't be had: {faults_of_settings(error) or error.title}",
            "see [secrets] of pledgewire.toml, or put back the copy of the file: nothing else opens what it sealed",
            ASKED_WRONGLY,
        ) from None
    return given
