"""Dates that move on a real PostgreSQL: one event for each milestone, and the scheduler holds the old date first."""

from contracts.events import MilestoneScheduled
from services.registry.actions.holds import ScheduleHold
from services.registry.catalogue.loading import load
from tests.registry.scenes import FOLLOWER, MOVED, NEWS, Register, add_milestone_on, dated, outcome


async def test_a_moved_anchor_publishes_one_event_for_each_follower(register: Register) -> None:
    answer = await register.send("PUT", "/anchors/nals-2022", MOVED)
    followers = (await register.get("/anchors/nals-2022"))["milestones"]
    assert answer.json()["change"] == "moved"
    assert [r["milestone_id"] for r in answer.json()["rescheduled"]] == followers
    moves = [e for _, e in await register.events("milestone-scheduled") if e.schedule_version == 2]
    assert [e.milestone.id for e in moves] == followers
    for event in moves:
        assert isinstance(event, MilestoneScheduled)
        assert (event.change, event.seq) == ("moved", 2)
        assert (event.previous and event.previous.edtf, event.milestone.span.edtf) == ("2022", "2023-01-10")
        assert event.source and event.source.text == NEWS["text"]


async def test_a_confirmed_date_is_kept_and_publishes_nothing(register: Register) -> None:
    before = await register.count("outbox")
    answer = await register.send("PUT", "/anchors/nals-2022", {**MOVED, "edtf": "2022", "known_on": "2022-07-12"})
    assert (answer.json()["change"], answer.json()["rescheduled"]) == ("unchanged", [])
    assert await register.count("outbox") == before
    news = (await register.get("/anchors/nals-2022"))["news"]
    assert [(one["change"], one["known_on"]) for one in news] == [("first", "2021-11-18"), ("unchanged", "2022-07-12")]


async def test_a_milestone_on_an_anchor_moves_with_it_alone(register: Register) -> None:
    (follower, *_) = (await register.get("/anchors/nals-2022"))["milestones"]
    answer = await register.send("PUT", f"/milestones/{follower}/schedule", MOVED)
    assert (answer.status_code, answer.json()["anchor_id"]) == (409, "nals-2022")


async def test_a_milestone_of_its_own_moves_and_an_import_leaves_it_there(register: Register) -> None:
    milestone = next(m.id for c in load().commitments for m in c.milestones if not m.anchor_id and m.span.edtf is None)
    answer = await register.send("PUT", f"/milestones/{milestone}/schedule", MOVED)
    assert (answer.json()["change"], answer.json()["milestone"]["schedule_version"]) == ("more-precise", 2)
    again = await register.send("POST", "/statements/import", {"catalogue": "nals-2021"})
    assert again.json()["scheduled"] == 0


async def test_a_date_that_is_none_is_refused(register: Register) -> None:
    for edtf in ("soon", "2022-02-30", "../2022", ""):
        answer = await register.send("PUT", "/anchors/nals-2022", {**MOVED, "edtf": edtf})
        assert answer.status_code == 422, edtf
    undated = await register.send("PUT", "/anchors/nals-2022", {**MOVED, "edtf": None})
    assert undated.json()["change"] == "moved"


async def test_every_mover_takes_a_hold_and_a_first_date_takes_none(register: Register) -> None:
    follower = FOLLOWER
    undated = next(m.id for c in load().commitments for m in c.milestones if not m.anchor_id and m.span.edtf is None)
    await add_milestone_on(register, "new", "summit-of-the-americas-2022")
    assert register.holds.taken == []
    await register.send("PUT", "/anchors/nals-2022", dated("2022"))  # confirmed
    assert register.holds.taken == []
    await register.send("PUT", "/anchors/nals-2022", dated("2022-12"))
    await register.send("PUT", f"/milestones/{undated}/schedule", dated("2024"))
    await register.send("POST", "/anchors/nals-2022/outcome", outcome("held", edtf="2023-01-10"))
    await register.send("POST", "/anchors/nals-2022/outcome", outcome("cancelled"))
    assert register.holds.taken == [
        ScheduleHold(follower, 2),
        ScheduleHold(undated, 2),
        ScheduleHold(follower, 3),
        ScheduleHold(follower, 4),
    ]
    version = await register.get(f"/milestones/{follower}/schedule-version")
    assert version == {"milestone_id": follower, "schedule_version": 4}


async def test_what_can_not_be_held_does_not_move(register: Register) -> None:
    """The answer says when to come again, and the same request then goes through."""
    before = await register.count("outbox"), await register.count("anchor_news")
    register.holds.away = True
    for method, path, body in [
        ("PUT", "/anchors/nals-2022", dated("2022-12")),
        ("POST", "/anchors/nals-2022/outcome", outcome("cancelled")),
    ]:
        answer = await register.send(method, path, body, key=f"{method} one")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/scheduler-away")
        assert answer.headers["retry-after"] == "1"
    assert (await register.count("outbox"), await register.count("anchor_news")) == before
    assert (await register.get(f"/milestones/{FOLLOWER}/schedule-version"))["schedule_version"] == 1
    register.holds.away = False
    again = await register.send("PUT", "/anchors/nals-2022", dated("2022-12"), key="PUT one")
    assert again.status_code == 200
