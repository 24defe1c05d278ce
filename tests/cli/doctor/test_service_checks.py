"""Who listens where our services should, and whether the mail server takes us; over real sockets."""

import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from deploy.embedded.processes import Identity
from deploy.embedded.state import write_private
from services.cli.doctor.service_checks import look_at_mail, look_at_service
from services.cli.doctor.surroundings import Surroundings, surroundings
from services.cli.up.running import RunningInstance, document
from services.cli.up.state_folder import InstanceFolder
from services.plumbing.http.app import admin_app, web_app
from tests.cli.programs import listening

PASSWORD = "a-very-secret-word"


@contextlib.asynccontextmanager
async def service(name: str, fault: str | None = None) -> AsyncIterator[tuple[str, str]]:
    async def check() -> str | None:
        return fault

    app = web_app(name, name, {"kafka": check})
    async with listening(app) as url, listening(admin_app(app)) as admin_url:
        yield url, admin_url


async def test_who_answers_at_a_port_is_told_from_who_should() -> None:
    async with service("registry") as (url, admin_url):
        assert (await look_at_service("registry", url, admin_url, is_expected=True)).ok
        other = await look_at_service("scheduler", url, admin_url, is_expected=True)
    assert (other.ok, other.what) == (False, "something else listens there")
    gone = await look_at_service("registry", url, admin_url, is_expected=True)
    assert (gone.ok, gone.what) == (False, "nobody listens there")
    free = await look_at_service("registry", url, admin_url, is_expected=False)
    assert (free.ok, free.fix) == (None, "start it: pledgewire up")


async def test_a_service_that_waits_says_for_what_at_its_admin_port() -> None:
    async with service("notifier", "the broker does not answer") as (url, admin_url):
        told = await look_at_service("notifier", url, admin_url, is_expected=True)
        hidden = await look_at_service("notifier", url, "http://127.0.0.1:9", is_expected=True)
    assert (told.ok, told.what) == (False, "it waits: kafka: the broker does not answer")
    assert hidden.ok is False and "curl http://127.0.0.1:9/readyz" in hidden.fix


async def test_a_port_at_which_no_http_is_spoken_is_somebody_elses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        found = await look_at_service("registry", url, url, is_expected=False)
    assert found.ok is False and "ss -ltnp" in found.fix


@contextlib.contextmanager
def mail_server() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def authenticate(
        _server: object, _session: object, _envelope: object, _mechanism: str, given: object
    ) -> AuthResult:
        return AuthResult(success=getattr(given, "password", b"") == PASSWORD.encode(), handled=False)

    controller = Controller(
        object(),
        hostname="127.0.0.1",
        port=port,
        authenticator=authenticate,
        auth_require_tls=False,
    )
    controller.start()
    yield port
    controller.stop()


async def test_the_mail_server_is_logged_in_to_and_no_mail_is_sent() -> None:
    with mail_server() as port:
        smtp = {"host": "127.0.0.1", "port": str(port), "tls": "none", "username": "us", "password": PASSWORD}
        assert (await look_at_mail(smtp)).what == f"127.0.0.1:{port} takes us, logged in"
        refused = await look_at_mail(smtp | {"password": "another-word"})
        plain = await look_at_mail(smtp | {"tls": "starttls"})
    assert refused.ok is False and "refuses our user" in refused.what
    assert plain.ok is False and "SMTP_TLS" in plain.fix
    gone = await look_at_mail(smtp)
    assert gone.ok is False and "can't be used" in gone.what
    half = await look_at_mail({"host": "127.0.0.1", "username": "us"})
    assert half.ok is False and "can't be" in half.what
    for one in (refused, plain, gone, half):
        assert PASSWORD not in one.line() and "another-word" not in one.line()


NOTHING = Surroundings(
    state=None,
    is_running=False,
    urls={},
    admin_urls={},
    database_url="",
    kafka=None,
    access_file=None,
    smtp={},
    public_urls=(),
    certificates=(),
)


def test_an_instance_is_named_by_the_environment_or_by_its_folder(tmp_path: Path) -> None:
    assert surroundings(InstanceFolder(tmp_path / "no"), {}) == NOTHING
    environment = {
        "REGISTRY_URL": "http://registry.inside:8401",
        "DATABASE_URL": "postgresql://us:word@db.inside/pledgewire",
        "KAFKA_BOOTSTRAP_SERVERS": "kafka-1.inside:9092,kafka-2.inside:9092",
        "SMTP_HOST": "smtp.inside",
        "NOTIFIER_PORTAL_URL": "https://pledgewire.example.org",
    }
    named = surroundings(InstanceFolder(tmp_path / "no"), environment)
    assert named.admin_urls == {"registry": "http://registry.inside:8411"}
    assert named.hosts == (
        "db.inside",
        "kafka-1.inside",
        "kafka-2.inside",
        "pledgewire.example.org",
        "registry.inside",
        "smtp.inside",
    )

    folder = InstanceFolder(tmp_path / "instance")
    folder.path.mkdir()
    folder.settings.write_text(
        '[ports]\nportal = 9400\n[smtp]\nhost = "smtp.example.org"\n[portal]\npublic_url = "https://p.example.org"\n'
    )
    kept = surroundings(folder, {})
    assert (kept.state, kept.is_running) == (folder.path, False)
    assert kept.urls["portal"] == "http://127.0.0.1:9400" and kept.admin_urls["portal"] == "http://127.0.0.1:9410"
    assert kept.smtp["host"] == "smtp.example.org" and kept.public_urls == ("https://p.example.org",)
    assert replace(kept, state=None).database_url == ""


def test_what_up_was_told_by_an_option_is_looked_at_too(tmp_path: Path) -> None:
    """
    It stands in no file of settings: only what runs knows it.
    """
    folder, me = InstanceFolder(tmp_path), Identity.of(os.getpid())
    folder.run.mkdir()
    assert me
    instance = RunningInstance(
        pid=me.pid,
        started=me.started,
        since="2026-11-30T12:00:00Z",
        version="0.2.0",
        public_url="https://pledgewire.example.org:8440",
        tls_certificate=str(folder.secrets / "tls-certificate.pem"),
        tls_key=str(folder.secrets / "tls-key.pem"),
    )
    write_private(document(folder), instance.written())

    found = surroundings(folder, {})

    assert found.public_urls == (instance.public_url,) and "pledgewire.example.org" in found.hosts
    ((certificate, key, host),) = found.certificates
    assert (str(certificate), str(key)) == (instance.tls_certificate, instance.tls_key)
    assert host == "pledgewire.example.org"


@pytest.mark.parametrize("name", ["settings", "secrets"])
def test_what_the_doctor_says_of_an_instance_holds_no_password(name: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": f"postgresql://us:{PASSWORD}@db.inside/pledgewire"}
    assert PASSWORD not in str(surroundings(InstanceFolder(tmp_path / name), environment).hosts)
