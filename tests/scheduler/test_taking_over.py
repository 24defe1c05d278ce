"""Reminders and levels that were told before an old backup: retraced by their events, and not told again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from contracts.vocabulary import Reading
from services.plumbing.recovery.taking_over import TakingOver, TopicRecord
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.escalator import Escalator
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.taking_over import TOPICS, MissedSchedulerEvents, count_due
from tests.scheduler.running import END_OF_2021, Scheduler
from tests.scheduler.scenes import created, scheduled, utc

REMINDERS = "select step, state, due_at, fired_at, event_id from reminder order by due_at, step"
ESCALATIONS = "select state, round, since, rank, told, next_at from escalation"
LOG = "select what, round, rank, repeat, event_id from escalation_log order by id"
TABLES = ("reminder", "escalation_log", "escalation", "outbox", "outbox_seq")


def escalator_of(scheduler: Scheduler) -> Escalator:
    return Escalator(scheduler.database, scheduler.clock, EscalationStore(read_escalation_book()))


def as_read(rows: Sequence[Any]) -> list[TopicRecord]:
    return [
        TopicRecord(
            row["topic"],
            0,
            offset,
            row["key"].encode(),
            [(name, text.encode()) for name, text in row["headers"].items()],
            row["value"],
            0,
        )
        for offset, row in enumerate(rows)
    ]


@pytest.mark.parametrize("days", [0.5, 28], ids=["ticking", "in leaps"])
@pytest.mark.parametrize("reading", [Reading.BY, Reading.ON], ids=["a deadline", "an event"])
async def test_what_was_told_since_the_backup_stays_told_and_goes_on(
    scheduler: Scheduler, reading: Reading, days: float
) -> None:
    """Through all steps and three levels, so that each tick rests on what the one before has planned.

    In leaps, as after downtimes, an event is asked about later than on the day after its own.
    """
    escalator = escalator_of(scheduler)
    await scheduler.hears(created(), scheduled(END_OF_2021.model_copy(update={"reading": reading})))
    async with scheduler.database.connection() as connection:
        for table in TABLES:
            await connection.execute(f"create table backup_{table} as table {table}")

    async def plays(since: Any, until: Any) -> None:
        now = since
        while now < until:
            scheduler.clock.set(now)
            await scheduler.tick.once()
            await escalator.once()
            now += timedelta(days=days)

    await plays(utc(2021, 11, 19, 15), utc(2022, 6, 1))
    queries = (REMINDERS, ESCALATIONS, LOG)
    then = [await scheduler.rows(query) for query in queries]
    published = [await scheduler.rows("select * from outbox where topic = $1 order by id", t.name) for t in TOPICS]
    told = {topic.name for topic, rows in zip(TOPICS, published, strict=True) if len(rows) > 2}
    assert told == {"milestone-due", "milestone-escalated"}
    published = [rows for rows in published if rows]
    async with scheduler.database.connection() as connection:
        await connection.execute(f"delete from {', '.join(TABLES[:1])}")
        await connection.execute("delete from escalation_log; delete from escalation; delete from outbox")
        await connection.execute("delete from outbox_seq")
        for table in reversed(TABLES):
            await connection.execute(f"insert into {table} overriding system value table backup_{table}")

    taking_over = TakingOver(scheduler.database, MissedSchedulerEvents(scheduler.tick, escalator))
    for rows in published:
        assert await taking_over.take(as_read(rows)) == len(rows)

    assert [await scheduler.rows(query) for query in queries] == then
    async with scheduler.database.connection() as connection:
        assert await count_due(scheduler.clock, connection) == 0
    before = len(await scheduler.rows("select from outbox"))
    await scheduler.tick.once()
    await escalator.once()
    assert len(await scheduler.rows("select from outbox")) == before
    assert await scheduler.rows("select remarks from recovery") == [([],)]
    await plays(utc(2022, 6, 1), utc(2022, 9, 1))
    seqs = await scheduler.rows("select topic, last from outbox_seq order by topic")
    counted = await scheduler.rows("select topic, count(*) from outbox group by topic order by topic")
    assert [tuple(row) for row in seqs] == [tuple(row) for row in counted]
    assert sum(row["last"] for row in seqs) > before
