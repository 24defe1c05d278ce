"""W3C trace context, from HTTP through the outbox and Kafka to the delivery, and the correlation id beside it.

The `traceparent` travels always; spans are recorded only where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector. A span
tells routes, topics, channels, counts and reasons out of fixed lists: never an address, a token, an id of ours, or the
text of an error. Source: W3C Trace Context, level 1; names of attributes: OpenTelemetry's semantic conventions.
"""

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Literal

from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import get_contextvars

CE_TRACEPARENT, CE_CORRELATION = "ce_traceparent", "ce_correlationid"
"""The headers of a record that say to which trace, and to which request, it belongs (CloudEvents' extensions)."""

Kind = Literal["internal", "server", "client", "producer", "consumer"]
"""What a piece of work is: a server's is one request, a client's one question to somebody else."""

Headers = Iterable[tuple[str, bytes | None]]

_PATTERN = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
_CURRENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
_PROPAGATOR = TraceContextTextMapPropagator()
_recording = False


def configure_tracing(service: str) -> None:
    """Record spans and export them over OTLP, if a collector is configured; otherwise only pass the context on."""
    global _recording  # noqa: PLW0603  set once, at the door of the process
    if not (os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"pledgewire-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _recording = True


def flush_tracing() -> None:
    """Send what has been recorded; for the end of a process."""
    provider: Any = trace.get_tracer_provider()
    if _recording and hasattr(provider, "shutdown"):
        provider.shutdown()


def is_recording() -> bool:
    """Whether spans are recorded; whoever would go through many things to tell of them asks first."""
    return _recording


def current_traceparent() -> str | None:
    """The trace context of the work at hand, as a header value."""
    return _CURRENT.get()


def thread_headers() -> dict[str, str]:
    """The headers by which another service of ours knows to which trace and to which request a question belongs."""
    correlation = get_contextvars().get("correlation_id")
    found = {"traceparent": current_traceparent(), "x-correlation-id": str(correlation) if correlation else None}
    return {name: value for name, value in found.items() if value}


@contextlib.contextmanager
def traced(
    name: str,
    traceparent: str | None,
    kind: Kind = "internal",
    beside: Sequence[str | None] = (),
    **attributes: str | int,
) -> Iterator[str]:
    """Do a piece of work inside the given trace, or a new one where there is none or it is malformed.

    `beside` are other traces that it belongs to as well: the span has links to them.
    """
    parent = _well_formed(traceparent)
    if not _recording:
        carried = parent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
        token = _CURRENT.set(carried)
        try:
            yield carried
        finally:
            _CURRENT.reset(token)
        return
    # Not by itself: the text of an error may hold an address that is a secret, so its kind must do.
    with trace.get_tracer("pledgewire").start_as_current_span(
        name,
        context=_context(parent),
        kind=SpanKind[kind.upper()],
        links=_links(beside),
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ):
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        token = _CURRENT.set(carrier["traceparent"])
        try:
            yield carrier["traceparent"]
        except Exception as error:
            mark_failed(type(error).__qualname__)
            raise
        finally:
            _CURRENT.reset(token)


def tell_span(**attributes: str | int) -> None:
    """Say more of the piece of work at hand, out of fixed lists or as a count."""
    if _recording:
        trace.get_current_span().set_attributes(attributes)


def mark_failed(reason: str) -> None:
    """The piece of work at hand has failed; `reason` is one of a fixed list, or the kind of an error."""
    if _recording:
        _mark_failed(trace.get_current_span(), reason)


def record_span(
    name: str,
    traceparent: str | None,
    kind: Kind,
    began: int,
    failed: str | None = None,
    **attributes: str | int,
) -> None:
    """Tell of a piece of work that ends now and began at `began` (`now_ns`), as a part of many that were done at once.

    Nothing is told of what belongs to no trace.
    """
    parent = _well_formed(traceparent)
    if not _recording or parent is None:
        return
    span = trace.get_tracer("pledgewire").start_span(
        name, context=_context(parent), kind=SpanKind[kind.upper()], attributes=attributes, start_time=began
    )
    if failed:
        _mark_failed(span, failed)
    span.end()


def now_ns() -> int:
    """The machine's time, as `record_span` takes it: nanoseconds of Unix time."""
    return time.time_ns()


def header_of(headers: Headers, name: str) -> str | None:
    """One header of a record as text; None where it is not there, or is none."""
    found = next((value for key, value in headers if key == name), None)
    try:
        text = (found or b"").decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and text else None


def _mark_failed(span: trace.Span, reason: str) -> None:
    span.set_attribute("error.type", reason)
    span.set_status(trace.StatusCode.ERROR)


def _well_formed(traceparent: str | None) -> str | None:
    return traceparent if traceparent and _PATTERN.match(traceparent) else None


def _context(parent: str | None) -> Any:
    return _PROPAGATOR.extract({"traceparent": parent} if parent else {})


def _links(others: Sequence[str | None]) -> list[Link]:
    contexts = (trace.get_current_span(_context(_well_formed(one))).get_span_context() for one in others)
    return [Link(context) for context in contexts if context.is_valid]
