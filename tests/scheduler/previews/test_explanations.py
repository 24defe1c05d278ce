"""What became of single reminders, and why, over HTTP."""

from datetime import date

from contracts.vocabulary import Reading, Status
from services.scheduler.ladders.book_reader import read_ladder_book
from services.scheduler.reminders import fired_reminders, ladder_store, replanning
from tests.scheduler.previews.asking import DUE, TORONTO, Preview, ids
from tests.scheduler.reminders.replanning_scenes import LATE_ONES, ME, choice, chooses, plans
from tests.scheduler.running import COAL, THEN, Scheduler
from tests.scheduler.scenes import changed, created, milestone, scheduled, utc


async def test_a_reminder_that_waits_says_when_and_what_follows(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    known = await ids(scheduler)

    found = await preview.explain(known["before-7d", 1], zone=TORONTO)

    assert (
        found["fate"]["what"],
        found["fate"]["sentence"].replace("\u202f", " "),
    ) == ("waits", "It waits until December 24, 2021, 10:00 AM (Toronto).")
    assert ("before-1d", known["before-1d", 1], "2021-12-30T10:00:00-05:00") == tuple(
        found["next"][k] for k in ("step", "id", "local")
    )
    assert found["what"] == "Reminder before-7d of “No new public finance”, by December 31, 2021."
    assert (COAL, DUE.id, None) == (found["commitment_id"], found["milestone_id"], found["audience"])


async def test_a_reminder_that_is_due_or_held_says_so(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    week = (await ids(scheduler))["before-7d", 1]
    scheduler.clock.set(utc(2021, 12, 24, 16))
    due = await preview.explain(week)
    await scheduler.rows("insert into hold (milestone_id, schedule_version) values ($1, 3)", DUE.id)

    held = await preview.explain(week)

    assert [(one["fate"]["what"], one["fate"]["schedule_version"]) for one in (due, held)] == [
        ("due", None),
        ("held", 3),
    ]


async def test_told_and_merged_reminders_name_their_event(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(utc(2022, 1, 2))
    [(envelope, event)] = await scheduler.records()
    known = await ids(scheduler)

    told, missed = await preview.explain(known["after-1d", 1]), await preview.explain(known["before-7d", 1])

    assert ("after-1d", str(envelope.id), True) == (event.step, told["fate"]["event_id"], told["fate"]["late"])
    assert (told["fate"]["what"], told["fate"]["at"]) == ("told", "2022-01-02T00:00:00Z")
    assert ("merged", str(envelope.id), known["after-1d", 1], "after-1d") == tuple(
        missed["fate"][k] for k in ("what", "event_id", "merged_into", "merged_into_step")
    )
    assert {"after-7d"} == {one["next"]["step"] for one in (told, missed)}


async def test_a_passed_reminder_says_that_it_is_never_told(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))

    found = await preview.explain((await ids(scheduler))["before-90d", 1])

    assert (found["fate"]["what"], found["moment"]["state"]) == ("passed", "passed")
    assert found["moment"]["sentence"].endswith("that was before it was planned, so it is recorded and never told.")


async def test_a_withdrawn_reminder_names_what_withdrew_it(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    known = await ids(scheduler)
    await scheduler.hears(scheduled(milestone(date(2022, 6, 30)), 2, change="moved"))
    await scheduler.hears(scheduled(milestone(date(2022, 7, 31)), 3, change="moved"))
    by_date = await preview.explain(known["before-7d", 1])
    known = await ids(scheduler)
    async with scheduler.database.transaction() as connection:
        await ladder_store.write_ladder_book(connection, read_ladder_book(LATE_ONES), THEN, "desk")
        await replanning.begin(connection, "book", THEN)
    await plans(scheduler)
    by_rules = await preview.explain(known["before-1d", 3])
    await scheduler.hears(changed(Status.WITHDRAWN))
    by_status = await preview.explain(known["on-the-day", 3])

    assert (by_date["fate"]["withdrawn_by"], by_date["fate"]["schedule_version"]) == ("newer-schedule", 2)
    assert by_date["next"]["step"] == "before-90d"
    assert (by_rules["fate"]["withdrawn_by"], by_rules["moment"]["reason"]["on_the_ladder"]) == ("other-rules", False)
    assert (by_status["fate"]["withdrawn_by"], by_status["next"]) == ("settled", None)


async def test_a_reminder_of_a_ladder_that_was_given_up_says_so(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await chooses(scheduler, choice("before-3d"))
    [row] = await scheduler.rows("select id from reminder where audience is not null")
    before = await preview.explain(row["id"])
    await chooses(scheduler, choice("before-3d", seq=2, active=False))

    after = await preview.explain(row["id"])

    assert ("waits", str(ME), TORONTO) == (before["fate"]["what"], before["audience"], before["reader_zone"])
    assert (
        after["fate"]["what"],
        after["fate"]["withdrawn_by"],
        after["moment"]["reason"],
    ) == ("withdrawn", "ladder-given-up", None)


async def test_a_reminder_that_failed_says_why(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    week = (await ids(scheduler))["before-7d", 1]
    async with scheduler.database.transaction() as connection:
        await fired_reminders.mark_failed(connection, DUE.id, "ValueError: no such zone", utc(2021, 12, 24, 16))

    found = await preview.explain(week)

    assert (found["fate"]["what"], found["fate"]["failure"]) == ("failed", "ValueError: no such zone")
    assert "A scheduler that starts tries it again. Next comes before-1d" in found["next_sentence"]


async def test_every_reminder_there_is_has_an_explanation_in_every_language(
    scheduler: Scheduler, preview: Preview
) -> None:
    await scheduler.hears(created(), scheduled(DUE), scheduled(milestone(None, id_="someday", reading=Reading.UNDATED)))
    await chooses(scheduler, choice("before-3bd", "before-1m", "after-1w"))
    await scheduler.ticks_at(utc(2021, 12, 30, 20))
    await scheduler.hears(scheduled(milestone(date(2022, 3, 31)), 2, change="moved"))
    rows = await scheduler.rows("select id, state from reminder")

    for row in rows:
        for language in ("en", "es", "fr"):
            found = await preview.explain(row["id"], language=language)
            assert row["state"] == found["moment"]["state"]
            assert found["what"] and found["fate"]["sentence"] and found["next_sentence"]
    assert {"pending", "fired", "passed", "merged", "withdrawn"} == {row["state"] for row in rows}
