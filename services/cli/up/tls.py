"""The certificate that readers are shown: the operator's, checked, or one of our own that browsers warn about."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.embedded.certificates import keystore
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.state import write_private
from services.cli.up.environment import Addresses
from services.cli.up.settings import UpSettings
from services.cli.up.state_folder import HouseFolder

HOLDS = timedelta(days=365)
RENEWED = timedelta(days=30)
"""Of our own: made anew at a start when so little is left of it."""


def certificate_and_key(folder: HouseFolder, settings: UpSettings, where: Addresses) -> tuple[Path, Path]:
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
        made, private = self_signed(hosts, now)
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


def self_signed(hosts: list[str], now: datetime) -> tuple[str, str]:
    """A certificate for these hosts that holds for a year, and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    # 64 characters are the most that a common name may have; browsers read the names below.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pledgewire")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + HOLDS)
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
