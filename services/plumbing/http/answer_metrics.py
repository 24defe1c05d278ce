"""How long requests take and how they are answered, by route: few series, whatever is asked for."""

from prometheus_client import Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
OTHER = "_OTHER"
"""Any method that HTTP doesn't name, as OpenTelemetry's conventions have it: a client may write what it likes."""

ANSWERS = Histogram(
    "pledgewire_http_answer_seconds",
    "From a request's headers to the first byte of its answer, by its route and the first digit of its status",
    ["method", "route", "status"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
"""A stream, which lasts for hours, counts like any other answer: by when it began."""


def known_method(method: str) -> str:
    """The method as metrics and traces may show it."""
    return method if method in METHODS else OTHER


def observe_answer(method: str, route: str, status: int, seconds: float) -> None:
    """Count an answer; `route` is a template, never a path."""
    ANSWERS.labels(known_method(method), route, f"{status // 100}xx").observe(seconds)
