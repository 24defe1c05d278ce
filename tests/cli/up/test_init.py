"""`pledgewire init`: six questions at most, none that an answer before has settled, or flags in their place."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.cli.main import app
from services.cli.up.initial import Answers, asked
from services.cli.up.settings import read_settings, settings_of
from services.cli.up.settings_text import settings_text

FLAGS = [
    "--public-url",
    "https://pledgewire.example.org",
    "--tls",
    "--smtp-host",
    "smtp.example.org",
    "--smtp-username",
    "pledgewire",
    "--smtp-from",
    "Pledgewire <pledgewire@example.org>",
]


def init(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Its exit status and what it prints."""
    result = CliRunner().invoke(app, ["init", "--state", str(folder), *arguments], env=env)
    if result.exception and not isinstance(result.exception, SystemExit):
        return getattr(result.exception, "status", 99), str(result.exception)
    return result.exit_code, result.output


def test_flags_answer_all_of_it(tmp_path: Path) -> None:
    """
    What flags and the variable of the password say is in the file, which only its owner may read.
    """
    done = init(tmp_path / "new", *FLAGS, env={"PLEDGEWIRE_SMTP_PASSWORD": "geheim"})
    settings = read_settings(tmp_path / "new" / "pledgewire.toml")

    assert done[0] == 0, done[1]
    assert settings.portal.public_url == "https://pledgewire.example.org" and settings.tls.enabled
    assert (settings.smtp.host, settings.smtp.username) == ("smtp.example.org", "pledgewire")
    assert settings.smtp.password.get_secret_value() == "geheim"
    assert stat.S_IMODE((tmp_path / "new" / "pledgewire.toml").stat().st_mode) == 0o600


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """
    A second `init` is refused, unless it is told to write over the first.
    """
    init(tmp_path, "--yes", "--smtp-host", "first.example")

    assert init(tmp_path, "--yes")[0] == 2
    assert read_settings(tmp_path / "pledgewire.toml").smtp.host == "first.example"
    assert init(tmp_path, "--yes", "--force")[0] == 0
    assert read_settings(tmp_path / "pledgewire.toml").smtp.host == ""


def test_what_can_not_be_is_not_written(tmp_path: Path) -> None:
    """
    An address that is none is refused, and no file is left.
    """
    status, told = init(tmp_path / "new", "--yes", "--public-url", "pledgewire.example.org")

    assert status == 2 and "public_url" in told
    assert not (tmp_path / "new").exists()


def test_show_writes_nothing(tmp_path: Path) -> None:
    """
    `--show` prints the whole file, and no password of the environment is asked for.
    """
    status, text = init(tmp_path / "new", "--show")

    assert status == 0 and settings_of(text) == settings_of("")
    assert not (tmp_path / "new").exists()


@given(answers=st.lists(st.sampled_from(["", "y", "https://a.example", "http://a.example"]), min_size=6, max_size=6))
def test_six_questions_at_most(answers: list[str]) -> None:
    """
    However they are answered there are six at most; without a mail server nobody is asked who logs in there.
    """
    questions: list[tuple[str, bool]] = []

    def ask(question: str, hidden: bool) -> str:
        questions.append((question, hidden))
        return answers[len(questions) - 1]

    said = asked(Answers(), ask)

    assert len(questions) <= 6
    assert all(question.endswith(("?", "alone", "no mail", "nobody")) for question, _ in questions)
    assert [question for question, hidden in questions if hidden] == [q for q, _ in questions if "password" in q]
    if not said.smtp_host:
        assert said.smtp_username is said.smtp_password is said.smtp_from is None
    if not (said.public_url or "").startswith("https"):
        assert said.tls is None
    settings_text(said.document())


@pytest.mark.parametrize("name", ["public_url", "smtp_host"])
def test_what_is_given_is_not_asked(name: str) -> None:
    """
    A flag, an empty one too, is an answer.
    """
    questions: list[str] = []
    asked(Answers(**{name: ""}), lambda question, _hidden: questions.append(question) or "")  # type: ignore[arg-type, func-returns-value]

    assert not any({"public_url": "portal", "smtp_host": "mail server"}[name] in question for question in questions)
