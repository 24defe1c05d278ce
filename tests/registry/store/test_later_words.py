"""What a later release wrote into the tables is read beside it: its words are shown as they are."""

from datetime import date

from tests.registry.scenes import COAL, Register, check_on, flags

WIDER = """
alter table milestone_schedule drop constraint milestone_schedule_change_check;
alter table milestone_schedule disable trigger append_only;
update milestone_schedule set change = 'split';
update milestone set reading = 'around';
alter table consistency_flag drop constraint consistency_flag_rule_check;
update consistency_flag set rule = 'double-booked';
update commitment set strength = 'vow';
"""


async def test_what_is_kept_in_words_of_a_later_release_is_shown(register: Register) -> None:
    await check_on(register, date(2022, 6, 1))
    async with register.database.connection() as connection:
        await connection.execute(WIDER)

    record = await register.get(f"/commitments/{COAL}")
    assert record["strength"] == "vow"
    assert {one["reading"] for one in record["milestones"]} == {"around"}
    assert {schedule["change"] for one in record["milestones"] for schedule in one["schedules"]} == {"split"}
    assert {rule for rule, _, _ in await flags(register)} == {"double-booked"}
    assert len((await register.get("/commitments", limit=200))["items"]) == await register.count("commitment")
