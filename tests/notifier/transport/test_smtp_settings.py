"""Settings that could never send a mail are refused at the start, in two lines."""

import os
import subprocess
import sys

import pytest
from pydantic import ValidationError

from services.notifier.transport.smtp import SmtpSettings

NEVER = {
    "no address": {"SMTP_FROM": "Pledgewire"},
    "nobody": {"SMTP_FROM": ""},
    "an address of 65": {"SMTP_FROM": "a" * 65 + "@example.org"},
    "letters beyond ASCII": {"SMTP_FROM": "señal@example.org"},
    "two senders": {"SMTP_FROM": "a@example.org, b@example.org"},
    "a second header": {"SMTP_FROM": "x\r\nBcc: y <a@example.org>"},
    "no host": {"SMTP_HOST": ""},
    "blanks": {"SMTP_HOST": " "},
    "a scheme": {"SMTP_HOST": "smtp://mail.example.org"},
    "a user without a password": {"SMTP_USERNAME": "pledgewire"},
    "a password without a user": {"SMTP_PASSWORD": "secret"},
    "a password in the open": {"SMTP_USERNAME": "u", "SMTP_PASSWORD": "secret", "SMTP_TLS": "none"},
    "no certificates": {"SMTP_CA_FILE": "/nowhere/ca.pem"},
    "no such port": {"SMTP_PORT": "0"},
    "no such way": {"SMTP_TLS": "ssl"},
}


@pytest.fixture(autouse=True)
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_HOST", "mail.example.org")


@pytest.mark.parametrize("settings", NEVER.values(), ids=NEVER)
def test_what_could_never_send_a_mail_is_refused(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError):
        SmtpSettings()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"SMTP_FROM": "señal@example.org", "SMTP_SMTPUTF8": "true"},
        {"SMTP_FROM": "Señal <a@behörde.example>"},
        {"SMTP_USERNAME": "u", "SMTP_PASSWORD": "p"},
        {"SMTP_USERNAME": "u", "SMTP_PASSWORD": "p", "SMTP_TLS": "none", "SMTP_HOST": "127.0.0.1"},
        {"SMTP_USERNAME": "", "SMTP_PASSWORD": "", "SMTP_TLS": "none", "SMTP_HOST": "mailpit"},
        {"SMTP_HOST": "2001:db8::25"},
    ],
)
def test_what_can_is_not(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    assert "@" in SmtpSettings().mailbox.address


def test_it_is_said_in_two_lines_that_name_the_variable() -> None:
    environment = {**os.environ, "SMTP_FROM": "Pledgewire", "NOTIFIER_LINK_KEYS": "k" * 32}
    ended = subprocess.run(
        [sys.executable, "-m", "services.notifier"], env=environment, capture_output=True, text=True, check=False
    )

    first, second = ended.stderr.splitlines()
    assert ended.returncode == 2
    assert first.startswith("error: a setting can't be: SMTP_FROM: ")
    assert second.startswith("help: ")


def test_without_any_host_there_is_no_mail_and_nothing_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMTP_HOST")

    assert SmtpSettings().host is None
