"""A statement of the past is taken in with its chronicle: the register knows it all, and says so as history."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.causes import HISTORY
from services.registry.catalogue.loading import load
from tests.registry.scenes import COAL, Register, check_on, dated, flag_events, history_of, outcome

TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC)
WITH_CHRONICLE = {"catalogue": "nals-2021", "chronicle": True}
ANCHOR = "nals-2022"


@pytest.fixture
def register(register: Register) -> Register:
    """The register with the statement in it, years later."""
    register.clock.at = TODAY
    return register


async def take_in(register: Register) -> dict[str, Any]:
    """Import it with its chronicle."""
    answer = await register.send("POST", "/statements/import", WITH_CHRONICLE)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_register_comes_to_what_the_chronicle_knows(register: Register) -> None:
    """
    Every anchor was held on its last days, and each status of the chronicle is in the history of its commitment.
    """
    told = await take_in(register)

    assert told["statuses"] == sum(len(entry.reports) for entry in load().chronicle)
    for anchor in load().anchors:
        assert (await register.get(f"/anchors/{anchor.id}"))["outcome"] == "held"
    summit = await register.get(f"/anchors/{ANCHOR}")
    assert summit["span"]["latest"] == "2023-01-10"
    coal = await register.get(f"/commitments/{COAL}")
    parties = {one["party"]: one["status"] for one in coal["party_statuses"]}
    assert parties == {"CA": "in-progress", "MX": "announced", "US": "in-progress"}
    # Two of three have begun, and the whole has not.
    assert coal["status"] == "announced"
    assert len(await register.events("status-changed")) == told["statuses"]


async def test_all_of_it_is_said_as_history(register: Register) -> None:
    """
    Each event that it causes says so, what does not agree after it too; nothing is left for the next morning's look.
    """
    before = {topic: len(await register.events(topic)) for topic in ("milestone-scheduled", "status-changed")}
    await take_in(register)
    flagged = await flag_events(register)

    for topic, count in before.items():
        new = [event for _, event in (await register.events(topic))[count:]]
        assert new and {event.cause.kind for event in new} == {HISTORY}
    assert flagged and {event.cause.kind for event in flagged} == {HISTORY}
    assert await check_on(register, date(2026, 11, 30)) == 0


async def test_a_second_time_changes_nothing(register: Register) -> None:
    """
    Taken in again, by whomever, the chronicle records and publishes nothing.
    """
    await take_in(register)
    before = await register.count("outbox")
    again = await take_in(register)

    assert (again["created"], again["scheduled"], again["statuses"]) == (0, 0, 0)
    assert await register.count("outbox") == before


async def test_what_the_register_knows_better_stays(register: Register) -> None:
    """
    An anchor of which newer news is known keeps it, and a status that was reported later stays the present one.
    """
    await register.send("PUT", f"/anchors/{ANCHOR}", dated("2024-05-01/2024-05-02", known_on="2024-01-01"))
    answer = await register.report(COAL, status="withdrawn", party="CA", by="desk")
    assert answer.status_code == 201, answer.text
    await take_in(register)

    assert (await register.get(f"/anchors/{ANCHOR}"))["span"]["edtf"] == "2024-05-01/2024-05-02"
    assert [change for change, *_ in await history_of(register, ANCHOR)][-1] == "moved"
    parties = {one["party"]: one["status"] for one in (await register.get(f"/commitments/{COAL}"))["party_statuses"]}
    assert parties["CA"] == "withdrawn"


async def test_only_what_is_known_by_then_is_taken_in(register: Register) -> None:
    """
    On a clock that stands in March 2022 the summit has not been held, and later reports are not there.
    """
    register.clock.at = datetime(2022, 3, 1, 12, tzinfo=UTC)
    told = await take_in(register)

    assert told["statuses"] == sum(
        len(entry.reports) for entry in load().chronicle if entry.known_on <= date(2022, 3, 1)
    )
    assert (await register.get(f"/anchors/{ANCHOR}"))["outcome"] is None


async def test_news_that_come_later_are_news_again(register: Register) -> None:
    """
    What is reported after it is no history: it has its own cause.
    """
    await take_in(register)
    count = len(await register.events("status-changed"))
    await register.report(COAL, status="at-risk", party="CA", by="desk", note="The last plant is behind its plan.")
    await register.send("POST", f"/anchors/{ANCHOR}/outcome", outcome("held", known_on="2026-11-29", edtf="2026-11-20"))

    (_, reported), *_ = (await register.events("status-changed"))[count:]
    assert reported.cause.kind == "status-report"
    assert (await register.events("milestone-scheduled"))[-1][1].cause.kind == "anchor-held"
