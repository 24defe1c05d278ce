"""What newer zone data, and tables of an older release, change."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.commitments import Milestone
from contracts.vocabulary import Reading
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.migrations import downgrade, upgrade
from services.plumbing.zones import ZONE_DATA
from services.scheduler.ladders.planning import plan
from services.scheduler.migrations import VERSIONS
from tests.conftest import FreshDatabase
from tests.scheduler.reminders.replanning_scenes import ME, choice, chooses, client, waiting
from tests.scheduler.running import COAL, END_OF_2021, THEN, Scheduler
from tests.scheduler.scenes import before_parties, brief, created, milestone, scheduled, utc


async def test_other_zone_data_moves_instants_and_says_which(scheduler: Scheduler, tmp_path: Path) -> None:
    """As if the rows had been written when Mexico City still was an hour ahead on New Year's Eve."""
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("on-the-day"))
    async with scheduler.database.connection() as connection:
        await connection.execute("update tick set zone_data = '2020.1'")
        await connection.execute(
            "update reminder set due_at = due_at - interval '1 hour' where state = 'pending' and step = 'on-the-day'"
        )
    http, _ = await client(scheduler, tmp_path)
    async with http:
        before = (await http.get("/zones")).json()
        await scheduler.tick.once()
        after = (await http.get("/zones?limit=10")).json()

    assert (before["stored"], before["zone_data"], before["changes"]) == ("2020.1", ZONE_DATA, [])
    assert (after["stored"], datetime.fromisoformat(after["recomputed_at"])) == (ZONE_DATA, THEN)
    assert {
        (None, "2021-12-31T14:00:00Z", "2021-12-31T15:00:00Z"),
        (str(ME), "2021-12-31T12:00:00Z", "2021-12-31T13:00:00Z"),
    } == {(c["audience"], c["before"], c["after"]) for c in after["changes"]}
    assert {("end-of-2021", "on-the-day", "2020.1", ZONE_DATA)} == {
        (c["milestone_id"], c["step"], c["from_release"], c["to_release"]) for c in after["changes"]
    }


async def test_a_reminder_that_newer_zone_data_puts_into_the_past_is_told(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    async with scheduler.database.connection() as connection:
        await connection.execute(
            "update reminder set due_at = due_at + interval '2 hours' where state = 'pending' and step = 'before-30d'"
        )

    [told] = await scheduler.ticks_at(utc(2021, 12, 1, 16))

    assert ("before-30d", utc(2021, 12, 1, 15)) == (told.step, told.due_at)


async def test_what_the_first_release_planned_is_computed_anew_at_the_first_start(
    fresh_database: FreshDatabase, scheduler: Scheduler
) -> None:
    url = await fresh_database({"scheduler": VERSIONS})
    await downgrade(url, "scheduler", VERSIONS, "0001")
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    someday = milestone(None, id_="someday", reading=Reading.UNDATED)
    async with database.connection() as connection:
        await connection.execute("update tick set zone_data = $1, business_at = $2", ZONE_DATA, THEN)
        await connection.execute(
            "insert into commitment_state (commitment_id, overall, seq, countries) values ($1, 'announced', 0, '{}')",
            COAL,
        )
        for what in (END_OF_2021, someday):
            await connection.execute(
                "insert into milestone_plan values ($1, $2, 1, $3, $4, false, null)",
                what.id,
                COAL,
                before_parties(brief()),
                _as_of_the_first_release(what),
            )
        await connection.execute(
            "insert into reminder (milestone_id, schedule_version, step, due_at, state)"
            " values ('end-of-2021', 1, 'on-the-day', '2021-12-31T15:00Z', 'pending')"
        )
    await database.close()
    await upgrade(url, "scheduler", VERSIONS)
    await database.open()
    later = replace(scheduler, database=database, tick=type(scheduler.tick)(database, scheduler.clock))

    await later.tick.once()

    assert {
        (what.id, 1, one.step.name, None, one.due_at)
        for what in (END_OF_2021, someday)
        for one in plan(what, THEN)
        if one.state == "pending"
    } == await waiting(later)
    assert await later.rows("select from zone_change") == []
    await database.close()


def _as_of_the_first_release(what: Milestone) -> dict[str, Any]:
    stored = before_parties(what)
    for name in ("offset", "local_time", "review_months", "wording_language"):
        del stored[name]
    return stored
