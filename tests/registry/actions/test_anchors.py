"""Anchors on a real PostgreSQL: they enter, become precise, slip, are held, cancelled and succeeded."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from contracts.commitments import Offset
from tests.registry.scenes import (
    FOLLOWER,
    SUMMIT,
    TARGET,
    Register,
    add_milestone_on,
    date_changes,
    dated,
    field_of,
    history_of,
    outcome,
    schedule_events,
)


async def test_an_anchor_enters_with_its_source(register: Register) -> None:
    answer = await register.send("POST", "/anchors", {**SUMMIT, "edtf": "2024-07-10", "local_time": "09:30"})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["local_time"], answer.json()["outcome"]) == ("09:30", None)
    assert await history_of(register, "summit-2024") == [("first", "2024-07-10", "2022-03-01")]
    again = await register.send("POST", "/anchors", SUMMIT)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-there")
    assert (await register.get("/anchors/summit-2024"))["span"]["edtf"] == "2024-07-10"


async def test_of_many_who_enter_the_same_anchor_one_does(register: Register) -> None:
    answers = await asyncio.gather(*(register.send("POST", "/anchors", SUMMIT) for _ in range(6)))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 5
    assert await history_of(register, "summit-2024") == [("first", "2024", "2022-03-01")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": "America/Atlantis"}, None),
        ({"zone": "../etc/passwd"}, None),
        ({"zone": "Etc/GMT+5"}, None),  # a zone, and none that a milestone's event could carry
        ({"edtf": "soon"}, None),
        ({"edtf": "2024-02-30"}, "edtf"),  # of the form, and of no calendar
        ({"edtf": None, "local_time": "09:30"}, None),
        ({"local_time": "9:30"}, None),
        ({"id": "Summit"}, None),
    ],
)
async def test_an_anchor_that_can_not_be_is_refused(
    register: Register, changes: dict[str, Any], field: str | None
) -> None:
    answer = await register.send("POST", "/anchors", {**SUMMIT, **changes})
    assert (answer.status_code, field_of(answer)) == (422, field), answer.text


async def test_a_milestone_lies_as_far_from_its_anchor_as_the_words_say(register: Register) -> None:
    """Undated while the anchor is; then a span as rough as the anchor's; then a day."""
    await register.send("POST", "/anchors", {**SUMMIT, "edtf": None})
    after = {"direction": "after", "count": 90, "unit": "days"}
    before = {"direction": "before", "count": 0, "unit": "days"}
    await add_milestone_on(register, "report", "summit-2024", offset=after)
    await add_milestone_on(register, "ministers", "summit-2024", offset=before)
    for edtf in ("2024", "2024-07", "2024-07-10/2024-07-11"):
        moved = await register.send("PUT", "/anchors/summit-2024", dated(edtf))
        assert moved.status_code == 200, moved.text

    report, ministers = await schedule_events(register, "report"), await schedule_events(register, "ministers")
    assert date_changes(report) == [
        ("first", None, None),
        ("more-precise", None, "2024-03-31/2025-03-31"),
        ("more-precise", "2024-03-31/2025-03-31", "2024-09-29/2024-10-29"),
        ("more-precise", "2024-09-29/2024-10-29", "2024-10-09"),
    ]
    assert [e.milestone.span.edtf for e in ministers] == [None, "2024", "2024-07", "2024-07-10"]
    assert [e.schedule_version for e in report] == [1, 2, 3, 4]
    assert {e.milestone.offset for e in report} == {Offset(direction="after", count=90, unit="days")}
    assert {e.milestone.zone for e in report} == {"America/Mexico_City"}
    record = await register.get("/commitments/of-report")
    assert record["milestones"][0]["offset"] == after
    assert record["milestones"][0]["wording_language"] == "en"


async def test_the_event_itself_has_the_anchors_zone_and_time(register: Register) -> None:
    """A time that becomes known is more precise, another one a move; one that is not repeated stays."""
    await register.send("POST", "/anchors", {**SUMMIT, "edtf": "2024-07-10"})
    await add_milestone_on(register, "meeting", "summit-2024", reading="on")
    await add_milestone_on(
        register, "paper", "summit-2024", offset={"direction": "before", "count": 1, "unit": "weeks"}
    )
    for body in (
        dated("2024-07-10", local_time="09:30"),
        dated("2024-07-10"),
        dated("2024-07-10", local_time="11:00"),
        dated("2024-07-17"),
    ):
        assert (await register.send("PUT", "/anchors/summit-2024", body)).status_code == 200

    meeting = await schedule_events(register, "meeting")
    assert [(e.change, e.milestone.local_time) for e in meeting] == [
        ("first", None), ("more-precise", "09:30"), ("moved", "11:00"), ("moved", None)
    ]  # fmt: skip
    assert {e.milestone.zone for e in meeting} == {"America/Vancouver"}
    assert date_changes(await schedule_events(register, "paper")) == [
        ("first", None, "2024-07-03"),
        ("moved", "2024-07-03", "2024-07-10"),
    ]


@pytest.mark.parametrize(
    "facts",
    [
        {"anchor_id": "no-such-anchor"},
        {"offset": {"direction": "after", "count": 3661, "unit": "days"}},
        {"offset": {"direction": "after", "count": 200, "unit": "years"}},
        {"offset": {"direction": "before", "count": 3660, "unit": "years"}},
        {"offset": {"direction": "after", "count": -1, "unit": "days"}},
        {"anchor_id": None, "edtf": "2024", "offset": {"direction": "after", "count": 1, "unit": "days"}},
        {"local_time": "09:30"},
        {"anchor_id": None, "edtf": None, "reading": "undated", "local_time": "09:30"},
    ],
)
async def test_an_offset_that_can_not_be_is_refused(register: Register, facts: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=r'"status":422'):
        await add_milestone_on(register, "odd", "nals-2022", **facts)
    assert await register.count("commitment where id = 'of-odd'") == 0


async def test_an_offset_that_leads_to_days_that_can_not_be_planned_stops_the_move(register: Register) -> None:
    await add_milestone_on(register, "late", "nals-2022", offset={"direction": "after", "count": 120, "unit": "years"})
    before = await register.count("outbox"), await register.count("anchor_news")
    answer = await register.send("PUT", "/anchors/nals-2022", dated("2040"))
    assert (answer.status_code, field_of(answer)) == (422, "offset")
    assert (await register.count("outbox"), await register.count("anchor_news")) == before


async def test_two_moves_at_once_come_one_after_the_other(register: Register) -> None:
    """Each follower hears of each in the same order, and the versions have no gap."""
    await add_milestone_on(register, "report", "nals-2022", offset={"direction": "after", "count": 1, "unit": "days"})
    days = [f"2023-02-{day:02}" for day in range(1, 9)]
    await asyncio.gather(*(register.send("PUT", "/anchors/nals-2022", dated(day)) for day in days))
    events = await schedule_events(register, "report")
    assert [e.schedule_version for e in events] == list(range(1, 10))
    for earlier, later in pairwise(events):
        assert later.previous == earlier.milestone.span


async def test_precision_that_grows_is_published_each_time_with_before_and_after(register: Register) -> None:
    """ "next year", "December", then 10 January: the last is no more precise December but a move."""
    for edtf, change in (("2022-12", "more-precise"), ("2023-01-10", "moved")):
        answer = await register.send("PUT", "/anchors/nals-2022", dated(edtf))
        assert answer.json()["change"] == change
    events = await schedule_events(register, FOLLOWER)
    assert date_changes(events) == [
        ("first", None, "2022"), ("more-precise", "2022", "2022-12"), ("moved", "2022-12", "2023-01-10")
    ]  # fmt: skip
    assert [e.schedule_version for e in events] == [1, 2, 3]
    assert [one.schedule_version for one in register.holds.taken] == [2, 3]


async def test_what_was_held_is_published_once_for_the_milestones_that_are_it(register: Register) -> None:
    await register.send("PUT", "/anchors/nals-2022", dated("2023-01-10"))
    before = await register.count("outbox")
    answer = await register.send("POST", "/anchors/nals-2022/outcome", outcome("held"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["anchor"]["outcome"] == "held"
    assert [r["change"] for r in answer.json()["rescheduled"]] == ["held"]
    [*_, event] = await schedule_events(register, FOLLOWER)
    assert (event.change, event.milestone.held, event.milestone.span.edtf) == ("held", True, "2023-01-10")
    again = await register.send("POST", "/anchors/nals-2022/outcome", outcome("held"))
    assert again.json()["rescheduled"] == []
    assert await register.count("outbox") == before + 1
    assert (await history_of(register, "nals-2022"))[-1] == ("held", "2023-01-10", "2023-01-12")


async def test_what_was_held_on_other_days_moves_its_followers_there(register: Register) -> None:
    answer = await register.send("POST", "/anchors/nals-2022/outcome", outcome("held", edtf="2023-01-10"))
    assert [r["change"] for r in answer.json()["rescheduled"]] == ["moved"]
    assert date_changes(await schedule_events(register, FOLLOWER))[1:] == [("moved", "2022", "2023-01-10")]
    assert (await register.get("/anchors/nals-2022"))["outcome"] == "held"
    [*_, event] = await schedule_events(register, FOLLOWER)
    assert event.milestone.held
    await register.send("PUT", "/anchors/nals-2022", dated("2023-02-10"))
    [*_, event] = await schedule_events(register, FOLLOWER)
    assert not event.milestone.held, "another date means that it meets again"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (outcome("held"), "edtf"),  # some day of 2022
        (outcome("held", edtf="2023-01-13"), "known_on"),  # it is still ahead
        (outcome("held", successor_id="summit-of-the-americas-2022"), None),
        (outcome("cancelled", edtf="2023-01-10"), None),
        (outcome("postponed"), None),
        (outcome("cancelled", successor_id="no-such-anchor"), "successor_id"),
        (outcome("cancelled", successor_id="nals-2022"), "successor_id"),
    ],
)
async def test_an_outcome_that_can_not_be_is_refused(
    register: Register, body: dict[str, Any], field: str | None
) -> None:
    answer = await register.send("POST", "/anchors/nals-2022/outcome", body)
    assert (answer.status_code, field_of(answer)) == (422, field), answer.text
    assert len(await history_of(register, "nals-2022")) == 1


async def test_what_meets_again_is_open_again_and_can_be_held_again(register: Register) -> None:
    path = "/anchors/north-american-drug-dialogue"
    await register.send("POST", f"{path}/outcome", outcome("held", "2022-02-11", edtf="2022-02-10"))
    await register.send("PUT", path, dated("2022-11", "2022-09-01"))
    assert (await register.get(path))["outcome"] is None
    again = outcome("held", "2022-11-08", edtf="2022-11-07/2022-11-08")
    assert (await register.send("POST", f"{path}/outcome", again)).json()["anchor"]["outcome"] == "held"
    assert [change for change, _, _ in await history_of(register, "north-american-drug-dialogue")] == [
        "first", "held", "moved", "held"
    ]  # fmt: skip


async def test_what_is_called_off_takes_the_date_from_its_followers(register: Register) -> None:
    """Each hears it once, with the date that it had; undated ones too. It may come on again."""
    await add_milestone_on(register, "report", "nals-2022", offset={"direction": "after", "count": 90, "unit": "days"})
    answer = await register.send("POST", "/anchors/nals-2022/outcome", outcome("cancelled"))
    assert answer.status_code == 200, answer.text
    assert {r["change"] for r in answer.json()["rescheduled"]} == {"cancelled"}
    for milestone, was in (("report", "2022-04-01/2023-03-31"), (FOLLOWER, "2022")):
        events = await schedule_events(register, milestone)
        assert date_changes(events)[1:] == [("cancelled", was, None)]
        assert events[-1].source
    anchor = await register.get("/anchors/nals-2022")
    assert (anchor["outcome"], anchor["span"]["edtf"], len(anchor["milestones"])) == ("cancelled", None, 2)
    twice = await register.send("POST", "/anchors/nals-2022/outcome", outcome("cancelled"))
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/anchor-cancelled")
    again = await register.send("POST", "/statements/import", {"catalogue": "nals-2021"})
    assert again.json()["scheduled"] == 0
    on = await register.send("PUT", "/anchors/nals-2022", dated("2023-06"))
    assert (on.json()["anchor"]["outcome"], len(on.json()["rescheduled"])) == (None, 2)


async def test_a_successor_takes_over_the_followers(register: Register) -> None:
    """They hang on it from then on, have its date and zone, move with it, and a re-import leaves them there."""
    await register.send("POST", "/anchors", SUMMIT)
    await add_milestone_on(register, "report", "nals-2022", offset={"direction": "after", "count": 1, "unit": "years"})
    body = outcome("cancelled", successor_id="summit-2024")
    answer = await register.send("POST", "/anchors/nals-2022/outcome", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["anchor"]["successor_id"] == "summit-2024"
    assert answer.json()["anchor"]["milestones"] == []
    assert date_changes(await schedule_events(register, "report"))[1:] == [("moved", "2023", "2025")]
    (_, meeting) = await schedule_events(register, FOLLOWER)
    assert (meeting.milestone.anchor_id, meeting.milestone.zone) == ("summit-2024", "America/Vancouver")
    assert (await history_of(register, "nals-2022"))[-1] == ("succeeded", None, "2023-01-12")

    before = await register.count("outbox")
    await register.send("POST", "/statements/import", {"catalogue": "nals-2021"})
    assert await register.count("outbox") == before
    moved = await register.send("PUT", "/anchors/summit-2024", dated("2024-07-10"))
    assert {r["change"] for r in moved.json()["rescheduled"]} == {"more-precise"}
    assert len(moved.json()["rescheduled"]) == 2

    late = await register.send("PUT", "/anchors/nals-2022", dated("2023-01-10"))
    assert (late.status_code, late.json()["successor_id"]) == (409, "summit-2024")
    with pytest.raises(AssertionError, match="summit-2024 has taken the place"):
        await add_milestone_on(register, "newcomer", "nals-2022")


async def test_a_successor_may_be_named_later(register: Register) -> None:
    await register.send("POST", "/anchors", SUMMIT)
    await register.send("POST", "/anchors/nals-2022/outcome", outcome("cancelled"))
    body = outcome("cancelled", "2023-02-01", successor_id="summit-2024")
    assert (await register.send("POST", "/anchors/nals-2022/outcome", body)).status_code == 200
    assert date_changes(await schedule_events(register, FOLLOWER))[1:] == [
        ("cancelled", "2022", None), ("moved", None, "2024")
    ]  # fmt: skip


async def test_a_successor_that_is_off_itself_is_refused(register: Register) -> None:
    await register.send("POST", "/anchors", SUMMIT)
    await register.send("POST", "/anchors/summit-2024/outcome", outcome("cancelled"))
    body = outcome("cancelled", successor_id="summit-2024")
    answer = await register.send("POST", "/anchors/nals-2022/outcome", body)
    assert (answer.status_code, field_of(answer)) == (422, "successor_id")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/anchors/nals-2022", dated("2023-01-10", known_on="2099-01-01")),
        ("POST", "/anchors/nals-2022/outcome", outcome("held", known_on="2099-01-01", edtf="2023-01-10")),
        ("POST", "/anchors/nals-2022/outcome", outcome("cancelled", known_on="2099-01-01")),
        ("PUT", f"/milestones/{TARGET}/schedule", dated("2031", known_on="2099-01-01")),
    ],
)
async def test_nothing_is_known_on_a_day_that_has_not_come(
    register: Register, method: str, path: str, body: dict[str, Any]
) -> None:
    answer = await register.send(method, path, body)

    assert (answer.status_code, field_of(answer)) == (422, "known_on"), answer.text
