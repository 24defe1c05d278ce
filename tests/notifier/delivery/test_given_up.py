"""What operators are told of a delivery that came to nothing: one line with the reason, and a span that has failed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.notifier.channels.outcomes import Accepted, AttemptOutcome, FailureReason, Refused
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.metrics import DESTINATIONS
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.notifier.delivery.dispatching import DEADLINE, dispatch_at
from tests.notifier.delivery.test_rendering_faults import ends
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming, subscribe
from tests.stand_ins.collector import collecting

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CANARIES = ("kanarie", "secret-mailbox")


class MailServer:
    """Knows everybody but one, whom it refuses for good, and another at first."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    async def send(self, mail: bytes, sender: str, recipient: str, read_reply: object) -> AttemptOutcome:
        self.tried.append(recipient)
        if recipient.startswith("kanarie"):
            return Refused(FailureReason.RECIPIENT, 550)
        return Accepted(250)


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    made = SharedClock(tmp_path / "clock")
    made.set(NOW)
    return made


async def test_a_failed_delivery_leaves_one_line_with_its_reason_and_a_failed_span(
    database: Database, clock: SharedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CANARIES:
        await subscribe(database, f"{name}@example.org", channel="email")
    await subscribe(database, "secret-mailbox@example.net", channel="email")
    told = incoming(not_after=NOW)
    thread = {"correlation_id": "case-7", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    events = [replace(one, event=replace(one.event, **thread)) for one in (incoming(), told)]
    server, stopping, http = (
        MailServer(),
        asyncio.Event(),
        HttpClient(HttpClientSettings(deadline=DEADLINE), AllowList()),
    )
    monkeypatch.setattr(DESTINATIONS, "_known", {})  # what other tests have sent is no matter here
    with collecting(monkeypatch, "notifier") as collector, capture_logs() as lines:
        running = asyncio.create_task(dispatch_at(database, clock, http, mail=server).run(stopping))  # type: ignore[arg-type]
        await FanOut(database, lease_seconds=60).apply(events[:1], NOW, NO_CAPACITY)
        await FanOut(database, lease_seconds=60).apply(events[1:], NOW, NO_CAPACITY)
        await ends(database, 6)
        stopping.set()
        await asyncio.wait_for(running, 20)
        await http.close()

    given_up = sorted(
        (line for line in lines if line["action"].startswith("delivery_")), key=lambda line: line["action"]
    )
    assert [(line["action"], line["reason"], line["attempts"], line["code"]) for line in given_up] == [
        *[("delivery_expired", "not-after-passed", 0, None)] * 3,
        ("delivery_failed", "recipient-refused", 1, 550),
    ]
    assert {line["correlation_id"] for line in given_up} == {"case-7"}
    tried = [span for span in collector.spans() if span.name == "deliver"]
    assert {span.trace_id.hex() for span in tried} == {TRACE}
    assert {span.kind for span in tried} == {Span.SPAN_KIND_CLIENT}
    failed = [span for span in tried if span.status.code == span.status.STATUS_CODE_ERROR]
    assert len(tried) == len(server.tried) == 3
    (refused,) = failed
    told_of = {one.key: one.value.string_value or one.value.int_value for one in refused.attributes}
    assert told_of == {
        "channel": "email",
        "attempt": 1,
        "outcome": "refused",
        "code": 550,
        "error.type": "recipient-refused",
    }
    share = {
        sample.labels["destination"]: sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "pledgewire_destination_failing_share"
    }
    assert sorted(share.values()) == [0.0, 1.0]
    for place in (*collector.received, repr(lines).encode(), repr(share).encode()):
        for canary in (*CANARIES, "example.org"):
            assert canary.encode() not in place
