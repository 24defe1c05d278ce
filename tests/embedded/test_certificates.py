"""What an operator names for the listener that others reach is looked at first, and told in two lines."""

import socket
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from typer.testing import CliRunner

from deploy.embedded.certificates import keystore, self_signed
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.tls_listener import TlsListener
from services.cli.main import app

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOST = "kafka.example.org"
AUTHORITY = trustme.CA()


def files(folder: Path, leaf: trustme.LeafCert) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return certificate, key


def issued(*names: str, days: tuple[int, int] = (-1, 90), **more: str) -> trustme.LeafCert:
    begins, ends = (NOW + timedelta(days=day) for day in days)
    return AUTHORITY.issue_cert(*names, not_before=begins, not_after=ends, **more)


def refused(certificate: Path, key: Path, host: str = HOST) -> EmbeddedError:
    with pytest.raises(EmbeddedError) as caught:
        keystore(certificate, key, host, NOW)
    assert len(str(caught.value).splitlines()) == 2
    return caught.value


@pytest.mark.parametrize("kind", [trustme.KeyType.RSA, trustme.KeyType.ECDSA])
@pytest.mark.parametrize(
    ("name", "host"), [(HOST, HOST), ("*.example.org", HOST), (HOST, HOST.upper()), ("10.1.2.3", "10.1.2.3")]
)
def test_a_sound_certificate_becomes_a_keystore(kind: trustme.KeyType, name: str, host: str, tmp_path: Path) -> None:
    """
    Key first, in the one form that Kafka reads, then the chain.
    """
    leaf = AUTHORITY.issue_cert(name, not_before=NOW, not_after=NOW + timedelta(days=1), key_type=kind)
    text = keystore(*files(tmp_path, leaf), host, NOW)

    assert text.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert text.count("-----BEGIN CERTIFICATE-----\n") == len(leaf.cert_chain_pems)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((-90, -1), "ended on 2026-11-30 12:00 UTC"),
        ((-90, 0), "ended on 2026-12-01 12:00 UTC"),
        ((1, 90), "only from 2026-12-02 12:00 UTC"),
    ],
)
def test_a_certificate_that_does_not_hold_today_is_refused(days: tuple[int, int], said: str, tmp_path: Path) -> None:
    assert said in refused(*files(tmp_path, issued(HOST, days=days))).what


@pytest.mark.parametrize("name", ["elsewhere.example.org", "*.kafka.example.org", "*.org", "10.1.2.3"])
def test_a_certificate_for_another_host_is_refused(name: str, tmp_path: Path) -> None:
    said = refused(*files(tmp_path, issued(name))).what

    assert f"is for {name}, not for {HOST}" in said


def test_a_certificate_that_names_a_host_only_as_its_common_name_is_refused(tmp_path: Path) -> None:
    leaf = issued("somebody@example.org", common_name=HOST)

    assert "for no host at all" in refused(*files(tmp_path, leaf)).what


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    certificate, key = files(tmp_path, issued(HOST))
    key.write_bytes(issued(HOST).private_key_pem.bytes())

    assert "doesn't fit" in refused(certificate, key).what


def test_a_chain_in_the_wrong_order_is_refused(tmp_path: Path) -> None:
    """
    A client would be shown the authority's certificate, with a key that is not the authority's.
    """
    certificate, key = files(tmp_path, issued(HOST))
    certificate.write_bytes(AUTHORITY.cert_pem.bytes() + certificate.read_bytes())

    assert "doesn't fit the first certificate" in refused(certificate, key).what


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    certificate, key = files(tmp_path, issued(HOST))
    private = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))

    assert "passphrase" in refused(certificate, key).what


@pytest.mark.parametrize("content", [None, b"", b"no PEM", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_can_not_be_read_is_refused(content: bytes | None, which: int, tmp_path: Path) -> None:
    named = files(tmp_path, issued(HOST))
    named[which].unlink()
    if content is not None:
        named[which].write_bytes(content)

    assert named[which].name in refused(*named).what


@pytest.mark.parametrize(
    "listen", ["", "9093", "0.0.0.0", "0.0.0.0:", "0.0.0.0:0", "0.0.0.0:65536", "kafka.example.org:9093", "[::]:9093"]
)
def test_an_address_to_listen_on_that_can_not_be_is_refused(listen: str) -> None:
    with pytest.raises(EmbeddedError) as caught:
        TlsListener.named(listen, f"{HOST}:9093", Path("c"), Path("k"))

    assert (caught.value.status, listen in caught.value.what) == (2, True)


@pytest.mark.parametrize(
    "advertised",
    ["", HOST, f"{HOST}:", f"{HOST}:no", ":9093", "0.0.0.0:9093", "224.0.0.1:9093", "1.2.3:9093", "a_b:9093", "a b:1"],
)
def test_an_address_that_can_not_be_advertised_is_refused(advertised: str) -> None:
    with pytest.raises(EmbeddedError) as caught:
        TlsListener.named("0.0.0.0:9093", advertised, Path("c"), Path("k"))

    assert (caught.value.status, "can't be advertised" in caught.value.what) == (2, True)


def test_a_port_that_is_taken_is_told_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedError, match="Address already in use"):
            TlsListener.named(f"127.0.0.1:{port}", f"{HOST}:9093", Path("c"), Path("k")).check_free(1)


@pytest.mark.parametrize("host", ["kafka", "127.0.0.1", "*.kafka.example"])
def test_what_we_make_ourselves_is_a_keystore_for_its_host(host: str, tmp_path: Path) -> None:
    """
    It passes the look that others' certificates get, from an hour ago until its last day.
    """
    made, key = self_signed([host], NOW, timedelta(days=31))
    store = tmp_path / "keystore.pem"
    store.write_text(key + made)
    asked = host.replace("*", "broker-1")

    for at in (NOW - timedelta(minutes=59), NOW + timedelta(days=30)):
        assert keystore(store, store, asked, at) == key + made
    with pytest.raises(EmbeddedError, match="ended on"):
        keystore(store, store, asked, NOW + timedelta(days=32))
    with pytest.raises(EmbeddedError, match="not for other"):
        keystore(store, store, "other", NOW)


def test_the_command_makes_one_once_and_again_when_it_is_of_no_use(tmp_path: Path) -> None:
    """
    A good one stays; one for another host, for too short a time, or without its counterpart is replaced by both.
    """
    (tmp_path / "key").mkdir()
    (tmp_path / "authority").mkdir()
    store, certificate = tmp_path / "key" / "keystore.pem", tmp_path / "authority" / "certificate.pem"

    def made(host: str = "kafka", *more: str) -> str:
        words = ["embedded", "certificate", host, str(store.parent), str(certificate.parent), *more]
        assert CliRunner().invoke(app, words).exit_code == 0
        assert certificate.read_text() in store.read_text()
        return store.read_text()

    first = made()
    assert made() == first
    assert stat.S_IMODE(store.stat().st_mode) == 0o640
    assert (second := made("other")) != first
    certificate.write_text("-----BEGIN CERTIFICATE-----")
    assert (third := made("other")) != second
    certificate.write_text("")
    assert (fourth := made("other")) != third
    store.write_text("half a key")
    assert made("other", "--days", "31") not in (second, third, fourth)
