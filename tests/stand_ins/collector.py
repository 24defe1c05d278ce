"""A collector of traces that listens: what a service tells it by OpenTelemetry's protocol, as bytes and as spans."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.util._once import Once

from services.plumbing import tracing


class Collector:
    """Whatever was posted to it, on any path: traces, metrics or logs."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[bytes] = []

    def of_service(self, service: str) -> list[Span]:
        """Those of one service's processes."""
        return [span for name, span in self._named() if name == f"pledgewire-{service}"]

    def spans(self) -> list[Span]:
        """The spans among what was received, in the order in which they ended."""
        return [span for _, span in self._named()]

    def _named(self) -> list[tuple[str, Span]]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.received]
        return [
            (next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name"), span)
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def listening() -> Iterator[Collector]:
    """A collector that other processes may tell; it has an address of its own."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def collecting(monkeypatch: pytest.MonkeyPatch, service: str) -> Iterator[Collector]:
    """Let this process trace as `service` does when a collector is configured; what was sent is there afterwards.

    OpenTelemetry's provider can be set once for a process, so it is taken out again for whoever comes next.
    """
    with listening() as collector, monkeypatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(trace, "_TRACER_PROVIDER", None)
        patch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
        patch.setattr(tracing, "_recording", False)
        tracing.configure_tracing(service)
        yield collector
        tracing.flush_tracing()
