"""Reports over Kafka: the handler behind the subscriber, on a real PostgreSQL."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.envelope import Envelope
from contracts.events import StatusReported
from contracts.vocabulary import Country, Status
from services.registry.intake import ReceivedReport, ReportChanged, ReportIntake
from services.registry.rules.errors import Invalid, ResourceNotFound
from services.registry.rules.status import StatusNotAllowed, VersionConflict
from tests.registry.scenes import NOW, Register, StoppedClock


def received(commitment: str, report_id: UUID | None = None, ministry: str = "mx-sre", **said: Any) -> ReceivedReport:
    report = StatusReported(
        report_id=report_id or uuid4(), commitment_id=commitment, **{"reported_at": NOW, "status": Status.MET, **said}
    )
    return ReceivedReport(ministry, Envelope(uuid4(), NOW, commitment, "thread-1"), report)


async def test_reports_have_the_same_effect_and_are_recorded_once(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    first = received(joint, country=Country.MX, status=Status.IN_PROGRESS)
    second = received(joint, country=Country.MX, status=Status.MET, expected_version=2)
    await intake.apply([first, first, second])
    await intake.apply([second, first])
    events = await register.events("status-changed")
    assert [(e.status, e.version, e.seq) for _, e in events] == [("in-progress", 2, 1), ("met", 3, 2)]
    assert {e.reported_by.ministry for _, e in events} == {"mx-sre"}
    assert {envelope.correlation_id for envelope, _ in events} == {"thread-1"}


async def test_two_members_with_the_same_batch_record_it_once(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    batch = [received(joint, status=Status.IN_PROGRESS, note=str(n)) for n in range(5)]
    await asyncio.gather(*(intake.apply(batch) for _ in range(4)))
    assert [e.version for _, e in await register.events("status-changed")] == [2, 3, 4, 5, 6]


async def test_ministries_do_not_share_their_report_ids(register: Register, joint: str) -> None:
    report_id = uuid4()
    intake = ReportIntake(register.database, StoppedClock())
    await intake.apply(
        [
            received(joint, report_id, "mx-sre", country=Country.MX),
            received(joint, report_id, "ca-gac", country=Country.CA),
        ]
    )
    assert [e.reported_by.client for _, e in await register.events("status-changed")] == ["mx-sre", "ca-gac"]


async def test_a_report_that_can_not_be_undoes_its_batch_and_says_why(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    good = received(joint, status=Status.IN_PROGRESS)
    for bad, error in [
        (received("no-such-thing"), ResourceNotFound),
        (received(joint, expected_version=9), VersionConflict),
        (received(joint, status=Status.ANNOUNCED), StatusNotAllowed),
        (received(joint, good.report.report_id, status=Status.MISSED), ReportChanged),
    ]:
        with pytest.raises(error):
            await intake.apply([good, bad])
        assert (await register.count("inbox"), await register.count("status_update")) == (0, 0)
    await intake.apply([good])
    with pytest.raises(ReportChanged):
        await intake.apply([received(joint, good.report.report_id, status=Status.MISSED)])


async def test_a_report_from_the_future_is_refused(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())

    with pytest.raises(Invalid, match="dated ahead"):
        await intake.apply([received(joint, status=Status.MET, reported_at=datetime(2099, 1, 1, tzinfo=UTC))])

    assert await register.events("status-changed") == []
