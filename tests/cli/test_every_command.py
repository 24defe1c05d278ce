"""What all commands have in common: a version, statuses and the shape of what programs read."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from services.cli import VERSION
from services.cli.main import app
from services.cli.service_client import ASKED_WRONGLY, FAILED, NOT_FOUND, exit_status

PROJECT = Path(__file__).resolve().parents[2]


def commands() -> Iterator[tuple[list[str], object]]:
    """Every command by its words."""

    def walk(words: list[str], command: object) -> Iterator[tuple[list[str], object]]:
        inside = getattr(command, "commands", None)
        if inside is None:
            yield words, command
            return
        for name, one in inside.items():
            yield from walk([*words, name], one)

    yield from walk([], get_command(app))


COMMANDS = {" ".join(words): command for words, command in commands()}


def test_the_version_is_that_of_the_project() -> None:
    result = CliRunner().invoke(app, ["--version"])
    written = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

    assert (result.exit_code, result.stdout.strip()) == (0, f"pledgewire {written}")
    assert written == VERSION


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_that_is_asked_wrongly_ends_with_2(words: str) -> None:
    if words == "bench":  # its options go to the benchmark
        return
    assert CliRunner().invoke(app, [*words.split(), "--no-such-option"]).exit_code == ASKED_WRONGLY


@pytest.mark.parametrize("words", COMMANDS)
def test_what_talks_to_a_service_prints_json_too(words: str) -> None:
    options = {name for one in COMMANDS[words].params for name in one.opts}  # type: ignore[attr-defined]  # a command of typer's
    if "--url" in options:
        assert "--json" in options, words


@pytest.mark.parametrize(("refused", "status"), [(400, 2), (401, 1), (403, 1), (404, 3), (409, 1), (422, 2), (503, 1)])
def test_a_refusal_has_one_status_whichever_command_was_refused(refused: int, status: int) -> None:
    assert exit_status(refused) == status
    assert status in (FAILED, ASKED_WRONGLY, NOT_FOUND)


def test_nobody_prints_json_but_in_one_way() -> None:
    """As an object, by `print_json`; a list stands in it as `items`."""
    for path in (PROJECT / "services" / "cli").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "print_json([" not in text and "print_json(items)" not in text, path.name
