"""Dates out of a statement's own words, and what another reading policy does to them, on a real PostgreSQL."""

from typing import Any

import pytest

from contracts.events import MilestoneScheduled
from tests.registry.scenes import NOW, Register

TARGET = "nals-2021-conserve-30-percent-target"
STRICT = {"policy": {"deadline": "start-of-span"}}
TEXT = {"en": "It is done", "es": "Está hecho", "fr": "C’est fait"}
NUMERIC = "by 12/10/2023"


def commitment(wording: str, **milestone: Any) -> dict[str, Any]:
    """A commitment to be entered, with one milestone that leaves its date to the words."""
    return {
        "id": "desk-made", "statement_id": "nals-2021", "quote": "we make goods together", "verb": "make",
        "title": TEXT, "summary": TEXT, "section": "opening", "themes": ["trade"], "strength": "commit",
        "milestones": [{"id": "desk-made-by-words", "wording": wording, "title": TEXT, **milestone}],
    }  # fmt: skip


async def add_words(register: Register, *words: str) -> None:
    """Let these words stand in the statement too."""
    async with register.database.connection() as connection:
        await connection.execute("update statement set text = text || ' ' || $1", " ".join(words))


async def milestone_of(register: Register, commitment_id: str, milestone_id: str) -> dict[str, Any]:
    record = await register.get(f"/commitments/{commitment_id}")
    found: dict[str, Any] = next(one for one in record["milestones"] if one["id"] == milestone_id)
    return found


async def target(register: Register) -> dict[str, Any]:
    """The milestone "by 2030"."""
    return await milestone_of(register, "nals-2021-conserve-30-percent", TARGET)


async def scheduled(register: Register, milestone_id: str) -> list[MilestoneScheduled]:
    return [event for _, event in await register.events("milestone-scheduled") if event.milestone.id == milestone_id]


# A date by words


@pytest.mark.parametrize(
    ("wording", "reading", "edtf", "months"),
    [
        ("by 2050", "by", "2050", None),
        ("this decade", "during", "202X", None),
        ("by the end of 2021", "by", "2021", None),
        ("next year", "on", "2022", None),
        ("over the medium term", "undated", None, None),
        ("each year", "recurring", None, 12),
    ],
)
async def test_a_milestone_that_leaves_its_date_out_has_the_one_of_its_words(
    register: Register, wording: str, reading: str, edtf: str | None, months: int | None
) -> None:
    answer = await register.send("POST", "/commitments", commitment(wording))

    assert answer.status_code == 201, answer.text
    (made,) = answer.json()["commitment"]["milestones"]
    assert (made["reading"], made["span"]["edtf"], made["review_months"]) == (reading, edtf, months)
    (event,) = await scheduled(register, "desk-made-by-words")
    assert (event.milestone.reading, event.milestone.span.edtf) == (reading, edtf)
    assert (event.milestone.review_months, event.milestone.wording_language) == (months, "en")


async def test_a_record_says_which_rule_gave_its_last_day_and_what_the_other_would(register: Register) -> None:
    read_as = (await target(register))["read_as"]

    assert (read_as["latest"], read_as["rules"]) == ("2030-12-31", ["end-of-span"])
    assert (read_as["modality"], read_as["policy"]["deadline"]) == ("by", "end-of-span")
    assert [(one["rule"], one["latest"]) for one in read_as["alternatives"]] == [("start-of-span", "2030-01-01")]


async def test_words_that_no_rule_settles_are_refused_with_their_choices(register: Register) -> None:
    await add_words(register, NUMERIC)

    answer = await register.send("POST", "/commitments", commitment(NUMERIC))

    problem = answer.json()
    assert (answer.status_code, problem["field"]) == (422, "wording")
    assert problem["type"].endswith("ambiguous-wording")
    assert {one["edtf"] for one in problem["alternatives"]} == {"2023-10-12", "2023-12-10"}
    assert await register.count("commitment where id = 'desk-made'") == 0


async def test_a_policy_settles_them(register: Register) -> None:
    await add_words(register, NUMERIC)
    await register.send("PUT", "/statements/nals-2021/reading-policy", {"policy": {"numeric_dates": "month-day"}})

    answer = await register.send("POST", "/commitments", commitment(NUMERIC))

    assert answer.json()["commitment"]["milestones"][0]["span"]["edtf"] == "2023-12-10"


async def test_words_that_hang_on_an_event_need_its_name(register: Register) -> None:
    wording = "the Summit of the Americas"

    answer = await register.send("POST", "/commitments", commitment(wording))
    assert (answer.status_code, answer.json()["field"]) == (422, "anchor_id")
    assert answer.json()["anchor_name"] == "Summit of the Americas"

    named = await register.send("POST", "/commitments", commitment(wording, anchor_id="summit-of-the-americas-2022"))
    (made,) = named.json()["commitment"]["milestones"]
    assert (made["reading"], made["span"]["edtf"]) == ("on", "2022-22")


async def test_how_far_from_its_anchor_the_words_may_say(register: Register) -> None:
    wording = "90 days after the next summit"
    await add_words(register, wording)

    answer = await register.send("POST", "/commitments", commitment(wording, anchor_id="summit-for-democracy-2021"))

    (made,) = answer.json()["commitment"]["milestones"]
    assert made["offset"] == {"direction": "after", "count": 90, "unit": "days"}
    assert made["span"]["edtf"] == "2022-03-10"  # ninety days after 10 December 2021


async def test_an_editor_s_date_goes_before_the_words(register: Register) -> None:
    answer = await register.send("POST", "/commitments", commitment("by 2050", reading="by", edtf="2049-06"))

    (made,) = answer.json()["commitment"]["milestones"]
    assert (made["span"]["edtf"], made["read_as"]["edtf"]) == ("2049-06", "2050")


async def test_a_date_without_its_reading_is_refused(register: Register) -> None:
    answer = await register.send("POST", "/commitments", commitment("by 2050", edtf="2050"))
    assert answer.status_code == 422


async def test_a_statement_of_another_language_is_read_in_it(register: Register) -> None:
    wording = "a más tardar el 15 de diciembre de 2023"
    await add_words(register, wording)
    await register.send("PUT", "/statements/nals-2021/reading-policy", {"policy": {}, "language": "es"})

    answer = await register.send("POST", "/commitments", commitment(wording))

    (made,) = answer.json()["commitment"]["milestones"]
    assert (made["span"]["edtf"], made["wording_language"]) == ("2023-12-15", "es")
    assert (await target(register))["read_as"]["edtf"] == "2030", "what was English stays so"


# Another policy


async def test_another_policy_moves_what_the_words_had_dated_and_says_so_once(register: Register) -> None:
    anchored = (await register.get("/anchors/nals-2022"))["milestones"]

    answer = await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    assert answer.status_code == 200, answer.text
    moved = {one["milestone_id"]: one for one in answer.json()["rescheduled"]}
    assert set(moved) == {
        TARGET, "nals-2021-aviation-net-zero-goal", "nals-2021-fossil-subsidies-canada-phase-out",
    }, "by the end of 2021 is plain, this decade no deadline, the rest hangs on anchors or has no date"  # fmt: skip
    assert not set(moved) & set(anchored)
    _, event = await scheduled(register, TARGET)
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


async def test_the_same_policy_again_says_nothing(register: Register) -> None:
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
    await register.send("POST", "/commitments", commitment("by 2050", reading="by", edtf="2049-06"))

    await register.send("PUT", "/statements/nals-2021/reading-policy", STRICT)

    assert (await milestone_of(register, "desk-made", "desk-made-by-words"))["span"]["edtf"] == "2049-06"


async def test_what_a_policy_can_t_read_any_more_keeps_its_date(register: Register) -> None:
    await add_words(register, NUMERIC)
    await register.send("PUT", "/statements/nals-2021/reading-policy", {"policy": {"numeric_dates": "month-day"}})
    await register.send("POST", "/commitments", commitment(NUMERIC))

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
    assert len(await scheduled(register, TARGET)) == 2


# Words alone


async def test_anybody_may_have_words_read(register: Register) -> None:
    asked = {"wording": "d’ici la fin de 2025", "language": "fr", "made_on": "2021-11-18"}

    answer = await register.client.post("/wordings/read", json=asked)

    assert answer.status_code == 200, answer.text
    read = answer.json()
    assert (read["edtf"], read["latest"], read["modality"], read["rules"]) == (
        "2025", "2025-12-31", "by", ["as-written"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "de"},
        {"made_on": "1637193600"},
        {"policy": {"parts": "halves"}},
        {"wording": ""},
        {"wording": None},
    ],
)
async def test_what_can_t_be_read_is_refused(register: Register, wrong: dict[str, Any]) -> None:
    asked = {"wording": "by 2030", "language": "en", "made_on": "2021-11-18", **wrong}
    assert (await register.client.post("/wordings/read", json=asked)).status_code == 422
