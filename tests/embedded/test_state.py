"""The state folder belongs to one run at a time, keeps secrets to its user, and is emptied whole."""

import stat
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedError
from deploy.embedded import state as states
from deploy.embedded.state import StateFolder, cache_folder, state_folder


def test_a_second_run_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """The two lines name the folder, the process that has it and the way out."""
    first, second = StateFolder(tmp_path), StateFolder(tmp_path)
    first.open()

    with pytest.raises(EmbeddedError, match=r"in use by another run \(process \d+\)") as caught:
        second.open()

    assert "PLEDGEWIRE_STATE" in caught.value.how
    first.close()
    second.open()
    second.close()


def test_passwords_are_made_once_and_for_their_user_only(tmp_path: Path) -> None:
    """Files of mode 0600 with the same content every time; no two folders share a password."""
    folder, other = StateFolder(tmp_path / "one"), StateFolder(tmp_path / "two")
    folder.open()
    other.open()

    known = folder.credentials()

    assert folder.credentials() == known
    assert stat.S_IMODE((tmp_path / "one" / "credentials.json").stat().st_mode) == 0o600
    assert other.credentials().kafka_password != known.kafka_password
    folder.close()
    other.close()


def test_emptying_keeps_nothing_but_the_claim_to_the_folder(tmp_path: Path) -> None:
    """New passwords, no old data, and still nobody else gets in."""
    folder = StateFolder(tmp_path / "state")
    folder.open()
    before = folder.credentials()
    (folder.path / "kafka" / "deep").mkdir(parents=True)

    folder.empty()

    assert not (folder.path / "kafka").exists()
    assert folder.credentials() != before
    with pytest.raises(EmbeddedError):
        StateFolder(folder.path).open()
    folder.close()


def test_a_nearly_full_disk_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker would stop later and say less."""
    monkeypatch.setattr(states.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1_000_000}))

    with pytest.raises(EmbeddedError, match="nearly full: 1 MB"):
        StateFolder(tmp_path).open()


def test_a_folder_of_another_layout_is_not_guessed_at(tmp_path: Path) -> None:
    """It is refused, with the way out, and let go."""
    (tmp_path / "layout.json").write_text('{"version": 99}')

    with pytest.raises(EmbeddedError, match="another version") as caught:
        StateFolder(tmp_path).open()

    assert "--reset" in caught.value.how


def test_a_damaged_file_is_two_lines(tmp_path: Path) -> None:
    """No trace of a JSON parser reaches a user."""
    folder = StateFolder(tmp_path)
    folder.open()
    (tmp_path / "credentials.json").write_text("{")

    with pytest.raises(EmbeddedError, match="damaged"):
        folder.credentials()
    folder.close()


def test_folders_follow_our_variable_then_xdg_then_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative XDG path is to be ignored, says its specification."""
    for name in ("PLEDGEWIRE_STATE", "PLEDGEWIRE_CACHE", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/someone")

    assert state_folder() == Path("/home/someone/.local/state/pledgewire")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path("/home/someone/.cache/pledgewire")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert cache_folder() == Path("/cache/pledgewire")
    monkeypatch.setenv("PLEDGEWIRE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
