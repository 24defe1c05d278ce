"""`pledgewire render`: what would be sent of an event, as it would be sent, and errors that say what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts import generate
from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.cli.service_client import ASKED_WRONGLY, NOT_FOUND, CommandClient
from services.notifier.channels.webhook import cloud_event
from services.notifier.rendering.message import SUBJECT_LENGTH
from tests.notifier.rendering.material import GOLDEN

EXAMPLES = generate.HERE / "examples"
DUE = "milestone-due.v1.coal-finance-in-7-days"


def render(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["render", *arguments])


def example(name: str) -> str:
    return str(EXAMPLES / f"{name}.json")


def test_a_mail_is_shown_with_its_subject() -> None:
    said = render(example(DUE), "--lang", "es")

    assert said.exit_code == 0, said.output
    assert said.stderr.startswith("Subject: En 7 días: ")
    assert len(said.stderr.strip()) <= len("Subject: ") + SUBJECT_LENGTH
    assert "<html" in said.stdout
    assert "\x7f" not in said.stdout


def test_the_text_of_a_mail_tells_times_in_the_readers_zone() -> None:
    said = render(example(DUE), "--text", "--zone", "America/Toronto")

    assert said.stdout.startswith("In 7 days\n")
    assert "(Toronto)" in said.stdout


@pytest.mark.parametrize("channel", ["slack", "teams", "webhook"])
def test_what_is_posted_is_json(channel: str) -> None:
    assert json.loads(render(example(DUE), "--channel", channel).stdout)


def test_programs_read_one_document() -> None:
    mail, card = (
        json.loads(render(example(DUE), "--json", "--channel", channel).stdout) for channel in ("email", "slack")
    )

    assert (mail["channel"], mail["language"], card["subject"]) == ("email", "en", None)
    assert mail["subject"].startswith("In 7 days: ")
    assert "<html" in mail["body"]
    assert card["body"]["blocks"]


def test_an_event_as_a_webhook_gets_it_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(cloud_event(GOLDEN[DUE]))

    assert render(str(file)).stdout == render(example(DUE)).stdout


def test_several_events_are_one_message() -> None:
    said = render(example(DUE), example("status-changed.v1.canada-seul"), "--text", "--lang", "fr")

    assert "https" not in said.stderr
    assert said.stdout.count("\n* ") == 2


def test_it_is_written_to_a_file_and_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("typer.launch", opened.append)
    file = tmp_path / "card.json"

    said = render(example(DUE), "--channel", "teams", "--out", str(file), "--open")
    assert said.stdout.strip() == str(file)
    assert opened == [str(file)]
    assert json.loads(file.read_text(encoding="utf-8"))["type"] == "message"


def test_an_id_is_looked_up_at_the_notifier(monkeypatch: pytest.MonkeyPatch) -> None:
    event, asked = GOLDEN[DUE], list[str]()

    def ask(_: CommandClient, method: str, path: str, **__: Any) -> Any:
        asked.append(f"{method} {path}")
        return json.loads(cloud_event(event))

    monkeypatch.setattr(CommandClient, "ask", ask)
    assert render(str(event.id), "--text").stdout.startswith("In 7 days\n")
    assert asked == [f"GET /events/{event.id}"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["no-such-file.json"], NOT_FOUND),
        ([example("status-reported.v1.canada-framework")], ASKED_WRONGLY),
        ([example(DUE), "--channel", "pigeon"], ASKED_WRONGLY),
        ([example(DUE), "--lang", "tlh"], ASKED_WRONGLY),
        ([example(DUE), "--zone", "Atlantis"], ASKED_WRONGLY),
        ([example(DUE), example(DUE), "--channel", "webhook"], ASKED_WRONGLY),
    ],
)
def test_who_asks_wrongly_hears_what_to_do(arguments: list[str], status: int) -> None:
    failed = render(*arguments).exception

    assert isinstance(failed, EmbeddedError)
    assert failed.status == status
    assert failed.how
