"""Rows of dates that nobody takes any more: they are shown, and keep no correct event from being heard."""

from datetime import date
from typing import Any

import pytest

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Span
from services.scheduler.reminders import replanning
from tests.scheduler.previews.asking import Preview
from tests.scheduler.running import COAL, END_OF_2021, Scheduler
from tests.scheduler.scenes import created, milestone, scheduled, utc

CORRECTED = milestone(date(2030, 6, 30))
OTHER = milestone(date(2029, 6, 30), id_="another")


def dated(earliest: date, latest: date, precision: Precision = Precision.DAY) -> Milestone:
    edtf = f"{earliest}/{latest}"
    return END_OF_2021.model_copy(
        update={"span": Span(edtf=edtf, earliest=earliest, latest=latest, precision=precision)}
    )


async def add_row(scheduler: Scheduler, step: str, milestone_id: str = END_OF_2021.id) -> None:
    """As an older program wrote it, or a hand."""
    await scheduler.rows(
        "insert into reminder (milestone_id, schedule_version, step, due_at, state) values ($1, 1, $2, $3, 'pending')",
        milestone_id,
        step,
        utc(2022, 1, 15),
    )


@pytest.mark.parametrize(
    "what",
    [
        dated(date(9999, 12, 30), date(9999, 12, 31)),
        dated(date(9999, 1, 1), date(9999, 12, 31), Precision.YEAR),
        dated(date(1, 1, 1), date(9999, 12, 31)),
        dated(date(1, 1, 1), date(1, 1, 1)),
        dated(date(1921, 6, 30), date(1921, 6, 30)),
    ],
    ids=lambda what: str(what.span.edtf),
)
async def test_a_date_at_any_end_of_the_calendar_is_shown_and_corrected(
    scheduler: Scheduler, preview: Preview, what: Milestone
) -> None:
    await scheduler.hears(created(), scheduled(what))

    for zone in ("America/Toronto", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        await preview.of(zone=zone)
        for row in await scheduler.rows("select id from reminder"):
            await preview.explain(row["id"], zone=zone)
    await scheduler.hears(scheduled(CORRECTED, 2, change="moved"))
    assert (await scheduler.states(2))["before-90d"] == "pending"
    assert "pending" not in (await scheduler.states(1)).values()


@pytest.mark.parametrize("step", ["after-738210d", "after-tomorrow"])
async def test_a_row_with_any_step_keeps_no_correction_from_being_heard(
    scheduler: Scheduler, preview: Preview, step: str
) -> None:
    await scheduler.hears(created(), scheduled(dated(date(1921, 6, 30), date(1921, 6, 30))), scheduled(OTHER))
    await add_row(scheduler, step)

    shown = await preview.of()
    assert (step in [one["step"] for one in shown[END_OF_2021.id]["moments"]]) == (step == "after-738210d")
    async with scheduler.database.transaction() as connection:
        begun = await replanning.begin(connection, "book", scheduler.clock.now())
    done = await replanning.Replanner(scheduler.database, scheduler.planner._rules_cache).finish(begun)
    assert done.milestones == 2
    await scheduler.hears(scheduled(CORRECTED, 2, change="moved"))

    assert (await scheduler.states(2))["before-90d"] == "pending"
    assert await scheduler.ticks_at(utc(2022, 1, 16)) == []


async def test_an_old_step_that_is_due_is_told_and_nothing_follows_it(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(dated(date(1, 1, 1), date(1, 1, 1))))
    await add_row(scheduler, "after-738210d")

    [told] = await scheduler.ticks_at(utc(2022, 1, 16))

    assert (told.step, told.phase) == ("after-738210d", "overdue")
    assert "pending" not in (await scheduler.states()).values()


async def test_a_plan_that_can_not_be_read_keeps_no_correction_from_being_heard(
    scheduler: Scheduler, preview: Preview
) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021), scheduled(OTHER))
    await scheduler.rows(
        "update milestone_plan set milestone = milestone - 'title' where milestone_id = $1", END_OF_2021.id
    )
    await scheduler.rows(
        "update calendar_entry set milestone = milestone - 'title' where milestone_id = $1", END_OF_2021.id
    )

    assert set(await preview.of()) == {OTHER.id}
    [row, *_] = await scheduler.rows("select id from reminder where milestone_id = $1", END_OF_2021.id)
    explained: dict[str, Any] = await preview.get(f"/reminders/{row['id']}/explanation", status=404)
    assert explained["status"] == 404
    await scheduler.hears(scheduled(CORRECTED, 2, change="moved"))

    assert (await scheduler.states(2))["before-90d"] == "pending"
    assert "pending" not in (await scheduler.states(1)).values()
    assert set(await preview.of(commitment=COAL)) == {END_OF_2021.id, OTHER.id}
