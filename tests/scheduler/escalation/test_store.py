"""Escalation on a real PostgreSQL: heard, told, acknowledged, also by several at once, and walked at random."""

from pathlib import Path

import pytest

from contracts.vocabulary import Status
from services.cli.databases import schema_versions
from services.cli.observing import Observer
from services.plumbing.isolation import SYSTEMIC
from services.scheduler.escalation import escalator
from services.scheduler.escalation.book import read_escalation_book
from tests.conftest import FreshDatabase
from tests.scheduler.escalation.running import DUE, FIRST, LATEST, OVERDUE, Scheduler, furnished
from tests.scheduler.scenes import changed, created, milestone, scheduled, utc

# What changes under it, and what breaks


async def test_other_waits_are_reckoned_with_by_the_next_process(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    levels = tuple(level.model_copy(update={"wait": 2}) for level in read_escalation_book().levels)
    book = read_escalation_book().model_copy(update={"levels": levels})

    await scheduler.another(book).once()

    assert await scheduler.state() == ("climbing", utc(2022, 1, 3, 15))


async def test_other_zone_data_is_reckoned_with_by_the_next_process(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.rows("update escalation set next_at = next_at + interval '1 hour', reckoned_with = 'old'")

    await scheduler.another().once()

    assert await scheduler.state() == ("dormant", OVERDUE)


async def test_milestones_from_before_there_were_escalations_begin_with_the_first_level(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.rows("delete from escalation")
    scheduler.clock.set(utc(2024, 5, 1, 20))
    assert (await scheduler.acknowledges()).status_code == 503
    await scheduler.hears(changed(Status.AT_RISK))

    assert await scheduler.ticks_at(utc(2024, 5, 1, 20)) == []
    [event] = await scheduler.ticks_at(utc(2024, 5, 2, 15))

    assert (event.level, event.late, event.status) == ("focal-point", False, Status.AT_RISK)


async def test_a_milestone_that_cannot_be_told_does_not_stop_the_others(scheduler: Scheduler) -> None:
    names = [f"commitment-{i}" for i in range(3)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(*(scheduled(milestone(LATEST, id_=f"{name}-one"), id_=name) for name in names))
    await scheduler.ticks_at(OVERDUE)
    [good] = await scheduler.rows("select milestone from milestone_plan where milestone_id = 'commitment-1-one'")
    await scheduler.rows("update milestone_plan set milestone = '{}' where milestone_id = 'commitment-1-one'")

    told = await scheduler.ticks_at(FIRST)

    assert {e.commitment.id for e in told} == {"commitment-0", "commitment-2"}
    [failed] = await scheduler.rows("select milestone_id, failed from escalation where failed is not null")
    assert failed["milestone_id"] == "commitment-1-one"
    assert "wording" in failed["failed"]
    await scheduler.rows(
        "update milestone_plan set milestone = $1 where milestone_id = 'commitment-1-one'", good["milestone"]
    )
    await scheduler.another().once()
    assert [e.commitment.id for e in await scheduler.told()][-1] == "commitment-1"


async def test_when_nothing_works_at_all_it_is_no_milestones_fault(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"commitment-{i}" for i in range(SYSTEMIC)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(*(scheduled(milestone(LATEST, id_=f"{name}-one"), id_=name) for name in names))

    def broken(*_: object) -> None:
        raise KeyError("a slip of ours")

    monkeypatch.setattr(escalator, "advanced", broken)

    with pytest.raises(RuntimeError, match="none of 20 milestones"):
        await scheduler.ticks_at(FIRST)
    assert not await scheduler.rows("select from escalation where failed is not null")


# Seen from outside


async def test_the_observer_sees_what_is_due_and_what_was_said_twice(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    scheduler = await furnished(await fresh_database(schema_versions()), tmp_path, read_escalation_book())
    await scheduler.hears(created(), scheduled(DUE))
    law = "no level was told twice in a round"
    async with Observer(scheduler.url) as observer:
        assert (await observer.pending_work(FIRST)).escalations_due == 1
        await scheduler.ticks_at(FIRST)
        assert (await observer.pending_work(FIRST)).escalations_due == 0
        assert {check.name: check.ok for check in await observer.conservation()}[law]

        await scheduler.rows(
            "insert into outbox (event_id, topic, key, headers, value, created_at)"
            " select gen_random_uuid(), topic, key, headers, value, created_at from outbox"
            " where topic = 'milestone-escalated'"
        )

        assert not {check.name: check.ok for check in await observer.conservation()}[law]
    await scheduler.http.aclose()
    await scheduler.database.close()
