"""Reports over Kafka: the handler behind the subscriber, on a real PostgreSQL."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import ConsumerRecord

from contracts.envelope import Envelope, to_record
from contracts.events import EnteredEvidence, StatusRejected, StatusReported
from contracts.topics import ingest_topic, rejected_topic
from contracts.vocabulary import Status
from services.registry.actions.rejections import RecordPlace, Rejection
from services.registry.actions.status_updates import UnknownMinistry
from services.registry.intake import ReportIntake
from services.registry.received_reports import ReceivedReport, read_report
from tests.registry.scenes import NOW, Register, StoppedClock

SHOWN = EnteredEvidence(url="https://example.org/a", title="The record", retrieved_on=date(2022, 3, 20))
_offsets = count()


def received(commitment: str, report_id: UUID | None = None, ministry: str = "mx-sre", **said: Any) -> ReceivedReport:
    fields = {"reported_at": NOW, "status": Status.MET, **said}
    if fields["status"] is Status.MET:
        fields = {"evidence": SHOWN} | fields
    report = StatusReported(report_id=report_id or uuid4(), commitment_id=commitment, **fields)
    place = RecordPlace(ingest_topic(ministry).name, 0, next(_offsets))
    return ReceivedReport(ministry, place, Envelope(uuid4(), NOW, commitment, "thread-1"), report)


async def rejections(register: Register, ministry: str = "mx-sre") -> list[StatusRejected]:
    return [event for _, event in await register.events(rejected_topic(ministry).name)]


async def test_reports_have_the_same_effect_and_are_recorded_once(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    first = received(joint, party="MX", status=Status.IN_PROGRESS)
    second = received(joint, status=Status.MET, expected_version=2)
    await intake.apply([first, first, second])
    await intake.apply([second, first])
    events = await register.events("status-changed")
    assert [(e.party, e.status, e.version, e.seq) for _, e in events] == [
        ("MX", "in-progress", 2, 1),
        ("MX", "met", 3, 2),
    ]
    assert [e.report_id for _, e in events] == [first.report.report_id, second.report.report_id]
    assert {e.reported_by.ministry for _, e in events} == {"mx-sre"}
    assert {envelope.correlation_id for envelope, _ in events} == {"thread-1"}
    assert await rejections(register) == []


async def test_two_members_with_the_same_batch_record_it_once(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    batch = [received(joint, status=Status.IN_PROGRESS, note=str(n)) for n in range(5)]
    batch.append(received(joint, status=Status.MET, evidence=None))
    await asyncio.gather(*(intake.apply(batch) for _ in range(4)))
    assert [e.version for _, e in await register.events("status-changed")] == [2, 3, 4, 5, 6]
    assert [e.reason for e in await rejections(register)] == ["evidence-needed"]


async def test_ministries_do_not_share_their_report_ids(register: Register, joint: str) -> None:
    report_id = uuid4()
    intake = ReportIntake(register.database, StoppedClock())
    await intake.apply([received(joint, report_id, "mx-sre"), received(joint, report_id, "ca-gac")])
    assert [e.reported_by.client for _, e in await register.events("status-changed")] == ["mx-sre", "ca-gac"]


async def test_what_is_refused_is_answered_and_the_rest_of_the_batch_is_recorded(
    register: Register, joint: str
) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    good = received(joint, status=Status.IN_PROGRESS)
    refused = [
        (received("no-such-thing"), "not-found", None),
        (received(joint, expected_version=9), "version-conflict", "#/expected_version"),
        (received(joint, status=Status.IN_PROGRESS), "status-not-allowed", "#/note"),
        (received(joint, evidence=None), "evidence-needed", "#/evidence"),
        (received(joint, party="BR"), "not-your-party", "#/party"),
        (received(joint, party="CA"), "not-your-party", "#/party"),
        (received("nals-2021-fossil-subsidies-canada"), "party-not-bound", "#/party"),
        (received(joint, reported_at=datetime(2099, 1, 1, tzinfo=UTC)), "refused-by-rule", "#/reported_at"),
        (received(joint, occurred_at=NOW + timedelta(days=1)), "refused-by-rule", "#/occurred_at"),
        (
            received(joint, evidence=SHOWN.model_copy(update={"retrieved_on": date(2999, 1, 1)})),
            "refused-by-rule",
            "#/evidence/retrieved_on",
        ),
        (received(joint, good.report.report_id, status=Status.MISSED), "report-changed", "#/report_id"),
    ]
    await intake.apply([good, *(one for one, _, _ in refused)])

    told = {event.report_id: event for event in await rejections(register)}
    assert len(told) == len(refused)
    for one, reason, pointer in refused:
        event = told[one.report.report_id]
        assert (event.reason, event.pointer, event.detail != "") == (reason, pointer, True)
        assert (event.commitment_id, event.rejected_at) == (one.report.commitment_id, NOW)
        assert (event.topic, event.partition, event.offset) == one.place
    assert [e.report_id for _, e in await register.events("status-changed")] == [good.report.report_id]
    async with register.database.connection() as connection:
        seen = await connection.fetch("select event_id from inbox where consumer = 'registry/mx-sre'")
    assert [row["event_id"] for row in seen] == [good.report.report_id], "what was refused may come again"


async def test_a_report_for_another_party_leaves_no_trace_there(register: Register, joint: str) -> None:
    """Whoever produces for B on A's topic is refused, and B's standing is as it was."""
    before = await register.get(f"/commitments/{joint}")
    intake = ReportIntake(register.database, StoppedClock())
    await intake.apply([received(joint, ministry="ca-gac", party="MX", status=Status.WITHDRAWN, note="why")])

    assert await register.get(f"/commitments/{joint}") == before
    assert await register.events("status-changed") == []
    assert [event.reason for event in await rejections(register, "ca-gac")] == ["not-your-party"]
    assert await rejections(register, "mx-sre") == []


async def test_a_record_that_is_read_again_is_refused_once_and_never_recorded(register: Register, joint: str) -> None:
    """After a crash between the commit and the offset: what was refused stays refused, whatever holds by now."""
    intake = ReportIntake(register.database, StoppedClock())
    early = received(joint, status=Status.AT_RISK, expected_version=2)
    await intake.apply([early])
    await intake.apply([received(joint, status=Status.IN_PROGRESS)])
    await intake.apply([early])
    assert [event.report_id for event in await rejections(register)] == [early.report.report_id]
    assert [e.status for _, e in await register.events("status-changed")] == ["in-progress"]


async def test_what_was_refused_may_come_mended_under_the_same_id(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    report_id = uuid4()
    await intake.apply([received(joint, report_id, evidence=None)])
    await intake.apply([received(joint, report_id)])
    assert [e.report_id for _, e in await register.events("status-changed")] == [report_id]
    assert [e.report_id for e in await rejections(register)] == [report_id]


async def test_what_nobody_has_entered_is_not_its_sender_s_to_mend(register: Register, joint: str) -> None:
    with pytest.raises(UnknownMinistry):
        await ReportIntake(register.database, StoppedClock()).apply([received(joint, ministry="xx-nobody")])


async def test_news_that_comes_late_is_history_and_not_the_present(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    await intake.apply([received(joint, status=Status.IN_PROGRESS, reported_at=NOW - timedelta(days=2))])
    late = received(joint, status=Status.AT_RISK, reported_at=NOW - timedelta(days=9))
    await intake.apply([late])

    (_, first), (_, second) = await register.events("status-changed")
    assert (first.current, second.current) == (True, False)
    assert (second.previous, second.status, second.overall) == ("announced", "at-risk", first.overall)
    assert (second.occurred_at, second.recorded_at) == (NOW - timedelta(days=9), NOW)
    record = await register.get(f"/commitments/{joint}")
    assert {s["party"]: s["status"] for s in record["party_statuses"]}["MX"] == "in-progress"
    assert record["version"] == 3


async def test_sixteen_hundred_stale_reports_are_each_answered_once(register: Register, joint: str) -> None:
    """Half of them say nothing that can be recorded: those are refused. The next good one is the present at once."""
    intake = ReportIntake(register.database, StoppedClock())
    await intake.apply([received(joint, status=Status.IN_PROGRESS)])
    stale: list[ReceivedReport] = [
        received(
            joint,
            status=Status.AT_RISK if n % 2 else Status.MET,
            note=f"of day {n}",
            evidence=None,
            reported_at=NOW - timedelta(hours=1600 - n),
        )
        for n in range(1600)
    ]
    for first in range(0, 1600, 500):
        await intake.apply(stale[first : first + 500])
    await intake.apply([received(joint, status=Status.AT_RISK)])

    events = [event for _, event in await register.events("status-changed")]
    refused = await rejections(register)
    answers = [event.report_id for event in [*events[1:-1], *refused]]
    assert sorted(map(str, answers)) == sorted(str(one.report.report_id) for one in stale)
    assert (len(refused), {event.reason for event in refused}) == (800, {"evidence-needed"})
    assert {event.current for event in events[1:-1]} == {False}
    assert (events[-1].current, events[-1].previous) == (True, "in-progress")


# Reading


def record_of(value: bytes | None, key: bytes | None = b"c", **headers: str) -> ConsumerRecord[bytes, bytes]:
    report = StatusReported(report_id=uuid4(), commitment_id="c", status=Status.MET, reported_at=NOW)
    written = to_record(report, Envelope(uuid4(), NOW, "c"), ingest_topic("mx-sre"))
    all_headers = [(name, text.encode()) for name, text in (written.headers | headers).items()]
    value = written.value if value == b"a report" else value
    return ConsumerRecord(
        topic=written.topic,
        partition=2,
        offset=2**40,
        timestamp=0,
        timestamp_type=1,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=all_headers,
    )  # type: ignore[call-arg]  # aiokafka has no types


def said(**members: Any) -> bytes:
    return json.dumps(members).encode()


REPORT_ID = UUID("9a6f0f0e-8c54-4b56-9d0a-2f1f7f4e6a02")


@pytest.mark.parametrize(
    ("record", "report_id", "commitment_id", "pointer"),
    [
        (record_of(None), None, None, None),
        (record_of(b"{"), None, None, None),
        (record_of(b"[" * 100_000), None, None, None),
        (record_of(b"\xff\xfe"), None, None, None),
        (
            record_of(json.dumps({"report_id": str(REPORT_ID), "commitment_id": "c"}).encode()),
            REPORT_ID,
            "c",
            "#/status",
        ),
        (record_of(json.dumps({"report_id": 5, "commitment_id": "C !", "x/y": 1}).encode()), None, None, "#/report_id"),
        (record_of(b"a report", key=b"d"), ..., "c", None),
        (record_of(b"a report", ce_specversion="9"), ..., "c", None),
    ],
)
def test_what_is_no_report_is_refused_as_far_as_it_can_be_read(
    record: ConsumerRecord[bytes, bytes], report_id: Any, commitment_id: str | None, pointer: str | None
) -> None:
    found = read_report(record)

    assert isinstance(found, Rejection)
    assert (found.reason, found.ministry) == ("unreadable", "mx-sre")
    assert found.place == ("status-reported-mx-sre", 2, 2**40)
    assert found.commitment_id == commitment_id
    assert isinstance(found.report_id, UUID) if report_id is ... else found.report_id == report_id
    assert found.pointer == pointer
    assert found.detail


async def test_what_is_no_report_is_told_with_its_place(register: Register) -> None:
    refused: Sequence[Any] = [read_report(record_of(b"{")), read_report(record_of(None))]
    await ReportIntake(register.database, StoppedClock()).apply(refused[:1])
    (event,) = await rejections(register)
    assert (event.report_id, event.partition, event.offset) == (None, 2, 2**40)


async def test_what_came_over_kafka_is_told_at_the_same_address_and_is_the_same_over_http(
    register: Register, joint: str
) -> None:
    """Refused, it is told with its reason; mended and recorded, with its event; and again over HTTP, it is known."""
    intake = ReportIntake(register.database, StoppedClock())
    headers = {"authorization": f"Bearer {register.keys['mx']}"}
    wrong = received(joint, status=Status.MET, evidence=None)
    await intake.apply([wrong])
    address = f"/reports/{wrong.report.report_id}"
    refused = (await register.client.get(address, headers=headers)).json()
    await intake.apply([received(joint, wrong.report.report_id, status=Status.IN_PROGRESS)])
    recorded = (await register.client.get(address, headers=headers)).json()
    row = {"report_id": str(wrong.report.report_id), "commitment_id": joint, "status": "in-progress"}
    again = await register.client.post("/status-updates", json={"reports": [row]}, headers=headers)

    assert (refused["state"], refused["problem"]["type"]) == ("refused", "/problems/evidence-needed")
    assert (recorded["state"], recorded["problem"], recorded["refused_at"]) == ("recorded", None, None)
    assert again.json()["results"][0]["result"] == "known"
    assert again.json()["results"][0]["event_id"] == recorded["recorded"]["event_id"]
    assert (await register.client.get(address)).status_code == 401
