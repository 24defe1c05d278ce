"""The certificate of `up --tls`: the operator's, if it is for the public hosts, else one of our own."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from deploy.embedded.certificates import keystore, self_signed
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.state import write_private
from services.cli.up.environment import addresses
from services.cli.up.settings import UpSettings, settings_of
from services.cli.up.state_folder import InstanceFolder
from services.cli.up.tls import HOLDS, RENEWED, certificate_and_key

PUBLIC = "[portal]\npublic_url = 'https://pledgewire.example.org'\n"
NOW = datetime.now(UTC)


def folder(path: Path) -> InstanceFolder:
    """An instance's folder."""
    made = InstanceFolder(path / "instance")
    made.make()
    return made


def shown(instance: InstanceFolder, settings: UpSettings) -> tuple[Path, Path]:
    """What is shown to readers."""
    return certificate_and_key(instance, settings, addresses(settings, "vm-7"))


def test_one_of_our_own_is_for_the_public_hosts(tmp_path: Path) -> None:
    """
    It names each host that links lead to, is kept, and made anew for other hosts.
    """
    instance = folder(tmp_path)
    certificate, key = shown(instance, settings_of(PUBLIC))
    first = certificate.read_text()

    assert keystore(certificate, key, "pledgewire.example.org", NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    assert shown(instance, settings_of(PUBLIC))[0].read_text() == first
    shown(instance, settings_of(PUBLIC + "[notifier]\npublic_url = 'https://n.example.org'"))
    assert keystore(certificate, key, "n.example.org", NOW)


def test_one_of_our_own_is_renewed_a_month_before_its_end(tmp_path: Path) -> None:
    """
    A start finds one that ends soon, and makes another.
    """
    instance = folder(tmp_path)
    made, key = self_signed(["pledgewire.example.org"], NOW - HOLDS + RENEWED - timedelta(minutes=1), HOLDS)
    write_private(instance.secrets / "tls-certificate.pem", made)
    write_private(instance.secrets / "tls-key.pem", key)
    certificate, _ = shown(instance, settings_of(PUBLIC))

    ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    assert ends > NOW + HOLDS - timedelta(days=1)


def test_an_operators_must_be_for_the_public_host(tmp_path: Path) -> None:
    """
    One for another host, or one that has ended, would be refused by every browser: so it is refused here.
    """
    instance = folder(tmp_path)
    for name, hosts, at in (
        ("other", ["other.example.org"], NOW),
        ("old", ["pledgewire.example.org"], NOW - HOLDS - timedelta(days=1)),
        ("good", ["pledgewire.example.org"], NOW),
    ):
        certificate, key = self_signed(hosts, at, HOLDS)
        write_private(tmp_path / f"{name}.pem", certificate)
        write_private(tmp_path / f"{name}.key", key)
        settings = settings_of(
            f"{PUBLIC}[tls]\nenabled = true\ncertificate = '{tmp_path}/{name}.pem'\nkey = '{tmp_path}/{name}.key'"
        )
        if name == "good":
            assert shown(instance, settings)[0] == tmp_path / "good.pem"
        else:
            with pytest.raises(EmbeddedError):
                shown(instance, settings)
