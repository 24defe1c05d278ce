"""The README tells the truth: its links lead somewhere, its commands exist, its requests would be accepted."""

import json
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer.main
import yaml
from faststream import AckPolicy

from contracts import topics
from contracts.events import MilestoneDue
from services.cli.main import app
from services.notifier.subscriptions.forms import NewSubscription
from services.registry.catalogue import load
from services.registry.http.forms import ImportOrder, NewStatusUpdate
from tests.deploy.settings_read import PROJECT, variables_read

README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGES = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").rglob("*.md"))]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@cache
def requests() -> dict[str, tuple[str, Any]]:
    """Each curl line of the README: its path, its base and the body that it sends."""
    found = {}
    for block in blocks("sh"):
        if block.startswith("curl "):
            words = shlex.split(block.replace("\\\n", " "))
            url = urlsplit(next(word for word in words if word.startswith("http")))
            found[url.path] = (f"{url.scheme}://{url.netloc}", json.loads(words[words.index("-d") + 1]))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """
    Every link to a file of ours has that file at its end.
    """
    targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))

    assert [t for t in targets if not re.match(r"[a-z]+:", t) and not (page.parent / t).exists()] == []


def test_commands_are_the_programs() -> None:
    """
    Whatever stands behind ./pledgewire is a command, and its options are that command's.
    """
    root = typer.main.get_command(app)
    told = re.findall(r"\./pledgewire ((?:[a-z]+ ?)*)((?:--[a-z-]+ ?)*)", README)
    assert len(told) > 5
    for words, options in told:
        command: Any = root
        for word in words.split():
            command = command.commands[word]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(options.split()) <= known | {"--help"}, words


def test_every_variable_of_the_table_is_read() -> None:
    """
    No variable is promised that nobody reads.
    """
    table = re.findall(r"^\| (`[A-Z].*?) \|", README, re.MULTILINE)
    named = {name for cell in table for name in re.findall(r"`([A-Z_]+)`", cell)}

    assert len(named) > 20
    assert named - variables_read() == set()


def test_the_table_of_services_agrees_with_the_topics() -> None:
    """
    Who hears and says what in the README is what the cards of the topics say.
    """
    for name, heard, said in re.findall(r"^\| `([a-z]+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|", README, re.MULTILINE):
        writes = {t.name for t in topics.PUBLIC + topics.INTERNAL if name in t.writers}
        reads = {t.name for t in topics.ALL if name in t.readers}
        assert set(re.findall(r"`([^`]+)`", said)) == writes, name
        if name == "registry":
            assert reads == {t.name for t in topics.INGEST}
        elif name == "portal":
            assert reads == {t.name for t in topics.PUBLIC}
        else:
            assert set(re.findall(r"`([^`]+)`", heard)) == reads, name


def test_the_requests_would_be_accepted() -> None:
    """
    The bodies of the curl lines pass the forms of the interfaces, and name things that exist.
    """
    catalogue = load()
    (status_path,) = [path for path in requests() if path.endswith("/status-updates")]
    commitment_id = status_path.split("/")[2]

    assert ImportOrder.model_validate(requests()["/statements/import"][1]).catalogue == catalogue.statement.id
    NewSubscription.model_validate_json(json.dumps(requests()["/subscriptions"][1]))
    update = NewStatusUpdate.model_validate_json(json.dumps(requests()[status_path][1]))
    (commitment,) = [one for one in catalogue.commitments if one.id == commitment_id]
    assert update.country in (commitment.countries or catalogue.statement.countries)


def test_the_ports_are_those_of_compose() -> None:
    """
    The curl lines ask at the ports that docker-compose.yml publishes.
    """
    compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
    for path, (base, _) in requests().items():
        service = "notifier" if path == "/subscriptions" else "registry"
        (port,) = compose[service]["ports"]
        assert base == f"http://{port.rsplit(':', 1)[0]}"


def test_the_python_example_reads_as_we_do() -> None:
    """
    The snippet runs, loses nothing by its settings, and reads a real event.
    """
    (snippet,) = blocks("python")
    names: dict[str, Any] = {}

    exec(compile(snippet, "README.md", "exec"), names)

    (subscriber,) = names["broker"].subscribers
    assert subscriber.topic_names == ["milestone-due"]
    assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
    assert subscriber._connection_args["auto_offset_reset"] == "earliest"
    assert {"commitment", "phase", "days"} <= set(MilestoneDue.model_fields)
