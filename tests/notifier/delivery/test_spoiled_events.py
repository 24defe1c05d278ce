"""Whatever stands on a topic that the notifier reads is told or put aside, and what stands beside it is told."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contracts.filters import Filters
from services.i18n.languages import LANGUAGES
from services.notifier.channels import CHANNELS
from services.notifier.delivery import intake
from services.notifier.delivery.fan_out import FanOut, IncomingEvent
from services.notifier.delivery.messages import render_event
from services.notifier.events.event_types import EVENT_NAMES, EVENT_TYPES
from services.plumbing.database import Database
from services.plumbing.ids import new_id
from services.plumbing.kafka.intake import Intake
from tests.contracts.golden_records import PATHS, Wire, golden, record_of, wire
from tests.contracts.record_mutations import spoiled
from tests.notifier.rendering.material import LINKS
from tests.notifier.scenes import NO_CAPACITY, NOW, STATUS_CHANGED, subscribe
from tests.stand_ins.dead_letter_topics import RememberedDeadLetters

READ = [wire(path) for path in PATHS if golden(path)["topic"] in EVENT_TYPES]
GOOD = next(wire(path) for path in PATHS if path.stem.startswith("status-changed"))
_offsets = count()


def another() -> Wire:
    """A good event that nobody has heard yet, about a commitment that nothing spoiled is about."""
    about = f"beside-{next(_offsets)}"
    brief = STATUS_CHANGED.commitment.model_copy(update={"id": about})
    value = STATUS_CHANGED.model_copy(update={"commitment": brief}).model_dump_json().encode()
    made = replace(GOOD, key=about.encode(), value=value)
    for name, content in {"ce_id": str(new_id()), "ce_subject": about, "ce_partitionkey": about}.items():
        made = made.with_header(name, content.encode())
    return made


def no_constant(written: str) -> None:
    raise AssertionError(f"{written} is no JSON")


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # smaller examples would take minutes, each with a database behind it
)
@given(between=st.lists(st.sampled_from(READ).flatmap(spoiled), min_size=2, max_size=6))
async def test_each_record_is_told_or_put_aside_and_good_neighbours_are_told(
    database: Database, between: list[Wire]
) -> None:
    """
    Nothing stops the partition; what is put aside has a reason; what is handed on is JSON to whoever reads it.
    """
    fan_out, dead_letters = FanOut(database, lease_seconds=60), RememberedDeadLetters()
    await subscribe(
        database, f"https://hooks.example.org/{next(_offsets)}", filters=Filters(events=frozenset(EVENT_NAMES))
    )

    async def apply(events: Sequence[IncomingEvent]) -> None:
        await fan_out.apply(events, NOW, NO_CAPACITY)

    good = [another(), another()]
    records = [record_of(one, next(_offsets)) for one in (good[0], *between, good[1])]

    assert await Intake(intake.GROUP, intake.read, apply, dead_letters).take(records) == []

    async with database.connection() as connection:
        kept = {row["id"]: row["value"] for row in await connection.fetch("select id, value from event")}
        told = {row["commitment_id"] for row in await connection.fetch("select commitment_id from delivery")}
    assert {(one.key or b"").decode() for one in good} <= told
    for record in records:
        reason = dead_letters.reasons.get((record.topic, record.partition, record.offset))
        if reason is None:
            event = intake.read(record).event
            json.loads(kept[event.id].decode(), parse_constant=no_constant).items()
            for channel in CHANNELS:
                for language in LANGUAGES:
                    render_event(event, channel, language, LINKS)
        else:
            assert reason.strip() and reason.isprintable()
