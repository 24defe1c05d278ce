"""What stands at the addresses of feeds of events."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import feedparser

from contracts.vocabulary import Status
from services.scheduler.feeds.event_store import KEEP_EVENTS_FOR
from services.scheduler.intake import Planner
from services.scheduler.reminders.tick import Tick
from tests.scheduler.feeds.serving import END_OF_2021, THEN, LiveScheduler
from tests.scheduler.scenes import changed, created, scheduled, utc


async def entries(scheduler: LiveScheduler, path: str) -> list[Any]:
    found = feedparser.parse((await scheduler.reads(path)).content)
    assert not found.bozo
    return list(found.entries)


async def test_events_are_told_newest_first_with_their_own_ids(scheduler: LiveScheduler) -> None:
    heard = [
        *await scheduler.hears(created()),
        *await scheduler.hears(scheduled(END_OF_2021), at=THEN + timedelta(minutes=1)),
        *await scheduler.hears(changed(Status.AT_RISK), at=THEN - timedelta(hours=1)),
    ]
    scheduler.clock.set(utc(2021, 12, 24, 15))
    await Tick(scheduler.database, scheduler.clock).once()
    assert await scheduler.gathers() == 1
    assert await scheduler.gathers() == 0
    made = await scheduler.makes(language="es")
    [due] = await scheduler.sql("select event_id from outbox where topic = 'milestone-due'")

    for path in made["paths"][1:]:
        found = await entries(scheduler, path)
        assert [entry.id for entry in found] == [
            f"urn:uuid:{id_}" for id_ in (due["event_id"], *(heard[n].envelope.id for n in (1, 0, 2)))
        ]
        assert found[0].title == "Vence en 7 días: No new public finance"
        assert [entry.published_parsed[:5] for entry in found[::3]] == [(2021, 12, 24, 15, 0), (2021, 11, 18, 17, 0)]


async def test_a_repeat_of_an_event_changes_no_feed(scheduler: LiveScheduler) -> None:
    received = await scheduler.hears(created(), scheduled(END_OF_2021), changed(Status.IN_PROGRESS))
    made = await scheduler.makes()
    tags = [(await scheduler.reads(path)).headers["etag"] for path in made["paths"]]

    scheduler.clock.set(THEN + timedelta(days=1))
    await Planner(scheduler.database, scheduler.clock).apply([*received, *received])

    assert [(await scheduler.reads(path)).headers["etag"] for path in made["paths"]] == tags


async def test_a_reminder_of_somebodys_own_ladder_is_nobody_elses_news(scheduler: LiveScheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    scheduler.clock.set(utc(2021, 12, 24, 15))
    await Tick(scheduler.database, scheduler.clock).once()
    await scheduler.sql("update outbox set topic = 'own-ladder-due'")

    await scheduler.gathers()

    titles = [entry.title for entry in await entries(scheduler, (await scheduler.makes())["paths"][1])]
    assert [title for title in titles if title.startswith("Due")] == []
    assert len(titles) == 2


async def test_a_reminder_that_commits_behind_a_later_one_is_not_overlooked(scheduler: LiveScheduler) -> None:
    insert = (
        "insert into outbox (event_id, topic, key, headers, value, created_at, written_at)"
        " select $1, topic, key, headers, value, created_at, written_at from outbox where id = $2"
    )
    await scheduler.hears(created(), scheduled(END_OF_2021))
    scheduler.clock.set(utc(2021, 12, 24, 15))
    await Tick(scheduler.database, scheduler.clock).once()
    [first] = await scheduler.sql("select id from outbox")
    slow, fast = uuid4(), uuid4()

    async with scheduler.database.transaction() as connection:
        await connection.execute(insert, slow, first["id"])
        await scheduler.sql(insert, fast, first["id"])
        assert await scheduler.gathers() == 2
    assert await scheduler.gathers() == 1

    told = {
        row["event_id"] for row in await scheduler.sql("select event_id from feed_event where topic = 'milestone-due'")
    }
    assert {slow, fast} <= told
    await scheduler.sql("update outbox set written_at = written_at - interval '3 minutes'")
    await scheduler.gathers()
    [place] = await scheduler.sql("select outbox_id = (select max(id) from outbox) as at_the_end from feed_place")
    assert place["at_the_end"]


async def test_a_feed_tells_the_newest_hundred_of_four_hundred_days(scheduler: LiveScheduler) -> None:
    await scheduler.hears(*(changed(Status.IN_PROGRESS, seq) for seq in range(1, 121)))
    path = (await scheduler.makes())["paths"][1]
    assert len(await entries(scheduler, path)) == 100

    scheduler.clock.set(THEN + KEEP_EVENTS_FOR)
    assert len(await entries(scheduler, path)) == 100
    scheduler.clock.set(THEN + KEEP_EVENTS_FOR + timedelta(seconds=1))
    assert await entries(scheduler, path) == []
    await scheduler.gathers()
    assert await scheduler.sql("select from feed_event") == []
    await scheduler.hears(changed(Status.MET, 121), at=THEN)
    assert await scheduler.sql("select from feed_event") == [], "what is too old when it is heard is no news"
