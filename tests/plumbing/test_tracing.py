"""What a collector of traces is told, on its own protocol."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from structlog.contextvars import bound_contextvars

from services.plumbing.tracing import current_traceparent, mark_failed, now_ns, record_span, thread_headers, traced
from tests.stand_ins.collector import collecting

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_piece_of_work_goes_on_in_the_trace_that_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting(monkeypatch, "scheduler") as collector, traced("outer", PARENT, channel="slack") as outer:
        with traced("inner", current_traceparent()):
            pass

    inner_span, outer_span = collector.spans()
    assert [span.trace_id.hex() for span in (inner_span, outer_span)] == [PARENT.split("-")[1]] * 2
    assert outer_span.parent_span_id.hex() == PARENT.split("-")[2]
    assert inner_span.parent_span_id == outer_span.span_id
    assert outer.split("-")[2] == outer_span.span_id.hex()
    assert {(a.key, a.value.string_value) for a in outer_span.attributes} == {("channel", "slack")}


def test_of_an_error_its_kind_is_told_and_not_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The text may hold the address of a webhook, which is a secret.
    """
    with collecting(monkeypatch, "notifier") as collector, pytest.raises(ValueError, match="hooks"):
        with traced("deliver", PARENT):
            raise ValueError("https://hooks.example/services/T0/B0/secret")

    [span] = collector.spans()
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert [(a.key, a.value.string_value) for a in span.attributes] == [("error.type", "ValueError")]
    assert not [body for body in collector.received if b"hooks.example" in body]


def test_a_part_of_what_was_done_at_once_is_told_with_its_kind_its_time_and_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    What belongs to no trace, or to a malformed one, is not told at all.
    """
    with collecting(monkeypatch, "registry") as collector:
        began = now_ns()
        record_span("publish a-topic", PARENT, "producer", began, "TopicMissing", topic="a-topic")
        record_span("publish a-topic", None, "producer", began)
        record_span("publish a-topic", "00-nonsense-01", "producer", began)

    [span] = collector.spans()
    assert (span.name, span.kind) == ("publish a-topic", Span.SPAN_KIND_PRODUCER)
    assert span.trace_id.hex() == PARENT.split("-")[1]
    assert began == span.start_time_unix_nano <= span.end_time_unix_nano
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert ("error.type", "TopicMissing") in {(a.key, a.value.string_value) for a in span.attributes}


def test_what_tells_of_several_has_links_to_their_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with (
        collecting(monkeypatch, "notifier") as collector,
        traced("deliver", PARENT, "client", [other, None, "no trace"]),
    ):
        mark_failed("timeout")

    [span] = collector.spans()
    assert [link.trace_id.hex() for link in span.links] == [other.split("-")[1]]
    assert (span.kind, span.status.code) == (Span.SPAN_KIND_CLIENT, span.status.STATUS_CODE_ERROR)


def test_a_question_to_another_service_carries_the_trace_and_the_request_that_it_belongs_to() -> None:
    assert thread_headers() == {}
    with bound_contextvars(correlation_id="case-7"), traced("GET /", PARENT):
        assert thread_headers() == {"traceparent": PARENT, "x-correlation-id": "case-7"}
