"""Whatever stands on an ingest topic has one answer, and what stands beside it is recorded."""

import json
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contracts.envelope import from_record
from contracts.events import StatusRejected
from contracts.topics import ingest_topic, rejected_topic
from services.plumbing.kafka.intake import Intake
from services.registry.actions.events import report_event_id
from services.registry.actions.rejections import RecordPlace, rejection_id
from services.registry.intake import ReportIntake
from services.registry.received_reports import ReceivedReport, read_report
from tests.contracts.golden_records import Wire, example, record_of
from tests.contracts.record_mutations import spoiled
from tests.registry.scenes import COAL, Register, StoppedClock
from tests.stand_ins.dead_letter_topics import RememberedDeadLetters

MINISTRY = "mx-sre"
TOPIC = ingest_topic(MINISTRY)
OTHER = "nals-2021-conserve-30-percent"
"""A commitment that nothing spoiled is about."""
EVIDENCE = {"url": "https://example.org/a", "title": "The record", "retrieved_on": "2022-03-20"}
_offsets = count()


def report(report_id: UUID, commitment: str = COAL, **said: Any) -> Wire:
    """A record as a ministry's own system writes it."""
    golden = example("status-reported.v1.canada-framework")
    value = json.loads(golden.value or b"")
    known = {"report_id": str(report_id), "commitment_id": commitment, "party": "MX", "status": "in-progress"}
    value |= dict.fromkeys(("note", "evidence", "expected_version", "occurred_at"))
    value |= known | {"reported_at": "2022-03-20T12:00:00Z"} | said
    record = replace(golden, topic=TOPIC, key=commitment.encode(), value=json.dumps(value).encode())
    for name, content in {"ce_id": str(uuid4()), "ce_subject": commitment, "ce_partitionkey": commitment}.items():
        record = record.with_header(name, content.encode())
    return record


@st.composite
def reports(draw: st.DrawFn) -> Wire:
    """A report, mostly spoiled; now and then one that the rules refuse, or nothing is wrong with."""
    said: dict[str, Any] = {"status": draw(st.sampled_from(["in-progress", "met", "missed", "announced"]))}
    said |= draw(
        st.fixed_dictionaries(
            {}, optional={"note": st.sampled_from(["It goes on", "día"]), "evidence": st.just(EVIDENCE),
                          "expected_version": st.integers(1, 4), "party": st.sampled_from(["MX", "CA", None])}
        )
    )  # fmt: skip
    id_ = UUID(int=draw(st.integers(1, 2**64)), version=4)
    record = report(id_, **said)
    return draw(st.one_of(st.just(record), spoiled(record), spoiled(record)))


class Doors:
    """The registry's intake on its database, and what became of what went in."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.dead_letters = RememberedDeadLetters()
        apply = ReportIntake(register.database, StoppedClock()).apply
        self.intake = Intake("registry", read_report, apply, self.dead_letters)

    async def histories(self) -> dict[UUID, Any]:
        """By its event's id, what stands in the history."""
        async with self.register.database.connection() as connection:
            rows = await connection.fetch("select * from status_update where event_id is not null")
        return {row["event_id"]: row for row in rows}

    async def refusals(self) -> dict[UUID, StatusRejected]:
        """By its id, what the ministry is told of a record that was refused."""
        async with self.register.database.connection() as connection:
            topic = rejected_topic(MINISTRY).name
            rows = await connection.fetch("select * from outbox where topic = $1", topic)
        found = {}
        for row in rows:
            headers = [(name, text.encode()) for name, text in row["headers"].items()]
            _, found[row["event_id"]] = from_record(StatusRejected, row["key"].encode(), headers, row["value"])
        return found


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # smaller examples would take minutes, each with a database behind it
)
@given(between=st.lists(reports(), min_size=2, max_size=6), repeats=st.booleans())
async def test_each_record_has_one_answer_and_good_neighbours_are_recorded(
    register: Register, between: list[Wire], repeats: bool
) -> None:
    """
    It is recorded, known already, refused with a reason, or a dead letter with a reason; nothing stops the partition.
    """
    doors = Doors(register)
    good = [uuid4(), uuid4()]
    wires = [report(good[0], OTHER, note=f"{good[0]}"), *between, report(good[1], OTHER, note=f"{good[1]}")]
    if repeats:
        wires.insert(-1, wires[1])
    records = [record_of(wire, next(_offsets)) for wire in wires]
    known = set(await doors.histories())

    assert await doors.intake.take(records) == []

    recorded, refused = await doors.histories(), await doors.refusals()
    assert {report_event_id(MINISTRY, id_) for id_ in good} <= recorded.keys() - known
    for record in records:
        place = RecordPlace(record.topic, record.partition, record.offset)
        received = read_report(record)
        reason = doors.dead_letters.reasons.get(place)
        refusal = refused.get(rejection_id(place))
        is_in_history = (
            isinstance(received, ReceivedReport) and report_event_id(MINISTRY, received.report.report_id) in recorded
        )
        if reason is None and refusal is None:
            assert is_in_history, record
        assert (reason is None) or (refusal is None)
        if refusal is not None:
            assert refusal.detail.strip() and refusal.detail.isprintable()
            assert (refusal.topic, refusal.offset) == (record.topic, record.offset)
        if reason is not None:
            assert reason.strip() and reason.isprintable()

    assert await doors.intake.take(records) == []
    assert (await doors.histories()).keys() == recorded.keys()
    assert (await doors.refusals()).keys() == refused.keys()
