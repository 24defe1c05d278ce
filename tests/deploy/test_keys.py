"""Keys for the interfaces: made anew, or one that is agreed already."""

import json
from pathlib import Path

import pytest
from fastapi import Request
from typer.testing import CliRunner

from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.cli.platform import add_key
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings

AGREED = "0f" * 32


def asking(key: str) -> Request:
    return Request({"type": "http", "headers": [(b"authorization", f"Bearer {key}".encode())]})


def test_a_key_that_is_agreed_already_opens_the_door_and_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The registry's own key comes from the environment of both sides; only its hash is kept, and again changes nothing.
    """
    file = tmp_path / "keys.json"
    monkeypatch.setenv("SCHEDULER_KEY", AGREED)
    words = ["keys", "add", "registry", "--role", "holder", "--file", str(file), "--from", "SCHEDULER_KEY"]
    first = CliRunner().invoke(app, words)
    kept = file.read_text()
    second = CliRunner().invoke(app, words)

    assert (first.exit_code, second.exit_code, first.output, file.read_text()) == (0, 0, "", kept)
    assert AGREED not in kept
    assert ApiKeys(ApiKeySettings(file=file)).require(asking(AGREED), "holder").client == "registry"


def test_a_key_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    """
    A plain hash is enough for a long random key, and for no other.
    """
    with pytest.raises(EmbeddedError, match="at least 32"):
        add_key(tmp_path / "keys.json", "registry", ["holder"], None, "secret")
    assert not (tmp_path / "keys.json").exists()


def test_a_variable_without_a_key_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nothing is made in its place: both sides have to have the same.
    """
    monkeypatch.delenv("SCHEDULER_KEY", raising=False)
    words = ["keys", "add", "registry", "--role", "holder", "--file", str(tmp_path / "k"), "--from", "SCHEDULER_KEY"]
    answer = CliRunner().invoke(app, words)

    assert isinstance(answer.exception, EmbeddedError)
    assert "SCHEDULER_KEY is not set" in str(answer.exception)


def test_a_new_key_is_shown_once(tmp_path: Path) -> None:
    """
    Without one that is agreed a new one is made.
    """
    key = add_key(tmp_path / "keys.json", "tracker", ["reporter"], None)

    assert key.startswith("pw_tracker_")
    assert key not in json.dumps(json.loads((tmp_path / "keys.json").read_text()))
