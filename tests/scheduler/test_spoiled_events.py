"""Whatever stands on a topic of the scheduler's is taken in or put aside, and what stands beside it is planned."""

import json
from dataclasses import replace
from itertools import count

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.plumbing.ids import new_id
from services.plumbing.kafka.intake import Intake
from services.scheduler.intake import GROUP
from services.scheduler.reminders.records import TOPICS, read_record
from tests.contracts.golden_records import PATHS, Wire, golden, record_of, wire
from tests.contracts.record_mutations import spoiled
from tests.scheduler.running import Scheduler
from tests.stand_ins.dead_letter_topics import RememberedDeadLetters

READ = [wire(path) for path in PATHS if golden(path)["topic"] in TOPICS]
GOOD = next(wire(path) for path in PATHS if path.stem == "milestone-scheduled.v1.coal-finance")
_offsets = count()


def another() -> Wire:
    """A good event that nobody has heard yet, about a commitment that nothing spoiled is about."""
    value = json.loads(GOOD.value or b"")
    about = value["commitment"]["id"] = value["milestone"]["id"] = f"beside-{next(_offsets)}"
    made = replace(GOOD, key=about.encode(), value=json.dumps(value).encode())
    for name, content in {"ce_id": str(new_id()), "ce_subject": about, "ce_partitionkey": about}.items():
        made = made.with_header(name, content.encode())
    return made


@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # smaller examples would take minutes, each with a database behind it
)
@given(between=st.lists(st.sampled_from(READ).flatmap(spoiled), min_size=2, max_size=6))
async def test_each_record_is_taken_in_or_put_aside_and_good_neighbours_are_planned(
    scheduler: Scheduler, between: list[Wire]
) -> None:
    """
    Nothing stops the partition; what is put aside has a reason.
    """
    dead_letters = RememberedDeadLetters()
    intake = Intake(GROUP, read_record, scheduler.planner.apply, dead_letters)
    good = [another(), another()]
    records = [record_of(one, next(_offsets)) for one in (good[0], *between, good[1])]

    assert await intake.take(records) == []

    heard = {row["event_id"] for row in await scheduler.rows("select event_id from inbox where consumer = $1", GROUP)}
    planned = {row["commitment_id"] for row in await scheduler.rows("select commitment_id from milestone_plan")}
    assert {(one.key or b"").decode() for one in good} <= planned
    for record in records:
        reason = dead_letters.reasons.get((record.topic, record.partition, record.offset))
        if reason is None:
            assert read_record(record).envelope.id in heard
        else:
            assert reason.strip() and reason.isprintable()
