"""What an instance depends on, as its environment and its settings name it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from services.cli.fleet import ADMIN_BESIDE, SERVICES
from services.cli.up.environment import own_keys
from services.cli.up.running import RunningInstance, read_running
from services.cli.up.settings import UpSettings, read_settings
from services.cli.up.state_folder import InstanceFolder
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.secrets_at_rest import keys_from


@dataclass(frozen=True)
class Surroundings:
    """Everything that is looked at. What nobody has named is empty, and is not looked at."""

    state: Path | None
    """The folder of an instance that this machine keeps."""
    is_running: bool
    """Whether an instance runs on that folder now."""
    urls: Mapping[str, str]
    """Where each service listens."""
    admin_urls: Mapping[str, str]
    database_url: str
    kafka: KafkaSettings | None
    access_file: Path | None
    smtp: Mapping[str, str]
    """Variables of the mail server, without the prefix and in small letters."""
    public_urls: tuple[str, ...]
    certificates: tuple[tuple[Path, Path, str], ...]
    """Files with a certificate and its key, and the host that it has to name; empty for none in particular."""
    clock_file: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The variables that say where the keys of secrets are."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that has to be found by name, once."""
        servers = self.kafka.bootstrap_servers.split(",") if self.kafka else []
        named = [f"//{one}" for one in servers] + [self.database_url, *self.urls.values(), *self.public_urls]
        found = {urlsplit(one).hostname or "" for one in named} | {self.smtp.get("host", "")}
        return tuple(sorted(found - {""}))


def surroundings(folder: InstanceFolder, environment: Mapping[str, str] = os.environ) -> Surroundings:
    """What is named by the environment, and by the instance of this folder if there is one; raises EmbeddedError."""
    is_kept = folder.settings.exists() or folder.run.exists()
    instance = read_running(folder) if is_kept else None
    settings = read_settings(folder.settings) if is_kept else UpSettings()
    named = {**(instance.environment if instance else {}), **environment}
    urls = _urls(settings, named, is_kept=is_kept)
    return Surroundings(
        state=folder.path if is_kept else None,
        is_running=instance is not None,
        urls=urls,
        admin_urls={name: named.get(f"{name.upper()}_ADMIN_URL") or _beside(url) for name, url in urls.items()},
        database_url=named.get("DATABASE_URL") or settings.database.url,
        kafka=_kafka(named),
        access_file=_access_file(folder, named, is_kept=is_kept),
        smtp=_smtp(settings, named),
        public_urls=_public_urls(settings, instance, named),
        certificates=_certificates(settings, instance, named),
        clock_file=named.get("PLEDGEWIRE_CLOCK_FILE", ""),
        keys=_keys(folder, settings, named, is_kept=is_kept),
    )


def _urls(settings: UpSettings, named: Mapping[str, str], *, is_kept: bool) -> dict[str, str]:
    ports: dict[str, int] = dict(settings.ports)
    found = {}
    for name in SERVICES:
        if url := named.get(f"{name.upper()}_URL"):
            found[name] = url
        elif is_kept:
            found[name] = f"http://127.0.0.1:{ports[name]}"
    return found


def _beside(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{(parts.port or 80) + ADMIN_BESIDE}"


def _kafka(named: Mapping[str, str]) -> KafkaSettings | None:
    if not named.get("KAFKA_BOOTSTRAP_SERVERS"):
        return None
    told = {name.removeprefix("KAFKA_").lower(): text for name, text in named.items() if name.startswith("KAFKA_")}
    return KafkaSettings.model_validate({name: told[name] for name in told if name in KafkaSettings.model_fields})


def _access_file(folder: InstanceFolder, named: Mapping[str, str], *, is_kept: bool) -> Path | None:
    if named.get("ACCESS_FILE"):
        return Path(named["ACCESS_FILE"])
    return folder.access if is_kept and folder.access.exists() else None


def _keys(folder: InstanceFolder, settings: UpSettings, named: Mapping[str, str], *, is_kept: bool) -> dict[str, str]:
    own = folder.secrets / "secrets-key"
    given = own_keys(settings, named)
    return given or (keys_from("SECRETS_KEY_FILE", str(own)) if is_kept and own.exists() else {})


def _smtp(settings: UpSettings, named: Mapping[str, str]) -> dict[str, str]:
    if named.get("SMTP_HOST"):
        return {name.removeprefix("SMTP_").lower(): text for name, text in named.items() if name.startswith("SMTP_")}
    smtp = settings.smtp
    if not smtp.host:
        return {}
    return {
        "host": smtp.host,
        "port": str(smtp.port),
        "tls": smtp.tls,
        "username": smtp.username,
        "password": smtp.password.get_secret_value(),
    }


def _public_urls(settings: UpSettings, instance: RunningInstance | None, named: Mapping[str, str]) -> tuple[str, ...]:
    variables = ("NOTIFIER_PORTAL_URL", "NOTIFIER_PUBLIC_URL", "SCHEDULER_PUBLIC_URL")
    sections = (settings.portal, settings.notifier, settings.scheduler)
    found = [named.get(name, "") for name in variables] + [section.public_url for section in sections]
    found += [instance.public_url] if instance else []  # by an option, it may be
    return tuple(dict.fromkeys(url for url in found if url))


def _certificates(
    settings: UpSettings, instance: RunningInstance | None, named: Mapping[str, str]
) -> tuple[tuple[Path, Path, str], ...]:
    tls, kafka = settings.tls, settings.kafka
    shown = (instance.tls_certificate, instance.tls_key) if instance else (tls.certificate, tls.key)
    public = instance.public_url if instance else settings.portal.public_url
    told = [
        (*shown, urlsplit(public).hostname or ""),
        (kafka.certificate, kafka.key, kafka.advertised.rpartition(":")[0]),
        (
            named.get("KAFKA_TLS_CERTIFICATE", ""),
            named.get("KAFKA_TLS_KEY", ""),
            named.get("KAFKA_TLS_ADVERTISED", "").rpartition(":")[0],
        ),
    ]
    return tuple((Path(certificate), Path(key), host) for certificate, key, host in told if certificate and key)
