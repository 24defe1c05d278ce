"""What all commands have in common: a version, statuses and the shape of what programs read."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from services.cli import VERSION
from services.cli.main import app, main
from services.cli.service_client import ASKED_WRONGLY, FAILED, NOT_FOUND, exit_status
from services.cli.wordings import NO_DATE
from tests.journeys.operating import run_pledgewire

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
def test_all_that_a_help_says_is_shown(words: str) -> None:
    """
    What stands in square brackets would be taken for a colour, and be swallowed.
    """
    if words == "bench":  # its options go to the benchmark
        return
    told = [getattr(one, "help", None) for one in (COMMANDS[words], *COMMANDS[words].params)]  # type: ignore[attr-defined]
    shown = CliRunner().invoke(app, [*words.split(), "--help"], env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"}).stdout

    assert [text for text in told if text and " ".join(text.split()) not in " ".join(shown.split())] == []


REHEARSE = "rehearse --holidays MX --from 2027-01-01 --to"
WRONG = {
    "a language that we don't read": (
        {},
        ["wordings", "read", "by 2030", "--language", "de", "--made-on", "2021-11-18"],
    ),
    "no words": ({}, ["wordings", "read", " ", "--made-on", "2021-11-18"]),
    "a period that ends before it begins": ({}, [*REHEARSE.split(), "2026-01-01"]),
    "nothing to rehearse": ({}, ["rehearse", "--from", "2027-01-01", "--to", "2028-01-01"]),
    "no such benchmark": ({}, ["bench", "nope"]),
    "a first day before the statement": ({}, ["demo", "--from", "2020-01-01"]),
    "no role": ({}, ["keys", "add", "ana", "--role", "queen"]),
    "no clock": ({}, ["stack", "nowhere", "--clock", "noon"]),
    "no database": ({"DATABASE_URL": ""}, ["verify"]),
    "no service's address": ({"SCHEDULER_URL": "nonsense"}, ["schedule", "next"]),
    "another scheme": ({"SCHEDULER_URL": "gopher://127.0.0.1"}, ["schedule", "next"]),
    "no port": ({"SCHEDULER_URL": "http://127.0.0.1:x"}, ["schedule", "next"]),
    "no broker's address": ({"KAFKA_BOOTSTRAP_SERVERS": "a:b"}, ["topics", "plan"]),
    "no protocol": ({"KAFKA_SECURITY_PROTOCOL": "nonsense"}, ["topics", "plan"]),
    **{
        f"{url} for {words}": ({"DATABASE_URL": url}, words.split())
        for url in ("nonsense", "postgresql://a:secret@b:x/c", "postgresql://[a:secret@b/c", "mysql://a:secret@b/c")
        for words in ("verify --no-topics", "db upgrade", "recovery status", f"{REHEARSE} 2028-01-01")
    },
    "an option of the database's": (
        {"DATABASE_URL": "postgresql://a:secret@127.0.0.1/c?sslmode=nonsense"},
        ["verify", "--no-topics"],
    ),
}


@pytest.mark.parametrize(("settings", "words"), WRONG.values(), ids=WRONG)
def test_what_is_asked_wrongly_ends_with_2_and_two_lines(
    settings: dict[str, str],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    By an option, an argument or a setting, and however deep it is read; no secret is repeated.
    """
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["pledgewire", *words])

    with pytest.raises(SystemExit) as ended:
        main()

    said = capsys.readouterr().err.splitlines()
    assert ended.value.code == ASKED_WRONGLY
    assert [line.partition(":")[0] for line in said] == ["error", "help"]
    assert "secret" not in str(said)


@pytest.mark.parametrize("words", ["topics plan", "access plan", "backup", "verify", "recovery status"])
def test_what_does_not_answer_is_told_in_two_lines(words: str) -> None:
    """
    As a program of its own: what a library would log then stands on the terminal, too.
    """
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "DATABASE_URL": "postgresql://a:secret@127.0.0.1:1/c"}
    done = run_pledgewire(nowhere, *words.split())

    assert (done.returncode, done.stdout) == (FAILED, "")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["error", "help"], done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("words", ["doctor", "logs", "status", "stop"])
def test_a_folder_without_an_instance_is_not_found(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["pledgewire", *words.split(), "--state", str(tmp_path / "none")])

    with pytest.raises(SystemExit) as ended:
        main()

    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (NOT_FOUND, "")
    assert [line.partition(":")[0] for line in said.err.splitlines()] == ["error", "help"]


def test_every_status_is_in_the_table_for_operators() -> None:
    page = (PROJECT / "docs" / "for-operators.md").read_text(encoding="utf-8")
    table = page.partition("| status | when |")[2].partition("\n\n")[0]
    for status in (0, FAILED, ASKED_WRONGLY, NOT_FOUND, NO_DATE, 130):
        assert f"\n| {status} | " in table


@pytest.mark.parametrize("words", COMMANDS)
def test_options_are_written_in_small_letters(words: str) -> None:
    """
    Typer names an option after its metavar where that is its parameter's name in capitals.
    """
    long = {name for one in COMMANDS[words].params for name in one.opts if name.startswith("--")}  # type: ignore[attr-defined]  # a command of typer's
    assert [name for name in long if name != name.lower()] == []


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
