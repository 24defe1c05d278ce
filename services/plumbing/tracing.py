"""W3C trace context, from HTTP through the outbox and Kafka to the delivery.

The `traceparent` travels always; spans are recorded only where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.
Source: W3C Trace Context, level 1.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

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


def current_traceparent() -> str | None:
    """The trace context of the work at hand, as a header value."""
    return _CURRENT.get()


@contextlib.contextmanager
def traced(name: str, traceparent: str | None, **attributes: str | int) -> Iterator[str]:
    """Do a piece of work inside the given trace, or a new one where there is none or it is malformed."""
    parent = traceparent if traceparent and _PATTERN.match(traceparent) else None
    if not _recording:
        carried = parent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
        token = _CURRENT.set(carried)
        try:
            yield carried
        finally:
            _CURRENT.reset(token)
        return
    context = _PROPAGATOR.extract({"traceparent": parent} if parent else {})
    tracer = trace.get_tracer("pledgewire")
    # Not by itself: the text of an error may hold an address that is a secret, so its kind must do.
    with tracer.start_as_current_span(
        name, context=context, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        token = _CURRENT.set(carrier["traceparent"])
        try:
            yield carrier["traceparent"]
        except Exception as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(trace.StatusCode.ERROR)
            raise
        finally:
            _CURRENT.reset(token)
