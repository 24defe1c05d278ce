"""What is counted of deliveries; labels are fixed sets, so the number of series is bounded."""

from prometheus_client import Counter, Gauge, Histogram

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
