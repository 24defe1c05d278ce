"""`pledgewire.toml`: what an operator sets for `up`, section by section.

A section is a class here, and each of its fields says in its docstring what `init` writes above it. Whatever has a
variable of its own (docs/for-operators.md) and no field here goes into `[environment]`.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from deploy.embedded.errors import EmbeddedError, file_error
from services.cli.service_client import ASKED_WRONGLY
from services.plumbing.retention.policy import FOR_EVER, RetentionSettings
from services.plumbing.settings_faults import check_database_url


def _checked_url(text: str) -> str:
    parts = urlsplit(text)
    whole = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/") and not parts.query
    if text and not whole:
        raise ValueError("write an address as https://pledgewire.example.org, without a path")
    return text.rstrip("/")


def _checked_database(text: str) -> str:
    if text:
        check_database_url(text)
    return text


def _checked_entry(text: str) -> str:
    from services.notifier.delivery.trial_addresses import checked_entry

    return checked_entry(text)


def _checked_days(days: "Days") -> "Days":
    from services.cli.retention_policies import check_days

    if days:
        check_days(retention_settings(days))
    return days


def retention_settings(days: "Days") -> RetentionSettings:
    """The days as the services have them."""
    return RetentionSettings(days={name: None if one == FOR_EVER else one for name, one in days.items()})


Days = dict[str, Annotated[int, Field(ge=0, lt=1_000_000)] | Literal["forever"]]
PublicUrl = Annotated[str, AfterValidator(_checked_url)]
Port = Annotated[int, Field(ge=1, le=65535)]
Environment = dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], str]


class SettingsSection(BaseModel):
    """A part of the file; what it doesn't know is refused: a misspelt setting would have no effect, unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class PortalSection(SettingsSection):
    """What readers see."""

    public_url: PublicUrl = ""
    """Where readers reach the portal: "https://pledgewire.example.org". Without it, this machine alone does."""


class SchedulerSection(SettingsSection):
    """Calendars and feeds."""

    public_url: PublicUrl = ""
    """Where calendar programs and feed readers come in. Without it, the portal's host and the scheduler's port."""


class NotifierSection(SettingsSection):
    """Subscriptions and what is sent."""

    public_url: PublicUrl = ""
    """Where the links of messages lead. Without it, the portal's host and the notifier's port."""
    allow_hosts: str = ""
    """Networks and hosts beyond the public network to which webhooks may go: "10.1.0.0/16,hooks.internal"."""


class PortsSection(SettingsSection):
    """Where the services listen on this machine's loopback interface; ten above each is its admin port, if free."""

    portal: Port = 8400
    """The pages."""
    registry: Port = 8401
    """Commitments, statuses, keys."""
    scheduler: Port = 8402
    """Reminders, calendars, feeds."""
    notifier: Port = 8403
    """Subscriptions and deliveries."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        ports = list(dict(self).values())
        if len(set(ports)) < len(ports):
            raise ValueError("two services can't have one port")
        return self


class SmtpSection(SettingsSection):
    """The mail server. Without a host nobody can subscribe to mail."""

    host: str = ""
    """Its name: "smtp.example.org"."""
    port: Port = 587
    """587 for starttls, 465 for tls, 25 for none."""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """starttls is insisted on; none is for a server on this machine."""
    username: str = ""
    """With what it is logged in to; empty for none."""
    password: SecretStr = SecretStr("")
    """The password of that user. This file is for its owner's eyes only (mode 0600)."""
    sender: str = ""
    """From whom messages come: "Pledgewire <pledgewire@example.org>"."""
    smtputf8: bool = False
    """Whether it takes addresses with letters beyond ASCII before the @."""


class KafkaSection(SettingsSection):
    """A Kafka of your own. Without bootstrap_servers, one comes along."""

    bootstrap_servers: str = ""
    """Its brokers: "kafka-1:9092,kafka-2:9092"."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "SASL_SSL"
    """How it is spoken to."""
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    """How it is logged in to."""
    sasl_username: str = ""
    """Its super user: topics, our services' passwords and rights are made by it."""
    sasl_password: SecretStr = SecretStr("")
    """The super user's password."""
    manage: bool = True
    """Whether each start makes topics, passwords and rights; false where others do it (`topics plan`)."""
    ssl_cafile: str = ""
    """The certificate of the authority (PEM), where it isn't one that every machine knows."""
    listen: str = ""
    """Where the Kafka that comes along lets ministries in over TLS: "0.0.0.0:9093"; with the three below."""
    advertised: str = ""
    """By which address ministries reach it: "kafka.example.org:9093"."""
    certificate: str = ""
    """The certificate for that host (PEM); looked at every ten seconds, so that a renewed one is shown."""
    key: str = ""
    """Its key (PEM)."""


class DatabaseSection(SettingsSection):
    """A PostgreSQL of your own. Without an address, one comes along."""

    url: Annotated[str, AfterValidator(_checked_database)] = ""
    """Its address, of a user who may make roles and owns the schemas: "postgresql://user:password@host/name"."""
    manage: bool = True
    """Whether each start gives every service a role of its own; false where others do it (`access apply`)."""


class TlsSection(SettingsSection):
    """HTTPS for readers, without a proxy: each service listens on a second port."""

    enabled: bool = False
    """As the option --tls."""
    certificate: str = ""
    """The certificate for the public host (PEM, its own first). Without it one is made, which browsers warn about."""
    key: str = ""
    """Its key (PEM, without a passphrase)."""
    listen: str = "0.0.0.0"  # noqa: S104  what is public is meant to be
    """On which of this machine's addresses."""
    first_port: Annotated[int, Field(ge=1, le=65532)] = 8440
    """The portal's port; the registry, the scheduler and the notifier have the three behind it."""

    @model_validator(mode="after")
    def _both(self) -> Self:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("name the certificate and its key, or neither")
        return self


class TrialSection(SettingsSection):
    """The trial that begins with the first start: nobody gets anything but who is named here, until `go-live`."""

    enabled: bool = True
    """Whether a first start begins one. Where it has been live, none begins any more."""
    allow: tuple[Annotated[str, AfterValidator(_checked_entry)], ...] = ()
    """Who gets everything all the same: ["you@example.org", "@test.example.org"]. Read when the trial begins; from then
    on `pledgewire trial allow` adds to the list."""


class RetentionSection(SettingsSection):
    """How long things are kept: old rows are pruned in small steps, and `verify` adds up what was."""

    days: Annotated[Days, AfterValidator(_checked_days)] = {}
    """Where the defaults don't fit: {"delivery" = 200, "milestone-due" = "forever"}; `pledgewire retention show` lists
    the names."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Of the time of one connection that pruning takes while there is something to prune."""


class SecretsSection(SettingsSection):
    """What addresses and signing secrets are sealed with in the database. Nothing else opens them: keep a copy."""

    key_file: str = ""
    """A file of keys, the first of which seals. Without it secrets/secrets-key, made at the first start."""
    key_command: str = ""
    """In its place a command that prints the keys, as a key service's client does."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.key_file and self.key_command:
            raise ValueError("name key_file or key_command, not both")
        return self


class UpSettings(SettingsSection):
    """The whole file."""

    portal: PortalSection = PortalSection()
    scheduler: SchedulerSection = SchedulerSection()
    notifier: NotifierSection = NotifierSection()
    ports: PortsSection = PortsSection()
    smtp: SmtpSection = SmtpSection()
    kafka: KafkaSection = KafkaSection()
    database: DatabaseSection = DatabaseSection()
    tls: TlsSection = TlsSection()
    trial: TrialSection = TrialSection()
    retention: RetentionSection = RetentionSection()
    secrets: SecretsSection = SecretsSection()
    environment: Environment = {}
    """Other variables of docs/for-operators.md, for all services: NOTIFIER_LIMITS = "chat.example.org=2"."""

    @model_validator(mode="after")
    def _no_port_twice(self) -> Self:
        if self.tls.enabled and set(dict(self.ports).values()) & set(tls_ports(self.tls).values()):
            raise ValueError("the ports of [ports] and those of [tls] overlap")
        return self


def tls_ports(tls: TlsSection) -> dict[str, int]:
    """Where each service listens over TLS, by its name."""
    return {name: tls.first_port + place for place, name in enumerate(PortsSection.model_fields)}


def read_settings(file: Path) -> UpSettings:
    """The settings of a file, the defaults where there is none; raises EmbeddedError for what can't be."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return UpSettings()
    except UnicodeDecodeError:
        raise EmbeddedError(f"{file} is not written in UTF-8", "write it anew as UTF-8", ASKED_WRONGLY) from None
    except OSError as error:
        raise file_error(error, "read the settings", file) from error
    return settings_of(text, str(file))


def settings_of(text: str, name: str = "pledgewire.toml") -> UpSettings:
    """The settings that a text says; raises EmbeddedError, which names the place and never the value."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EmbeddedError(
            f"{name} can't be read: {error}", 'values are written as in name = "text", or = 25', ASKED_WRONGLY
        ) from None
    return _validated(document, name)


def _validated(document: dict[str, Any], name: str) -> UpSettings:
    try:
        return UpSettings.model_validate(document)
    except ValidationError as error:
        faults = "; ".join(f"{_place(one['loc'])}{_fault(one['type'], one['msg'])}" for one in error.errors())
        raise EmbeddedError(
            f"{name} can't be: {faults}", "`pledgewire init --show` says what may stand in it", ASKED_WRONGLY
        ) from None


def overridden(settings: UpSettings, *, public_url: str | None, tls: bool | None) -> UpSettings:
    """The settings with what the command line says in place of the file's; raises EmbeddedError for what can't be."""
    document = settings.model_dump()
    document["portal"] |= {"public_url": public_url} if public_url is not None else {}
    document["tls"] |= {"enabled": tls} if tls is not None else {}
    return _validated(document, "what is asked for")


def _place(place: tuple[int | str, ...]) -> str:
    section, *rest = [str(part) for part in place] or [""]
    return f"[{section}] {'.'.join(rest)}: " if rest else f"[{section}] " if section else ""


def _fault(kind: str, message: str) -> str:
    return "there is no such setting" if kind == "extra_forbidden" else message.removeprefix("Value error, ")
