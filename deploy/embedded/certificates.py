"""A listener's certificate and key: checked, or made; written as the one file that Kafka reads (a keystore in PEM)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from deploy.embedded.errors import EmbeddedError, file_error


def keystore(certificate: Path, key: Path, host: str, now: datetime) -> str:
    """The key (PKCS #8, the one form that Kafka takes) and the chain, in one text.

    Raises EmbeddedError, two lines that say what is the matter: a file that can't be read or is no PEM, a key with a
    passphrase or of another certificate, a certificate that does not hold `now` or isn't for `host`.
    """
    chain = _chain(certificate)
    own = _key(key)
    if _public(own.public_key()) != _public(chain[0].public_key()):
        raise EmbeddedError(
            f"the key in {key} doesn't fit the first certificate in {certificate}",
            "name the key that the certificate was made for; the listener's own certificate stands first in its file",
        )
    _check_days(chain[0], certificate, now)
    _check_host(chain[0], certificate, host)
    private = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (private + b"".join(one.public_bytes(Encoding.PEM) for one in chain)).decode("ascii")


def certificate_end(path: Path) -> datetime:
    """When the first certificate of a file ends; raises EmbeddedError for a file without one."""
    return _chain(path)[0].not_valid_after_utc


def certificate_hosts(path: Path) -> list[str]:
    """The hosts that the first certificate of a file is for; raises EmbeddedError for a file without one."""
    hosts, addresses = _names(_chain(path)[0])
    return [*hosts, *map(str, addresses)]


def self_signed(hosts: Sequence[str], now: datetime, holds: timedelta) -> tuple[str, str]:
    """A certificate of our own for these hosts, which vouches for itself, and its key; both in PEM."""
    key = generate_private_key(SECP256R1())
    # The names that count are those below; this one may have 64 characters at most.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pledgewire")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # for whose clock is behind ours
        .not_valid_after(now + holds)
        .add_extension(x509.SubjectAlternativeName([_host_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode("ascii"), private.decode("ascii")


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_content(path))
    except ValueError as error:
        raise EmbeddedError(
            f"{path} holds no certificate in PEM",
            "name a file that begins with -----BEGIN CERTIFICATE-----, the listener's own first",
        ) from error


def _key(path: Path) -> RSAPrivateKey | EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(_content(path), None)
    except TypeError as error:
        raise EmbeddedError(
            f"the key in {path} is protected by a passphrase",
            "name a key without one, in a file of mode 0600: openssl pkey -in KEY -out NEW",
        ) from error
    except ValueError as error:
        raise EmbeddedError(f"{path} holds no private key in PEM", "name a file with a PRIVATE KEY in it") from error
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise EmbeddedError(
            f"the key in {path} is of a kind that Kafka doesn't take", "have a certificate made for an RSA or EC key"
        )
    return key


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise file_error(error, f"read {path.name}", path.parent) from error


def _public(key: object) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return encoded


def _check_days(certificate: x509.Certificate, path: Path, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= ends:
        raise EmbeddedError(f"the certificate in {path} ended on {ends:%Y-%m-%d %H:%M} UTC", "renew it")
    if now < begins:
        raise EmbeddedError(
            f"the certificate in {path} holds only from {begins:%Y-%m-%d %H:%M} UTC on",
            "wait until then, or set this machine's clock",
        )


def _check_host(certificate: x509.Certificate, path: Path, host: str) -> None:
    hosts, addresses = _names(certificate)
    try:
        fits = ip_address(host) in addresses
    except ValueError:
        fits = any(_matches(host.lower(), one.lower()) for one in hosts)
    if not fits:
        told = ", ".join([*hosts, *map(str, addresses)]) or "no host at all"
        raise EmbeddedError(
            f"the certificate in {path} is for {told}, not for {host}, so every client would refuse it",
            "advertise an address that it names (subjectAltName), or have one made for this address",
        )


def _names(certificate: x509.Certificate) -> tuple[list[str], list[IPv4Address | IPv6Address]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    addresses = [one for one in names.get_values_for_type(x509.IPAddress) if isinstance(one, IPv4Address | IPv6Address)]
    return names.get_values_for_type(x509.DNSName), addresses


def _matches(host: str, pattern: str) -> bool:
    """By RFC 9525: a wildcard stands for the whole of the first label."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return host == pattern
