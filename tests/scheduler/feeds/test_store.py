"""Calendars and feeds of events at their addresses, over HTTP on a real PostgreSQL."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from prometheus_client import generate_latest

from contracts.vocabulary import Reading
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.logs import configure_logs, log
from services.plumbing.migrations import upgrade
from services.scheduler.migrations import VERSIONS
from tests.conftest import FreshDatabase
from tests.scheduler.feeds.scenes import days, only
from tests.scheduler.feeds.serving import END_OF_2021, SUMMIT, THEN, LiveScheduler
from tests.scheduler.scenes import before_parties, brief, created, milestone, scheduled
from tests.stand_ins.collector import collecting

# Secrets


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What a process of ours writes to standard error, set up as it is there."""
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logs("scheduler", "DEBUG")
    yield written
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    vars(log).pop("bind", None)  # the logger keeps how it was set up when it is used first


async def test_no_log_trace_or_metric_tells_an_address(
    scheduler: LiveScheduler, logged: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    made = await scheduler.makes()
    with collecting(monkeypatch, "scheduler") as collector:
        for path in made["paths"]:
            await scheduler.reads(path)
        await scheduler.sql("update feed set alarms = '{null}'")
        await scheduler.sql("update calendar_entry set mark = nextval('calendar_mark')")
        assert (await scheduler.reads(made["paths"][0])).status_code == 500
        metrics = generate_latest().decode()

    [line] = [json.loads(line) for line in logged.getvalue().splitlines() if "request_failed" in line]
    assert line["path"] == "/feeds/{token}/calendar.ics"
    assert "TypeError" in line["exception"]
    assert "GET /feeds/{token}/events.atom" in [span.name for span in collector.spans()]
    token = made["paths"][0].split("/")[2]
    for place in (logged.getvalue().encode(), *collector.received, metrics.encode()):
        assert token[:12].encode() not in place


# The tables


async def test_what_was_planned_before_there_were_calendars_is_in_them(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    """
    The revision makes entries of the plans that it finds: open, met, withdrawn, and none of the undated.
    """
    url = await fresh_database({})
    await upgrade(url, "scheduler", VERSIONS, "0004")
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    plans = {
        "open": (END_OF_2021, False, "announced"),
        "met": (SUMMIT, True, "met"),
        "withdrawn": (SUMMIT, True, "withdrawn"),
        "undated": (milestone(None), False, "announced"),
    }
    async with database.connection() as connection:
        for name, (what, settled, overall) in plans.items():
            await connection.execute(
                "insert into commitment_state (commitment_id, overall, seq, countries) values ($1, $2, 0, '{}')",
                name,
                overall,
            )
            await connection.execute(
                "insert into milestone_plan (milestone_id, commitment_id, schedule_version, commitment, milestone,"
                " settled, scheduled_at) values ($1, $1, 3, $2, $3, $4, $5)",
                name,
                before_parties(brief(name)),
                before_parties(what.model_copy(update={"id": name})),
                settled,
                THEN,
            )

    await upgrade(url, "scheduler", VERSIONS)

    async with database.connection() as connection:
        rows = await connection.fetch("select milestone_id, state, version, parties, changed_at from calendar_entry")
    await database.close()
    assert {row["milestone_id"]: row["state"] for row in rows} == {n: n for n in ("open", "met", "withdrawn")}
    assert {(row["version"], *row["parties"], row["changed_at"]) for row in rows} == {(3, "CA", "MX", "US", THEN)}


async def test_a_summit_goes_from_a_year_to_days_in_a_calendar(scheduler: LiveScheduler) -> None:
    fuzzy = SUMMIT.model_copy(update={"reading": Reading.ON})
    exact = milestone(date(2023, 1, 10), id_="summit", earliest=date(2023, 1, 9), reading=Reading.ON)
    await scheduler.hears(created(), scheduled(fuzzy))
    path = (await scheduler.makes(language="fr"))["paths"][0]
    before = only((await scheduler.reads(path)).content)

    await scheduler.hears(scheduled(exact, 2, change="more-precise"))

    after = only((await scheduler.reads(path)).content)
    assert before.summary.value == "No new public finance (date non fixée\u00a0: 2022)"
    assert (before.status.value, after.status.value) == ("TENTATIVE", "CONFIRMED")
    assert (before.uid.value, after.sequence.value) == (after.uid.value, "1")
    assert days(after) == (date(2023, 1, 9), date(2023, 1, 10))
    assert UUID((await scheduler.http.get("/feeds")).json()["items"][0]["id"]).version == 7
