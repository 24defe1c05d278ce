"""What another reading policy does to a statement's dates, on a real PostgreSQL."""

from typing import Any

import pytest

from tests.registry.scenes import (
    NOW,
    NUMERIC,
    STRICT,
    TARGET,
    Register,
    add_words,
    by_words,
    milestone_of,
    pointed_at,
    schedule_events,
    target,
)


async def test_another_policy_moves_what_the_words_had_dated_and_publishes_it_once(register: Register) -> None:
    anchored = (await register.get("/anchors/nals-2022"))["milestones"]

    answer = await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    assert answer.status_code == 200, answer.text
    moved = {one["milestone_id"]: one for one in answer.json()["rescheduled"]}
    assert set(moved) == {
        TARGET, "nals-2021-aviation-net-zero-goal", "nals-2021-fossil-subsidies-canada-phase-out",
    }, "by the end of 2021 is plain, this decade no deadline, the rest hangs on anchors or has no date"  # fmt: skip
    assert not set(moved) & set(anchored)
    _, event = await schedule_events(register, TARGET)
    assert (event.change, event.schedule_version) == ("moved", 2)
    assert event.previous and event.previous.edtf == "2030"
    assert event.milestone.span.edtf == "2029-12-31/2030-01-01"
    assert event.source and event.source.text == "reading policy"
    last = (await target(register))["schedules"][-1]
    assert (last["source"]["text"], last["known_on"]) == ("reading policy", NOW.date().isoformat())
    assert [hold.milestone_id for hold in register.holds.taken] == sorted(moved)


async def test_the_policy_shows_in_the_statement_and_in_every_record(register: Register) -> None:
    await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    (entry,) = (await register.get("/statements"))["items"]
    record = await register.get("/statements/nals-2021")
    assert entry["reading_policy"] == record["reading_policy"]
    assert (record["language"], record["reading_policy"]["deadline"]) == ("en", "start-of-span")
    assert (await target(register))["read_as"]["rules"] == ["start-of-span"]


async def test_the_same_policy_again_publishes_nothing(register: Register) -> None:
    await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)
    before = await register.count("outbox")

    again = await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    assert again.json()["rescheduled"] == []
    assert await register.count("outbox") == before


async def test_the_first_policy_brings_the_first_dates_back(register: Register) -> None:
    await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    back = await register.send("PUT", "/statements/nals-2021/reading-policy", {"policy": {}})

    assert len(back.json()["rescheduled"]) == 3
    found = await target(register)
    assert (found["span"]["edtf"], found["schedule_version"]) == ("2030", 3)


async def test_importing_again_leaves_what_a_policy_moved(register: Register) -> None:
    await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    again = await register.send("POST", "/statements/import", {"catalogue": "nals-2021"})

    assert again.json()["scheduled"] == 0
    assert (await register.get("/statements/nals-2021"))["reading_policy"]["deadline"] == "start-of-span"


async def test_a_date_from_elsewhere_stays(register: Register) -> None:
    news = {"edtf": "2029", "source": {"text": "A later agreement"}, "known_on": "2022-03-01"}
    await register.send("PUT", f"/milestones/{TARGET}/schedule", news)

    answer = await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    assert TARGET not in {one["milestone_id"] for one in answer.json()["rescheduled"]}
    assert (await target(register))["span"]["edtf"] == "2029"


async def test_an_editor_s_own_date_stays(register: Register) -> None:
    await register.send("POST", "/commitments", by_words("by 2050", reading="by", edtf="2049-06"))

    await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    assert (await milestone_of(register, "desk-made", "desk-made-by-words"))["span"]["edtf"] == "2049-06"


async def test_what_a_policy_can_t_read_any_more_keeps_its_date(register: Register) -> None:
    await add_words(register, NUMERIC)
    await register.send("PUT", "/statements/nals-2021/reading-policy", {"policy": {"numeric_dates": "month-day"}})
    await register.send("POST", "/commitments", by_words(NUMERIC))

    answer = await register.send("PUT", "/statements/nals-2021/reading-policy", {"policy": {}})

    assert answer.json()["kept"] == ["desk-made-by-words"]
    kept = await milestone_of(register, "desk-made", "desk-made-by-words")
    assert (kept["span"]["edtf"], kept["read_as"]["settled"]) == ("2023-12-10", False)


async def test_nothing_moves_while_the_old_dates_can_t_be_held(register: Register) -> None:
    before = await register.count("outbox")
    register.holds.away = True

    answer = await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    assert answer.status_code == 503
    assert await register.count("outbox") == before
    assert (await register.get("/statements/nals-2021"))["reading_policy"]["deadline"] == "end-of-span"


@pytest.mark.parametrize(
    ("path", "body", "by", "status"),
    [
        ("/statements/nals-1999/reading-policy", STRICT, "desk", 404),
        ("/statements/nals-2021/reading-policy", {"policy": {"deadline": "soon"}}, "desk", 422),
        ("/statements/nals-2021/reading-policy", {"policy": {"deadlines": "x"}}, "desk", 422),
        ("/statements/nals-2021/reading-policy", {}, "desk", 422),
        ("/statements/nals-2021/reading-policy", STRICT, "mx", 403),
    ],
)
async def test_a_policy_that_can_t_be_is_refused(
    register: Register, path: str, body: dict[str, Any], by: str, status: int
) -> None:
    answer = await register.send("PUT", path, body, by=by)
    assert answer.status_code == status


async def test_a_policy_is_set_once_for_its_key(register: Register) -> None:
    first = await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT, key="one")
    again = await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT, key="one")
    assert again.json() == first.json()
    assert len(await schedule_events(register, TARGET)) == 2


async def test_a_language_in_which_its_words_are_not_there_is_refused(register: Register) -> None:
    """What is told of a commitment is there in its statement's own language, or could not be told."""
    path = "/statements/nals-2021/reading-policy"

    refused = await register.send("PUT", path, {"policy": {}, "language": "pt"})

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/refused-by-rule")
    assert pointed_at(refused) == "#/language"
    assert (await register.get("/statements/nals-2021"))["language"] == "en"
    assert (await register.send("PUT", path, {"policy": {}, "language": "fr"})).status_code == 200
    async with register.database.connection() as connection:
        await connection.execute("update milestone set title = title - 'es' where id = $1", TARGET)
    one_lacks = await register.send("PUT", path, {"policy": {}, "language": "es"})
    assert one_lacks.status_code == 422
    assert TARGET in one_lacks.json()["detail"]
