"""The pages tell the truth: their links lead somewhere, their commands exist, their requests would be accepted."""

import importlib
import importlib.util
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from services.cli.main import app
from tests.deploy.pages import PAGES, READER_PAGES, Command, anchors, blocks, commands, prose
from tests.deploy.settings_read import PROJECT, variables_read

README = PROJECT / "README.md"
ENGINEERS = PROJECT / "docs" / "for-engineers.md"
OPERATORS = PROJECT / "docs" / "for-operators.md"

ROOT = typer.main.get_command(app)
TO_BE_MADE = {"services/notifier/channels/mattermost.py", "services/i18n/locales/pt.po"}
"""Files that a how-to has its reader make."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
every_reader_page = pytest.mark.parametrize("page", READER_PAGES, ids=lambda page: str(page.relative_to(PROJECT)))


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    """
    Every link to a file of ours has that file at its end, and the heading or the line that it names.
    """
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        there = page.parent / path if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(target)

    assert lost == []


@every_page
def test_files_and_modules_are_there(page: Path) -> None:
    """
    Every folder, file and module of ours that a page names is there.
    """
    text = page.read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:contracts|services|deploy|tests|locks|docs|bench)/[\w./-]*)`", text))
    modules = set(re.findall(r"(?:-m|from) ((?:contracts|services|deploy|bench)[\w.]*\w)", text))

    assert {path for path in paths if not (PROJECT / path).exists()} <= TO_BE_MADE
    assert {module for module in modules if importlib.util.find_spec(module) is None} == set()


@pytest.mark.parametrize("line", commands("./pledgewire"), ids=str)
def test_a_command_is_one_of_the_programs(line: Command) -> None:
    """
    A command line on a page is taken by the program: its options are that command's, and none that it needs is missing.
    """
    command, rest = _command(line.words[1:])

    command.make_context(str(line), list(rest), resilient_parsing="--help" in rest)


def _command(words: Sequence[str]) -> tuple[Any, Sequence[str]]:
    """The command that the first words name, and the words behind them."""
    command: Any = ROOT
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        command = command.commands[words[0]]
        words = words[1:]
    return command, words


@every_reader_page
def test_commands_in_a_sentence_are_the_programs(page: Path) -> None:
    """
    Whatever stands behind ./pledgewire in a sentence is a command, and its options are that command's.
    """
    for told in re.findall(r"`\./pledgewire ([^`]*)`", prose(page)):
        ours = told.partition(" -- ")[0]  # what follows is pytest's
        words = [word for word in ours.split() if re.fullmatch(r"-{0,2}[a-z][a-z-]*", word)]
        command, options = _command(words)
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        free = command.context_settings.get("ignore_unknown_options", False)
        assert free or {option for option in options if option.startswith("--")} <= known | {"--help"}, told


@every_reader_page
def test_every_variable_is_read(page: Path) -> None:
    """
    No variable is promised that nobody reads.
    """
    text = page.read_text(encoding="utf-8")
    ours = r"(?:DATABASE|KAFKA|HTTP|API|REGISTRY|SCHEDULER|NOTIFIER|PORTAL|SMTP|OTEL|OUTBOX|PLEDGEWIRE)_[A-Z_]+"
    launcher = set(re.findall(r"\bPLEDGEWIRE_[A-Z]+", (PROJECT / "pledgewire").read_text(encoding="utf-8")))

    compose = set(re.findall(r"\$\{([A-Z_]+)", (PROJECT / "docker-compose.tls.yml").read_text(encoding="utf-8")))
    named = set(re.findall(rf"\b{ours}\b", text)) - compose

    assert named - variables_read() - launcher - set(_of_commands(ROOT)) == set()


def _of_commands(command: Any) -> Iterator[str]:
    for parameter in command.params:
        names = parameter.envvar or ()
        yield from (names,) if isinstance(names, str) else names
    for inner in getattr(command, "commands", {}).values():
        yield from _of_commands(inner)


def test_the_table_of_variables_is_long() -> None:
    """
    The operators' page names what there is to set.
    """
    cells = re.findall(r"^\| (`[A-Z].*?) \|", OPERATORS.read_text(encoding="utf-8"), re.MULTILINE)

    assert len({name for cell in cells for name in re.findall(r"`([A-Z_]+)`", cell)}) > 20


def test_metrics_exist() -> None:
    """
    A metric that a page names is one that the services measure, or a series that Prometheus makes of a histogram.
    """
    sources = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "services").rglob("*.py"))
    histograms = set(re.findall(r'Histogram\(\s*"(\w+)"', sources))
    series = {f"{name}_{part}" for name in histograms for part in ("bucket", "count", "sum")}
    told = set(re.findall(r"`(pledgewire_[a-z_]+)`", "".join(page.read_text("utf-8") for page in READER_PAGES)))

    assert told
    assert {name for name in told - series if f'"{name}"' not in sources} == set()


def test_the_addresses_are_those_of_compose() -> None:
    """
    The pages set the addresses at which docker-compose.yml publishes the services.
    """
    compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
    told = {
        (name.lower(), address)
        for block in blocks("sh")
        for name, address in re.findall(r"\b([A-Z]+)_URL=(http://\S+)", block.text)
    }

    assert {name for name, _ in told} == {"registry", "scheduler", "notifier"}
    for name, address in told:
        (port,) = compose[name]["ports"]
        assert address == f"http://{port.rsplit(':', 1)[0]}"
