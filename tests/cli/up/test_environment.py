"""From pledgewire.toml to the services' variables: those that there are, and addresses that readers reach."""

import pytest

from services.cli.up.environment import addresses, own_database, own_kafka, own_keys, shared_environment
from services.cli.up.settings import UpSettings, settings_of
from tests.deploy.settings_read import variables_read

EVERYTHING = """
[portal]
public_url = "https://pledgewire.example.org/"
[notifier]
allow_hosts = "10.1.0.0/16"
[smtp]
host = "smtp.example.org"
port = 465
tls = "tls"
username = "pledgewire"
password = "geheim"
sender = "Pledgewire <pledgewire@example.org>"
smtputf8 = true
[retention]
days = {"delivery" = 200, "milestone-due" = "forever"}
share = 0.2
[environment]
NOTIFIER_LIMITS = "chat.example.org=2"
"""


def told(text: str) -> dict[str, str]:
    """What all services are told by a file."""
    settings = settings_of(text)
    return shared_environment(settings, addresses(settings, "vm-7"))


def test_every_variable_is_one_that_is_read() -> None:
    """
    Nothing is set that no service reads.
    """
    assert set(told(EVERYTHING)) - variables_read() == set()


def test_what_is_set_arrives() -> None:
    """
    Mail, allowed hosts and other variables are as the file says; without a mail server there is no word of one.
    """
    found = told(EVERYTHING)

    assert found["SMTP_HOST"] == "smtp.example.org"
    assert (found["SMTP_PORT"], found["SMTP_TLS"], found["SMTP_SMTPUTF8"]) == ("465", "tls", "true")
    assert (found["SMTP_USERNAME"], found["SMTP_PASSWORD"]) == ("pledgewire", "geheim")
    assert found["SMTP_FROM"] == "Pledgewire <pledgewire@example.org>"
    assert (found["NOTIFIER_ALLOW_HOSTS"], found["NOTIFIER_LIMITS"]) == ("10.1.0.0/16", "chat.example.org=2")
    assert (found["RETENTION_DAYS"], found["RETENTION_SHARE"]) == ("delivery=200,milestone-due=forever", "0.2")
    assert [name for name in told("") if name.startswith(("SMTP", "RETENTION"))] == []


@pytest.mark.parametrize(
    ("text", "portal", "notifier", "scheduler"),
    [
        ("", "http://127.0.0.1:8400", "http://127.0.0.1:8403", "http://127.0.0.1:8402"),
        ("[tls]\nenabled = true", "https://vm-7:8440", "https://vm-7:8443", "https://vm-7:8442"),
        (
            "[portal]\npublic_url = 'https://a.example'",
            "https://a.example",
            "https://a.example:8403",
            "https://a.example:8402",
        ),
        (
            "[portal]\npublic_url = 'https://a.example:9'\n[tls]\nenabled = true\nfirst_port = 9",
            "https://a.example:9",
            "https://a.example:12",
            "https://a.example:11",
        ),
        (
            "[portal]\npublic_url = 'https://a.example'\n[notifier]\npublic_url = 'https://n.example'\n"
            "[scheduler]\npublic_url = 'https://s.example'",
            "https://a.example",
            "https://n.example",
            "https://s.example",
        ),
        (
            "[portal]\npublic_url = 'http://[2001:db8::1]:80'",
            "http://[2001:db8::1]:80",
            "http://[2001:db8::1]:8403",
            "http://[2001:db8::1]:8402",
        ),
    ],
)
def test_links_lead_to_where_readers_are(text: str, portal: str, notifier: str, scheduler: str) -> None:
    """
    Links have the public addresses that are set; the others follow the portal's, and the services meet on the loopback.
    """
    found = told(text)

    assert found["NOTIFIER_PORTAL_URL"] == found["SCHEDULER_PORTAL_URL"] == portal
    assert (found["NOTIFIER_PUBLIC_URL"], found["SCHEDULER_PUBLIC_URL"]) == (notifier, scheduler)
    assert found["REGISTRY_URL"] == "http://127.0.0.1:8401"


def test_a_kafka_and_a_postgresql_of_ones_own() -> None:
    """
    They are those of the file, else those of the environment, whole; without either they come along.
    """
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": "b:9092",
        "KAFKA_SASL_USERNAME": "root",
        "DATABASE_URL": "postgresql://h/d",
    }
    of_file = settings_of(
        "[kafka]\nbootstrap_servers = 'a:9092'\nssl_cafile = 'ca.pem'\n[database]\nurl = 'postgresql://f/d'"
    )

    assert (own_kafka(UpSettings(), {}), own_database(UpSettings(), {})) == ({}, "")
    assert own_kafka(UpSettings(), environment) == {n: t for n, t in environment.items() if n.startswith("KAFKA")}
    assert own_database(UpSettings(), environment) == "postgresql://h/d"
    assert own_kafka(of_file, environment)["KAFKA_BOOTSTRAP_SERVERS"] == "a:9092"
    assert own_kafka(of_file, environment)["KAFKA_SSL_CAFILE"] == "ca.pem"
    assert own_kafka(of_file, environment)["KAFKA_SASL_USERNAME"] == ""
    assert own_database(of_file, environment) == "postgresql://f/d"


@pytest.mark.parametrize(
    ("text", "environment", "found"),
    [
        ("", {}, {}),
        ("", {"SECRETS_KEY": "a"}, {"SECRETS_KEY": "a"}),
        ("[secrets]\nkey_file = '/keys'", {"SECRETS_KEY": "a"}, {"SECRETS_KEY_FILE": "/keys"}),
        ("[secrets]\nkey_command = 'vault read'", {}, {"SECRETS_KEY_COMMAND": "vault read"}),
        ("[environment]\nSECRETS_KEY = 'b'", {"SECRETS_KEY_FILE": "/keys"}, {"SECRETS_KEY": "b"}),
    ],
)
def test_keys_of_secrets_come_from_one_place(text: str, environment: dict[str, str], found: dict[str, str]) -> None:
    """
    From the file, else from the environment; what else stands around the services is blanked, since two are refused.
    """
    told = own_keys(settings_of(text), environment)

    assert {name: one for name, one in told.items() if one} == found
    assert set(told) in (set(), {"SECRETS_KEY", "SECRETS_KEY_FILE", "SECRETS_KEY_COMMAND"})
