"""What is overdue, asked about or due soon over HTTP; and commitments chosen by it, and by what has just changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.vocabulary import Reading
from services.registry.catalogue.loading import load
from tests.registry.scenes import FOLLOWER, MOVED, NOW, Register, outcome

LATE = datetime(2023, 2, 1, 18, tzinfo=UTC)
SUMMIT = "nals-2021-next-summit"


async def due(register: Register, **params: Any) -> dict[str, Any]:
    """The items by their milestones' ids."""
    return {one["milestone_id"]: one for one in (await register.get("/due-milestones", limit=200, **params))["items"]}


async def chosen(register: Register, **params: Any) -> set[str]:
    """The ids of the commitments that the list has."""
    return {one["id"] for one in (await register.get("/commitments", limit=200, **params))["items"]}


async def test_what_has_gone_by_is_overdue_and_events_are_asked_about(register: Register) -> None:
    register.clock.at = LATE
    loaded = {m.id: m for c in load().commitments for m in c.milestones}
    found = await due(register)
    gone = {id_ for id_, m in loaded.items() if m.span.latest and m.span.latest < LATE.date()}

    assert {id_ for id_, one in found.items() if one["state"] != "soon"} == gone
    for id_, one in found.items():
        is_event = loaded[id_].reading is Reading.ON
        assert one["state"] == "soon" or (one["state"] == "asked") == is_event
    assert found[FOLLOWER]["state"] == "asked" and found[FOLLOWER]["since"] == "2023-01-01"
    assert await due(register, state="overdue") == {n: one for n, one in found.items() if one["state"] == "overdue"}


async def test_the_list_has_pages(register: Register) -> None:
    register.clock.at = LATE
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await register.get("/due-milestones", limit=2, **cursor)
        seen += [one["milestone_id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == list(await due(register)) and len(seen) > 4


async def test_what_cannot_be_asked_is_refused(register: Register) -> None:
    for query, status in (
        ("/due-milestones?state=late", 422),
        ("/due-milestones?cursor=forged", 400),
        ("/due-milestones?party=CA", 400),
        ("/commitments?due=late", 422),
        ("/commitments?changed_within=0", 422),
        ("/commitments?changed_within=1_0", 422),
    ):
        assert (await register.client.get(query)).status_code == status, query


async def test_an_answer_that_has_not_changed_is_not_sent_again(register: Register) -> None:
    tag = (await register.client.get("/due-milestones")).headers["etag"]

    assert (await register.client.get("/due-milestones", headers={"if-none-match": tag})).status_code == 304


async def test_commitments_are_chosen_by_their_due_state(register: Register) -> None:
    register.clock.at = LATE
    for state in ("overdue", "asked", "soon"):
        of_state = await due(register, state=state)

        assert await chosen(register, due=state) == {one["commitment_id"] for one in of_state.values()}
        bound = {one["commitment_id"] for one in of_state.values() if "CA" in one["parties"]}
        assert await chosen(register, due=state, party="CA") == bound
    assert await due(register, commitment=SUMMIT) == {FOLLOWER: (await due(register))[FOLLOWER]}


async def test_what_was_held_is_asked_about_no_more_and_what_is_met_is_not_overdue(register: Register) -> None:
    register.clock.at = LATE
    overdue = next(iter((await due(register, state="overdue")).values()))
    answer = await register.send("POST", "/anchors/nals-2022/outcome", outcome("held", edtf="2023-01-10"))
    assert answer.is_success, answer.text
    await register.report_all(overdue["commitment_id"], status="met")

    assert FOLLOWER not in await due(register)
    assert overdue["commitment_id"] not in await chosen(register, due="overdue")


async def test_what_has_just_changed_has_another_status_or_date(register: Register, joint: str) -> None:
    assert not await chosen(register, changed_within=366)
    await register.report(joint, status="in-progress")
    moved = await register.send("PUT", "/anchors/nals-2022", MOVED)
    assert moved.is_success, moved.text
    changed = await chosen(register, changed_within=7)
    register.clock.at = NOW + timedelta(days=8)

    assert {joint, SUMMIT} <= changed
    assert not await chosen(register, changed_within=7)
    assert await chosen(register, changed_within=8) == changed
    listed = (await register.get("/commitments", limit=200))["items"]
    assert {one["id"] for one in listed if one["changed_at"]} == changed
