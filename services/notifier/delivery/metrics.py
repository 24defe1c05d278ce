"""What is counted of deliveries; labels are fixed sets, so the number of series is bounded."""

import time
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.notifier.channels import CHANNELS
from services.notifier.delivery.destination_health import DestinationHealth

DELIVERIES = Counter("pledgewire_deliveries_total", "Deliveries that have ended", ["channel", "outcome"])
ATTEMPTS = Counter("pledgewire_attempts_total", "Attempts to deliver", ["channel", "outcome"])
RENDERING_FAULTS = Counter(
    "pledgewire_rendering_faults_total", "Deliveries of which no message can be made: they fail at once", ["channel"]
)
LATENCY = Histogram(
    "pledgewire_delivery_latency_seconds",
    "From the event's time to its delivery, first attempts and retries alike",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400),
)
QUEUE = Gauge("pledgewire_queue_depth", "Deliveries that have not ended, by state", ["state"])
IN_FLIGHT = Gauge("pledgewire_deliveries_in_flight", "Attempts under way in this process")
"""Set by the dispatch."""
DUE_TO_SENT = Histogram(
    "pledgewire_reminder_due_to_sent_seconds",
    "From the instant at which a reminder was due to its delivery, in business time",
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 28800, 86400),
)
for _channel in CHANNELS:
    # From the start, at 0: of a series that begins with 1 nobody could see that it grew.
    for _outcome in ("delivered", "failed", "expired", "suppressed", "cancelled"):
        DELIVERIES.labels(_channel, _outcome)
    for _outcome in ("delivered", "accepted", "refused", "deferred", "unknown"):
        ATTEMPTS.labels(_channel, _outcome)
    RENDERING_FAULTS.labels(_channel)

DISPATCH_AGE = Gauge(
    "pledgewire_dispatch_age_seconds", "Seconds, of real time, since this process last looked for due deliveries"
)
DESTINATIONS = DestinationHealth()
"""What this process has seen of the destinations that it sends to."""


class DestinationCollector(Collector):
    """Shows the worst destinations at each scrape, and all others added up."""

    def __init__(self, health: DestinationHealth) -> None:
        self._health = health

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures as they are now."""
        labels = ("destination", "channel")
        attempts = GaugeMetricFamily(
            "pledgewire_destination_attempts",
            "Attempts of the last 15 minutes at a destination that fails, which is named by the first digits of its"
            " destination; all others are added up",
            labels=labels,
        )
        share = GaugeMetricFamily(
            "pledgewire_destination_failing_share",
            "Which share of these attempts failed, 0 to 1",
            labels=labels,
        )
        since = GaugeMetricFamily(
            "pledgewire_destination_failing_seconds",
            "For how long no attempt at the destination has worked; 0 where the last one did",
            labels=labels,
        )
        for one in self._health.figures(time.monotonic()):
            named = (one.destination, one.channel)
            attempts.add_metric(named, one.attempts)
            share.add_metric(named, one.failing_share)
            since.add_metric(named, one.failing_seconds)
        yield from (attempts, share, since)


REGISTRY.register(DestinationCollector(DESTINATIONS))
