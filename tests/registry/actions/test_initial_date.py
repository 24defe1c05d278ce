"""Dates out of a statement's own words, on a real PostgreSQL."""

import pytest

from tests.registry.scenes import NUMERIC, Register, add_words, by_words, field_of, schedule_events, target


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
    answer = await register.send("POST", "/commitments", by_words(wording))

    assert answer.status_code == 201, answer.text
    (made,) = answer.json()["commitment"]["milestones"]
    assert (made["reading"], made["span"]["edtf"], made["review_months"]) == (reading, edtf, months)
    (event,) = await schedule_events(register, "desk-made-by-words")
    assert (event.milestone.reading, event.milestone.span.edtf) == (reading, edtf)
    assert (event.milestone.review_months, event.milestone.wording_language) == (months, "en")


async def test_a_record_says_which_rule_gave_its_last_day_and_what_the_other_would(register: Register) -> None:
    read_as = (await target(register))["read_as"]

    assert (read_as["latest"], read_as["rules"]) == ("2030-12-31", ["end-of-span"])
    assert (read_as["modality"], read_as["policy"]["deadline"]) == ("by", "end-of-span")
    assert [(one["rule"], one["latest"]) for one in read_as["alternatives"]] == [("start-of-span", "2030-01-01")]


async def test_words_that_no_rule_settles_are_refused_with_their_choices(register: Register) -> None:
    await add_words(register, NUMERIC)

    answer = await register.send("POST", "/commitments", by_words(NUMERIC))

    problem = answer.json()
    assert (answer.status_code, field_of(answer)) == (422, "wording")
    assert problem["type"].endswith("ambiguous-wording")
    assert {one["edtf"] for one in problem["alternatives"]} == {"2023-10-12", "2023-12-10"}
    assert await register.count("commitment where id = 'desk-made'") == 0


async def test_a_policy_settles_them(register: Register) -> None:
    await add_words(register, NUMERIC)
    await register.send("PUT", "/statements/nals-2021/reading-policy", {"policy": {"numeric_dates": "month-day"}})

    answer = await register.send("POST", "/commitments", by_words(NUMERIC))

    assert answer.json()["commitment"]["milestones"][0]["span"]["edtf"] == "2023-12-10"


async def test_words_that_hang_on_an_event_need_its_name(register: Register) -> None:
    wording = "the Summit of the Americas"

    answer = await register.send("POST", "/commitments", by_words(wording))
    assert (answer.status_code, field_of(answer)) == (422, "anchor_id")
    assert answer.json()["anchor_name"] == "Summit of the Americas"

    named = await register.send("POST", "/commitments", by_words(wording, anchor_id="summit-of-the-americas-2022"))
    (made,) = named.json()["commitment"]["milestones"]
    assert (made["reading"], made["span"]["edtf"]) == ("on", "2022-22")


async def test_how_far_from_its_anchor_the_words_may_say(register: Register) -> None:
    wording = "90 days after the next summit"
    await add_words(register, wording)

    answer = await register.send("POST", "/commitments", by_words(wording, anchor_id="summit-for-democracy-2021"))

    (made,) = answer.json()["commitment"]["milestones"]
    assert made["offset"] == {"direction": "after", "count": 90, "unit": "days"}
    assert made["span"]["edtf"] == "2022-03-10"  # ninety days after 10 December 2021


async def test_an_editor_s_date_goes_before_the_words(register: Register) -> None:
    answer = await register.send("POST", "/commitments", by_words("by 2050", reading="by", edtf="2049-06"))

    (made,) = answer.json()["commitment"]["milestones"]
    assert (made["span"]["edtf"], made["read_as"]["edtf"]) == ("2049-06", "2050")


async def test_a_date_without_its_reading_is_refused(register: Register) -> None:
    answer = await register.send("POST", "/commitments", by_words("by 2050", edtf="2050"))
    assert answer.status_code == 422


async def test_a_statement_of_another_language_is_read_in_it(register: Register) -> None:
    wording = "a más tardar el 15 de diciembre de 2023"
    await add_words(register, wording)
    await register.send("PUT", "/statements/nals-2021/reading-policy", {"policy": {}, "language": "es"})

    answer = await register.send("POST", "/commitments", by_words(wording))

    (made,) = answer.json()["commitment"]["milestones"]
    assert (made["span"]["edtf"], made["wording_language"]) == ("2023-12-15", "es")
    assert (await target(register))["read_as"]["edtf"] == "2030", "what was English stays so"
