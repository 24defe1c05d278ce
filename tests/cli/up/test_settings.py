"""pledgewire.toml: what `init` writes is read back, what nobody knows is refused, and no value is shown."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from deploy.embedded.errors import EmbeddedError
from services.cli.up.settings import SettingsSection, UpSettings, settings_of, tls_ports
from services.cli.up.settings_text import settings_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def test_the_file_of_defaults_says_nothing_but_defaults() -> None:
    """
    Every setting stands in the written file as a comment, and with the comments taken away it still says the defaults.
    """
    written = settings_text({})

    assert settings_of(written) == UpSettings()
    assert settings_of(re.sub(r"^#(?=[a-z\[])", "", written, flags=re.MULTILINE)) == UpSettings()


def test_every_setting_is_explained() -> None:
    """
    No section and no field is without words of its own.
    """
    for name, field in UpSettings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, SettingsSection):
            assert kind.__doc__ and kind.__doc__ != SettingsSection.__doc__, name
            assert [inner for inner, one in kind.model_fields.items() if not one.description] == []
        else:
            assert field.description, name


@given(TEXT, TEXT, st.integers(1, 65535))
def test_what_is_written_is_read(username: str, password: str, port: int) -> None:
    """
    Any text and any port come back from the file as they were.
    """
    settings = settings_of(settings_text({"smtp": {"username": username, "password": password, "port": port}}))

    assert (settings.smtp.username, settings.smtp.password, settings.smtp.port) == (username, SecretStr(password), port)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[smtp]\nhots = 'x'", "[smtp] hots"),
        ("[stmp]\nhost = 'x'", "[stmp]"),
        ("[ports]\nportal = 70000", "[ports] portal"),
        ("[ports]\nportal = 8401", "[ports]"),
        ("[portal]\npublic_url = 'pledgewire.example.org'", "[portal] public_url"),
        ("[portal]\npublic_url = 'https://example.org/pledges'", "[portal] public_url"),
        ("[database]\nurl = 'mysql://ana:geheim@host/name'", "[database] url"),
        ("[tls]\ncertificate = 'a.pem'", "[tls]"),
        ("[tls]\nenabled = true\nfirst_port = 8398", "overlap"),
        ("[environment]\n'no name' = 'x'", "[environment]"),
        ("[retention]\ndays = {deliverys = 9}", "nothing is called deliverys; write one of consistency-flagged, "),
        ("[retention]\ndays = {delivery = 9}", "delivery is kept for 38 days at least"),
        ("[retention]\ndays = {delivery = 'always'}", "[retention] days.delivery"),
        ("[retention]\nshare = 2", "[retention] share"),
        ("[secrets]\nkey_file = 'a'\nkey_command = 'b'", "[secrets]"),
        ("[smtp\n", "line 1"),
    ],
)
def test_what_can_not_be_is_refused_by_its_place(text: str, told: str) -> None:
    """
    A fault is told in two lines, with where it stands, without the value, and with status 2.
    """
    with pytest.raises(EmbeddedError) as refused:
        settings_of(text)

    assert told in refused.value.what
    assert "geheim" not in str(refused.value)
    assert refused.value.status == 2


def test_each_service_has_a_port_over_tls() -> None:
    """
    The four ports over TLS follow each other, the portal's first.
    """
    settings: Any = settings_of("[tls]\nfirst_port = 9000")

    assert tls_ports(settings.tls) == {"portal": 9000, "registry": 9001, "scheduler": 9002, "notifier": 9003}
