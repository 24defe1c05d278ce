"""`pledgewire schedule`, against a scheduler and a notifier's summary that really listen."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from fastapi import FastAPI
from typer.testing import CliRunner

from contracts.envelope import Envelope
from contracts.events import LadderHolidays
from contracts.vocabulary import Precision, Reading
from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.app import web_app
from services.plumbing.http.problems import not_found
from services.plumbing.ids import new_id
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.intake import Planner
from services.scheduler.ladders.book_reader import DEFAULT_BOOK
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.records import ReceivedCommitmentEvent, ReceivedLadderChoice
from services.scheduler.reminders.replanning import Replanner
from services.scheduler.reminders.tick import Tick
from tests.conftest import FreshDatabase
from tests.portal.serving import Served
from tests.scheduler.reminders.replanning_scenes import LATE_ONES, ME, YOU, choice
from tests.scheduler.scenes import SHIPPED, created, milestone, scheduled, utc
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys

PROJECT = Path(__file__).resolve().parents[2]
THEN = utc(2021, 11, 18, 18)
COAL = "end-coal-finance-abroad"
DUE = milestone(date(2021, 12, 31))
SUMMIT = milestone(date(2022, 12, 31), id_="summit", precision=Precision.YEAR, reading=Reading.ON)

Command = Callable[..., Result]


def notifier() -> FastAPI:
    """What a notifier says of a subscription to whoever asks."""
    served = web_app("notifier", "Notifier", {})

    @served.get("/subscriptions/{id_}")
    async def subscription(id_: str) -> dict[str, str]:
        if id_ != str(YOU):
            raise not_found("subscription")
        return {"id": id_, "language": "fr", "zone": "America/Toronto"}

    return served


@pytest.fixture
def environment(fresh_database: FreshDatabase, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Where a scheduler listens that knows two milestones and one reader's ladder, and a key for it."""
    url = asyncio.run(_made(fresh_database))
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    clock = SharedClock(tmp_path / "clock")
    keys = known_keys({"desk": ["editor", "subscriber", "operator"]})
    rules_cache = RulesCache(SHIPPED)
    watched = EscalationStore(read_escalation_book())
    served_app = app_of(database, clock, keys=keys, rules_cache=rules_cache, escalations=watched)
    with Served(served_app) as served, Served(notifier()) as summaries:
        served.run(database.open())
        clock.set(THEN)
        served.run(_heard(database, clock, rules_cache, watched))

        yield {
            "SCHEDULER_URL": served.url,
            "NOTIFIER_URL": summaries.url,
            "PLEDGEWIRE_KEY": keys["desk"],
            "COLUMNS": "80",
        }
        served.run(database.close())


@pytest.fixture
def command(environment: dict[str, str]) -> Command:
    """The command line in this process, as somebody with that environment has it."""

    def run(*words: str, **more: str) -> Result:
        return CliRunner().invoke(app, ["schedule", *words], env={**environment, **more})

    return run


def program(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The command line as a program of its own, whose output is its own too."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", "schedule", *words],
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


async def _made(fresh_database: FreshDatabase) -> str:
    return await fresh_database({"scheduler": VERSIONS})


async def _heard(database: Database, clock: SharedClock, rules_cache: RulesCache, watched: EscalationStore) -> None:
    """Two milestones and a choice are heard, and the first reminder is told."""
    events = (created(), scheduled(DUE), scheduled(SUMMIT))
    holidays = LadderHolidays(country="CA", subdivision="ON")
    mine = choice("before-3bd", "on-the-day", holidays=holidays)
    planner = Planner(database, clock, rules_cache, watched)
    await planner.apply(
        [ReceivedCommitmentEvent(Envelope(new_id(), THEN, e.commitment.id, "call-1"), e) for e in events]
    )
    await planner.apply([ReceivedLadderChoice(Envelope(new_id(), THEN, str(ME)), mine)])
    while await Replanner(database, rules_cache).once():
        pass
    clock.set(utc(2021, 12, 1, 15))
    await Tick(database, clock, rules_cache).once()


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.exception
    assert all(len(line) <= 80 for line in result.stdout.splitlines()), result.stdout
    return [line.rstrip() for line in result.stdout.replace("\u202f", " ").splitlines()]


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def joined(said: list[str]) -> str:
    return " ".join(" ".join(said).split())


def test_a_preview_shows_every_instant_in_80_columns(command: Command) -> None:
    said = lines(command("preview", COAL, "--zone", "America/Toronto"))

    assert said[0] == f"{COAL}: {COAL}"
    assert "times of America/Toronto; in brackets those of America/Mexico_City" in said
    told = [line.split() for line in said if line.startswith("20")]
    assert any(line.startswith("(09:00) ") for line in said)
    assert ["2021-12-24", "10:00", "before-7d"] in [[*row[:2], row[3]] for row in told]
    assert {"passed", "told", "to"} <= {row[4] for row in told if len(row) > 4}
    assert "before-7d, before-1d, on-the-day: not planned: the date is known to the year only" in joined(said)
    assert "  2022-01-01 10:00  Focal point hears (round 1)" in said


def test_a_preview_as_json_is_the_answer_of_the_interface(command: Command) -> None:
    seen = document(command("preview", COAL, "--json", "--limit", "0"))

    assert (seen["commitment_id"], seen["ladder_of"], seen["language"]) == (COAL, "book", "en")
    assert {m["state"] for one in seen["milestones"] for m in one["moments"]} == {"passed", "fired", "pending"}


def test_a_subscription_sees_its_own_ladder_with_its_reasons(command: Command) -> None:
    said = joined(lines(command("preview", COAL, "--subscription", str(ME), "--language", "en", NOTIFIER_URL="")))

    assert "by the subscription's own ladder" in said
    assert "2021-12-24 08:00" in said
    assert "Ontario:" in said and "Boxing Day" in said


def test_a_subscription_without_a_ladder_is_shown_in_its_own_zone_and_language(command: Command) -> None:
    seen = document(command("preview", COAL, "--subscription", str(YOU), "--json"))
    other = document(command("preview", COAL, "--subscription", str(YOU), "--json", "--language", "es"))

    assert (seen["language"], seen["milestones"][0]["reader_zone"]) == ("fr", "America/Toronto")
    assert (other["language"], other["milestones"][0]["reader_zone"]) == ("es", "America/Toronto")


def test_where_no_notifier_is_named_it_is_said_what_is_not_known(command: Command) -> None:
    result = command("preview", COAL, "--subscription", str(YOU), NOTIFIER_URL="")

    assert result.exit_code == 0, result.exception
    assert "set NOTIFIER_URL" in result.stderr


def test_what_comes_next_is_listed_in_order(command: Command) -> None:
    said = lines(command("next", "--limit", "3", "--zone", "America/Toronto"))
    items = document(command("next", "--limit", "3", "--json"))["items"]

    due = [line.split() for line in said if line.startswith("2021")]
    assert [(*row[:2], row[3], row[4]) for row in due] == [
        ("2021-12-24", "10:00", "before-7d", DUE.id),
        ("2021-12-30", "10:00", "before-1d", DUE.id),
        ("2021-12-31", "10:00", "on-the-day", DUE.id),
    ]
    assert [str(item["id"]) for item in items] == [row[2] for row in due]
    assert lines(command("next", "--commitment", "another"))[-1].strip("─ ") == ""


def test_one_reminder_is_explained(command: Command) -> None:
    [told] = [
        moment
        for one in document(command("preview", COAL, "--json"))["milestones"]
        for moment in one["moments"]
        if moment["state"] == "fired"
    ]

    said = lines(command("explain", str(told["id"])))
    found = document(command("explain", str(told["id"]), "--json", "--language", "es"))

    assert said[0] == "Reminder before-30d of “No new public finance”, by December 31, 2021."
    assert "what became It was told on December 1, 2021, 9:00 AM (Mexico City)." in joined(said)
    assert f"event {told['event_id']}" in joined(said)
    assert "what next Next comes before-7d on December 24, 2021, 9:00 AM (Mexico City)." in joined(said)
    assert found["fate"]["sentence"].startswith("Se avisó el 1 de diciembre de 2021")


def test_the_ladder_book_is_shown_and_another_applied(
    command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    assert command("ladder", "show").stdout == SHIPPED.text == DEFAULT_BOOK.text
    file = tmp_path / "late.yaml"
    file.write_text(LATE_ONES)

    done = program(environment, "ladder", "apply", str(file), "--yes")
    again = document(command("ladder", "apply", str(file), "--yes", "--json"))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "version 1, 2 milestones planned anew",
        "      1 added",
        "     13 withdrawn",
        "      1 moved",
        "      0 passed",
    ]
    assert (again["version"], again["withdrawn"]) == (1, 0)
    assert document(command("ladder", "show", "--json"))["applied_by"] == "desk"
    assert command("ladder", "show").stdout == LATE_ONES


@pytest.mark.parametrize(
    ("words", "more", "status", "complaint"),
    [
        (["preview", "nobody-knows-it"], {}, 3, "refuses (404): There is no such commitment"),
        (["preview", "No Id"], {}, 2, "commitment: "),
        (["preview", COAL, "--zone", "Mars/Olympus"], {}, 2, "no zone is named 'Mars/Olympus'"),
        (["preview", COAL, "--language", "de"], {}, 2, "use en, en-US, en-CA, es, es-MX, fr, fr-CA"),
        (["preview", COAL, "--subscription", "me"], {}, 2, "is no subscription's id"),
        (["preview", COAL, "--subscription", str(ME)], {}, 3, "the notifier refuses (404)"),
        (["preview", COAL, "--subscription", str(ME)], {"NOTIFIER_URL": "http://127.0.0.1:1"}, 1, "does not answer"),
        (["preview", COAL], {"SCHEDULER_URL": "http://127.0.0.1:1"}, 1, "the scheduler at http://127.0.0.1:1"),
        (["next"], {"SCHEDULER_URL": "nowhere"}, 2, "can't be asked at nowhere"),
        (["next", "--commitment", "No Id"], {}, 2, "commitment: "),
        (["explain", "999999"], {}, 3, "refuses (404): There is no such reminder"),
        (["explain", "0"], {}, 2, "id_: "),
        (["ladder", "apply", "{late}", "--yes"], {"PLEDGEWIRE_KEY": ""}, 2, "takes an API key"),
        (["ladder", "apply", "{late}", "--yes"], {"PLEDGEWIRE_KEY": "e" * 40}, 1, "refuses (401)"),
        (["ladder", "apply", "{late}"], {}, 2, "say --yes"),
        (["ladder", "apply", "{bad}", "--yes"], {}, 2, "bad.yaml, line 1: ladders"),
        (["ladder", "apply", "{missing}", "--yes"], {}, 2, "can't be read"),
    ],
)
def test_what_goes_wrong_is_said_in_two_lines(
    command: Command, tmp_path: Path, words: list[str], more: dict[str, str], status: int, complaint: str
) -> None:
    files = {name: tmp_path / f"{name}.yaml" for name in ("late", "bad", "missing")}
    files["late"].write_text(LATE_ONES)
    files["bad"].write_text("ladders: []")

    result = command(*(word.format(**files) for word in words), **more)

    assert isinstance(result.exception, EmbeddedError), result.exception
    assert result.exception.status == status
    assert complaint in str(result.exception)
    assert len(str(result.exception).splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "status"), [(["preview", "x", "--zone", "Mars/Olympus"], 2), (["explain", "one"], 2), (["next"], 1)]
)
def test_the_program_ends_with_the_status_of_what_went_wrong(words: list[str], status: int) -> None:
    done = program({"SCHEDULER_URL": "http://127.0.0.1:1"}, *words)

    assert (done.returncode, done.stdout) == (status, "")
    assert "Traceback" not in done.stderr
