"""What a collector of traces is told, on its own protocol."""

import pytest

from services.plumbing.tracing import current_traceparent, traced
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
