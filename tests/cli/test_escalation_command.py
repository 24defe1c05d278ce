"""`pledgewire escalation`, against a scheduler that really listens."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from contracts.envelope import Envelope
from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.ids import new_id
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.escalator import Escalator
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.intake import Planner
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from tests.conftest import FreshDatabase
from tests.portal.serving import Served
from tests.scheduler.escalation.running import DUE, FIRST, THEN
from tests.scheduler.scenes import created, scheduled
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys

Command = Callable[..., Result]


@pytest.fixture
def command(fresh_database: FreshDatabase, tmp_path: Path) -> Iterator[Command]:
    """The command line, with a scheduler whose one milestone is overdue and has been told of."""
    url = asyncio.run(_made(fresh_database))
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    clock = SharedClock(tmp_path / "clock")
    keys = known_keys({"mx-sre": ["reporter"]}, {"mx-sre": "mx-sre"})
    watched = EscalationStore(read_escalation_book())
    with Served(app_of(database, clock, keys=keys, escalations=watched)) as served:
        served.run(database.open())
        clock.set(THEN)
        heard = [
            ReceivedCommitmentEvent(Envelope(new_id(), THEN, e.commitment.id, "call-1"), e)
            for e in (created(), scheduled(DUE))
        ]
        served.run(Planner(database, clock, escalations=watched).apply(heard))
        clock.set(FIRST)
        served.run(Escalator(database, clock, watched).once())

        def run(*words: str, **environment: str) -> Result:
            return CliRunner().invoke(
                app,
                ["escalation", *words],
                env={"SCHEDULER_URL": served.url, "PLEDGEWIRE_KEY": keys["mx-sre"], **environment},
            )

        yield run
        served.run(database.close())


async def _made(fresh_database: FreshDatabase) -> str:
    return await fresh_database({"scheduler": VERSIONS})


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.exception
    return result.stdout.splitlines()


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def test_what_is_overdue_is_listed_owned_and_shown(command: Command) -> None:
    assert lines(command("list")) == ["end-of-2021  round 1, focal-point has heard, director hears 2022-01-08T15:00"]

    assert lines(command("acknowledge", DUE.id, "--name", "Ana Ruiz", "--note", "On it.")) == [
        "end-of-2021  owned by Ana Ruiz since 2022-01-01T15:00, evidence by 2022-01-15T15:00"
    ]

    assert lines(command("list")) == []
    assert [item["milestone_id"] for item in document(command("list", "--state", "owned", "--json"))["items"]] == [
        DUE.id
    ]
    shown = lines(command("show", DUE.id))
    assert shown[0] == "end-of-2021: No new public finance"
    assert shown[2].startswith("last day 2021-12-31, America/Mexico_City; owned by Ana Ruiz")
    assert [line.split("  ")[1:] for line in shown[3:]] == [
        ["overdue", "round 1"],
        ["told", "round 1", "focal-point"],
        ["acknowledged", "round 1", "Ana Ruiz", "On it."],
    ]
    assert document(command("show", DUE.id, "--json"))["state"] == "owned"


@pytest.mark.parametrize(
    ("words", "environment", "complaint"),
    [
        (["show", "nobody-knows-it"], {}, "refuses (404): There is no such milestone"),
        (["show", "No Id"], {}, "milestone_id"),
        (["list", "--state", "happy"], {}, "state: "),
        (["acknowledge", DUE.id, "--name", "Ana"], {"PLEDGEWIRE_KEY": ""}, "no API key is given"),
        (["list"], {"PLEDGEWIRE_KEY": ""}, "no API key is given"),
        (["acknowledge", DUE.id, "--name", "Ana"], {"PLEDGEWIRE_KEY": "e" * 40}, "refuses (401)"),
        (["acknowledge", DUE.id, "--name", "  "], {}, "there is nothing to be seen in it"),
        (["list"], {"SCHEDULER_URL": "http://127.0.0.1:1"}, "does not answer"),
        (["list"], {"SCHEDULER_URL": "nowhere"}, "can't be asked at nowhere"),
    ],
)
def test_what_goes_wrong_is_said_in_two_lines(
    command: Command, words: list[str], environment: dict[str, str], complaint: str
) -> None:
    result = command(*words, **environment)

    assert isinstance(result.exception, EmbeddedError), result.exception
    assert complaint in str(result.exception)
    assert len(str(result.exception).splitlines()) == 2
