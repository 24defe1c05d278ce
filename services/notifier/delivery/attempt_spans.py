"""What a trace and the log are told of deliveries: channels, outcomes and reasons out of fixed lists."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from structlog.contextvars import bound_contextvars

from services.notifier.channels.outcomes import AttemptOutcome, Deferred, Refused, Unknown
from services.notifier.delivery.deliveries import Delivery, DeliveryResult
from services.notifier.events.published_event import PublishedEvent, Telling
from services.plumbing.logs import log
from services.plumbing.tracing import is_recording, mark_failed, record_span, tell_span, traced


@contextmanager
def attempt_span(
    delivery: Delivery, event: PublishedEvent, together: Sequence[tuple[PublishedEvent, Telling]]
) -> Iterator[None]:
    """One attempt, in the trace of its event, with links to those of all others that the same message tells."""
    others = [other.traceparent for other, _ in together if other.id != event.id]
    thread = {"correlation_id": event.correlation_id} if event.correlation_id else {}
    with (
        bound_contextvars(**thread),
        traced(
            "deliver",
            event.traceparent,
            "client",
            others,
            channel=delivery.recipient.channel,
            attempt=delivery.attempts + 1,
        ),
    ):
        yield


def tell_outcome(outcome: AttemptOutcome) -> None:
    """Say what became of the attempt at hand; being told to wait is no failure of it."""
    tell_span(outcome=type(outcome).__name__.lower())
    if (code := getattr(outcome, "code", None)) is not None:
        tell_span(code=code)
    match outcome:
        case Refused(reason=reason) | Unknown(reason=reason):
            mark_failed(str(reason))
        case Deferred(reason=reason):
            tell_span(reason=str(reason))


def trace_fan_out(events: Sequence[PublishedEvent], told: Sequence[UUID], began: int) -> None:
    """A span for each event of a batch: how many deliveries it became; `told` has each event's id once for each."""
    if not is_recording():
        return
    counts = Counter(told)
    for event in events:
        record_span("fan out", event.traceparent, "internal", began, deliveries=counts[event.id])


def log_given_up(
    results: Sequence[DeliveryResult], attempts: Mapping[UUID, int], events: Mapping[UUID, PublishedEvent]
) -> None:
    """One line for each delivery that has failed or expired: why, after how many attempts, and by whose request."""
    for result in results:
        if result.state not in ("failed", "expired"):
            continue
        delivery, event = result.delivery, events.get(result.delivery.event_id)
        log.warning(
            f"a delivery has {result.state}",
            action=f"delivery_{result.state}",
            delivery_id=str(delivery.id),
            channel=delivery.recipient.channel,
            reason=result.reason,
            code=getattr(result.attempt.outcome, "code", None) if result.attempt else None,
            attempts=attempts.get(delivery.id, delivery.attempts),
            correlation_id=event.correlation_id if event else None,
        )
