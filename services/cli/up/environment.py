"""From pledgewire.toml to the variables by which the services are set; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from services.cli.up.settings import RetentionSection, UpSettings, retention_settings, tls_ports
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.retention.policy import written_days
from services.plumbing.secrets_at_rest import KEY_SETTINGS, keys_from

HOST = "127.0.0.1"
KAFKA_NAMES = tuple(f"KAFKA_{name.upper()}" for name in KafkaSettings.model_fields)


@dataclass(frozen=True)
class Addresses:
    """Where each service answers: to us on this machine, and to readers."""

    inside: Mapping[str, str]
    """By the service's name, over plain HTTP on the loopback interface."""
    public: Mapping[str, str]
    """By the service's name, as links say it."""


def addresses(settings: UpSettings, machine: str) -> Addresses:
    """Where the services answer; `machine` is this one's name, for links over HTTPS where no public address is set.

    Without HTTPS and without a public address readers are on this machine. Where only the portal's is set, the others
    have its scheme and host, and a port of their own.
    """
    ports: dict[str, int] = dict(settings.ports)
    inside = {name: f"http://{HOST}:{port}" for name, port in ports.items()}
    given = {name: getattr(settings, name).public_url for name in ("portal", "scheduler", "notifier")}
    outside = tls_ports(settings.tls) if settings.tls.enabled else ports
    scheme, host = ("https", machine) if settings.tls.enabled else ("http", HOST)
    if given["portal"]:
        parts = urlsplit(given["portal"])
        scheme, host = parts.scheme, parts.netloc.rpartition("@")[2].removesuffix(f":{parts.port}")
    public = {name: given.get(name) or f"{scheme}://{host}:{port}" for name, port in outside.items()}
    return Addresses(inside, public)


def shared_environment(settings: UpSettings, where: Addresses) -> dict[str, str]:
    """What all services are told."""
    told = {f"{name.upper()}_URL": url for name, url in where.inside.items() if name != "portal"}
    for name in ("notifier", "scheduler"):
        told[f"{name.upper()}_PUBLIC_URL"] = where.public[name]
        told[f"{name.upper()}_PORTAL_URL"] = where.public["portal"]
    return told | _mail(settings) | _allowed(settings) | kept_days(settings) | settings.environment


def _mail(settings: UpSettings) -> dict[str, str]:
    smtp = settings.smtp
    if not smtp.host:
        return {}
    told = {"SMTP_HOST": smtp.host, "SMTP_PORT": str(smtp.port), "SMTP_TLS": smtp.tls}
    told |= {"SMTP_SMTPUTF8": "true"} if smtp.smtputf8 else {}
    more = {
        "SMTP_USERNAME": smtp.username,
        "SMTP_PASSWORD": smtp.password.get_secret_value(),
        "SMTP_FROM": smtp.sender,
    }
    return told | {name: text for name, text in more.items() if text}


def _allowed(settings: UpSettings) -> dict[str, str]:
    hosts = settings.notifier.allow_hosts
    return {"NOTIFIER_ALLOW_HOSTS": hosts} if hosts else {}


def kept_days(settings: UpSettings) -> dict[str, str]:
    """How long things are kept where the file says other than the defaults; nothing where it doesn't."""
    retention, default = settings.retention, RetentionSection()
    told = {"RETENTION_DAYS": written_days(retention_settings(retention.days).days)} if retention.days else {}
    return told | ({"RETENTION_SHARE": f"{retention.share}"} if retention.share != default.share else {})


def own_keys(settings: UpSettings, environment: Mapping[str, str]) -> dict[str, str]:
    """Where the operator keeps the keys of secrets, by the file or else by the environment; empty for in the folder."""
    if settings.secrets.key_file:
        return keys_from("SECRETS_KEY_FILE", str(Path(settings.secrets.key_file).expanduser().absolute()))
    if settings.secrets.key_command:
        return keys_from("SECRETS_KEY_COMMAND", settings.secrets.key_command)
    for named in (settings.environment, environment):
        if given := {name: named[name] for name in KEY_SETTINGS if named.get(name)}:
            return dict.fromkeys(KEY_SETTINGS, "") | given  # two are refused by who reads them
    return {}


def own_kafka(settings: UpSettings, environment: Mapping[str, str]) -> dict[str, str]:
    """How a Kafka of the operator's is reached, by the file or else by the environment; empty where one comes along."""
    kafka = settings.kafka
    if not kafka.bootstrap_servers:
        if not environment.get("KAFKA_BOOTSTRAP_SERVERS"):
            return {}
        return {name: environment[name] for name in KAFKA_NAMES if name in environment}
    told = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": kafka.security_protocol,
        "KAFKA_SASL_MECHANISM": kafka.sasl_mechanism,
        "KAFKA_SASL_USERNAME": kafka.sasl_username,
        "KAFKA_SASL_PASSWORD": kafka.sasl_password.get_secret_value(),
    }
    return told | ({"KAFKA_SSL_CAFILE": kafka.ssl_cafile} if kafka.ssl_cafile else {})


def own_database(settings: UpSettings, environment: Mapping[str, str]) -> str:
    """The address of a PostgreSQL of the operator's, by the file or else by the environment; empty where one comes."""
    return settings.database.url or environment.get("DATABASE_URL", "")
