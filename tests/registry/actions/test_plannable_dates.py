"""No door takes a date of which nobody can be reminded, and what had one before the rule is put right."""

from typing import Any

import pytest

from contracts.vocabulary import PLANNABLE_YEARS
from tests.registry.scenes import TARGET, WORDS, Register, add_words, by_words, dated, field_of, new_commitment, outcome

OUTSIDE = ["9999-12-30/9999-12-31", "9999", "0001-01-01/9999-12-31", "1921-06-30", "1949-12-31/1950-01-01", "2150",
           "214X/2150-01", "1949/..", "999X"]  # fmt: skip

FIRST, LAST = PLANNABLE_YEARS[0], PLANNABLE_YEARS[-1]


def _requests(edtf: str) -> list[tuple[str, str, dict[str, Any]]]:
    anchor = {**dated(edtf), "id": "nals-2099", "title": WORDS, "zone": "America/Toronto"}
    milestone = {"id": "m", "wording": "2022", "title": WORDS, "reading": "by", "edtf": edtf}
    return [
        ("PUT", f"/milestones/{TARGET}/schedule", dated(edtf)),
        ("PUT", "/anchors/nals-2022", dated(edtf)),
        ("POST", "/anchors", anchor),
        ("POST", "/anchors/nals-2022/outcome", outcome("held", edtf=edtf)),
        ("POST", "/commitments", new_commitment(milestones=[milestone])),
    ]


@pytest.mark.parametrize("edtf", OUTSIDE)
async def test_every_door_refuses_days_that_can_not_be_planned(register: Register, edtf: str) -> None:
    before = await register.count("outbox"), await register.count("anchor_news")
    for method, path, body in _requests(edtf):
        answer = await register.send(method, path, body)
        told = answer.json()
        assert (answer.status_code, told["type"], field_of(answer)) == (422, "/problems/refused-by-rule", "edtf"), path
        assert f"{FIRST} to {LAST}" in told["detail"], told
    assert (await register.count("outbox"), await register.count("anchor_news")) == before


async def test_the_first_and_the_last_year_are_taken(register: Register) -> None:
    for edtf in (f"{LAST}-12-31", f"{FIRST}-01-01", f"{FIRST}/{LAST}", f"{LAST}/.."):
        answer = await register.send("PUT", f"/milestones/{TARGET}/schedule", dated(edtf))
        assert (answer.status_code, answer.json()["change"]) == (200, "moved"), answer.text


async def test_words_are_no_way_round(register: Register) -> None:
    await add_words(register, "by the end of 2190")
    answer = await register.send("POST", "/commitments", by_words("by the end of 2190"))
    assert (answer.status_code, field_of(answer)) == (422, "wording"), answer.text


async def test_a_date_from_before_the_rule_is_corrected(register: Register) -> None:
    async with register.database.connection() as connection:
        await connection.execute(
            "insert into milestone_schedule (milestone_id, version, edtf, earliest, latest, precision, change,"
            " recorded_at, event_id, source, known_on) select milestone_id, 2, '1921-06-30', '1921-06-30',"
            " '1921-06-30', 'day', 'moved', recorded_at, gen_random_uuid(), '{\"text\": \"a page\"}', '2022-01-01'"
            " from milestone_schedule where milestone_id = $1",
            TARGET,
        )
        await connection.execute("update milestone set schedule_version = 2 where id = $1", TARGET)
    answer = await register.send("PUT", f"/milestones/{TARGET}/schedule", dated("2030-06-30"))
    assert (answer.status_code, answer.json()["change"]) == (200, "moved"), answer.text
