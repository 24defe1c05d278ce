"""The certificate that readers are shown: the operator's, checked, or one of our own that browsers warn about."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from deploy.embedded.certificates import keystore, self_signed
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.state import write_private
from services.cli.up.environment import Addresses
from services.cli.up.settings import UpSettings
from services.cli.up.state_folder import InstanceFolder

HOLDS = timedelta(days=365)
RENEWED = timedelta(days=30)
"""Of our own: made anew at a start when so little is left of it."""


def certificate_and_key(folder: InstanceFolder, settings: UpSettings, where: Addresses) -> tuple[Path, Path]:
    """Where the services read it; raises EmbeddedError for one that readers' browsers would refuse."""
    hosts = sorted({urlsplit(url).hostname or "" for url in where.public.values()})
    now = datetime.now(UTC)
    if settings.tls.certificate:
        certificate, key = (Path(name).expanduser().absolute() for name in (settings.tls.certificate, settings.tls.key))
        for host in hosts:
            keystore(certificate, key, host, now)
        return certificate, key
    certificate, key = folder.secrets / "tls-certificate.pem", folder.secrets / "tls-key.pem"
    if not _still_good(certificate, key, hosts, now):
        made, private = self_signed(hosts, now, HOLDS)
        write_private(key, private)
        write_private(certificate, made)
    return certificate, key


def _still_good(certificate: Path, key: Path, hosts: list[str], now: datetime) -> bool:
    try:
        for host in hosts:
            keystore(certificate, key, host, now + RENEWED)
    except EmbeddedError:
        return False
    return True
