"""The three dashboards: is all well, what becomes of deliveries, and how each service does."""

from collections.abc import Mapping

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.dashboards.panels import EVERY, Query, graph, number, page, rows, section

_OURS = 'job="pledgewire"'
_ASKED = 'route!~"/readyz|/livez|/metrics"'


def overview() -> Dashboard:
    """Is all well, and if not, where does it stand still?"""
    return (
        page("pledgewire-overview", "Pledgewire: is all well?", "What waits, for how long, and what has failed.")
        .with_panel(
            number(
                "Alerts",
                "Alerts of Pledgewire that fire now.",
                Query('count(ALERTS{alertname=~"Pledgewire.*",alertstate="firing",severity!="info"}) or vector(0)'),
            )
        )
        .with_panel(
            number(
                "Processes that answer",
                "Of all that Prometheus asks.",
                Query(f"sum(up{{{_OURS}}}) / count(up{{{_OURS}}})"),
                unit="percentunit",
                below=True,
            )
        )
        .with_panel(
            number(
                "Records put aside",
                "In all dead-letter topics; each has its reason in a header.",
                Query('sum(max by (topic) (pledgewire_dead_letter_depth{topic!="ladder-chosen-dead"})) or vector(0)'),
            )
        )
        .with_panel(
            number(
                "Sending stopped",
                "1 while somebody has stopped it, or a service is held after a restore.",
                Query("max(pledgewire_sending_stopped or pledgewire_sending_closed)"),
            )
        )
        .with_panel(
            number(
                "Certificate that ends first",
                "Days until it does.",
                Query("min(pledgewire_certificate_days)"),
                unit="d",
                limit=14,
                below=True,
            )
        )
        .with_panel(
            number(
                "Given up today",
                "Deliveries that failed for good in the last 24 hours.",
                Query('sum(increase(pledgewire_deliveries_total{outcome="failed"}[24h]))'),
            )
        )
        .with_row(section("What stands still"))
        .with_panel(
            graph(
                "Oldest thing that waits",
                "By its age. A line that rises like time itself is something that stands still.",
                Query("max by (service, what) (pledgewire_oldest_waiting_seconds)", "{{what}} of {{service}}"),
                unit="s",
                limit=30,
                width=12,
            )
        )
        .with_panel(
            graph(
                "Loops",
                "Seconds since the scheduler ticked and the notifier looked for deliveries.",
                Query("max by (instance) (pledgewire_tick_age_seconds)", "tick {{instance}}"),
                Query("max by (instance) (pledgewire_dispatch_age_seconds)", "dispatch {{instance}}"),
                unit="s",
                limit=30,
                width=12,
            )
        )
        .with_panel(
            graph(
                "Partitions that stand",
                "For how long a partition has had records and none was taken.",
                Query(
                    "max by (service, topic, partition) (pledgewire_partition_stands_seconds) > 0",
                    "{{topic}} {{partition}} of {{service}}",
                ),
                unit="s",
                limit=30,
                width=12,
            )
        )
        .with_panel(
            graph(
                "Records not yet read",
                "By reader. It rises in a burst and falls again.",
                Query(
                    "sum by (service) (max by (service, group, topic, partition) (pledgewire_consumer_lag))",
                    "{{service}}",
                ),
                limit=1000,
                width=12,
            )
        )
        .with_row(section("What goes through"))
        .with_panel(
            graph(
                "Events",
                "Published by our services, per second.",
                Query(f"sum by (topic) (rate(pledgewire_events_published_total[{EVERY}]))", "{{topic}}"),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Reminders",
                "Told and planned, per second.",
                Query(f"sum by (phase) (rate(pledgewire_reminders_fired_total[{EVERY}]))", "told {{phase}}"),
                Query(f"sum by (state) (rate(pledgewire_reminders_planned_total[{EVERY}]))", "planned {{state}}"),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Deliveries",
                "By how they ended, per second.",
                Query(f"sum by (outcome) (rate(pledgewire_deliveries_total[{EVERY}]))", "{{outcome}}"),
                unit="cps",
            )
        )
    )


def deliveries() -> Dashboard:
    """What becomes of deliveries, by channel and by destination."""
    failed = 'outcome=~"refused|unknown"'
    attempts = "sum by (destination, channel) (pledgewire_destination_attempts)"
    share = "sum by (destination, channel) (pledgewire_destination_failing_share * pledgewire_destination_attempts)"
    return (
        page("pledgewire-deliveries", "Pledgewire: deliveries", "What is sent, how fast, and what fails where.")
        .with_panel(
            graph(
                "Attempts that fail",
                "The share of all attempts of a channel. Half of them: the alert for the whole channel.",
                Query(
                    f"sum by (channel) (rate(pledgewire_attempts_total{{{failed}}}[{EVERY}]))"
                    f" / sum by (channel) (rate(pledgewire_attempts_total[{EVERY}]))",
                    "{{channel}}",
                ),
                unit="percentunit",
                limit=0.5,
            )
        )
        .with_panel(
            graph(
                "Attempts",
                "By channel and outcome, per second. Deferred: the receiver asked us to wait.",
                Query(
                    f"sum by (channel, outcome) (rate(pledgewire_attempts_total[{EVERY}]))", "{{channel}} {{outcome}}"
                ),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Waiting and on their way",
                "Deliveries that have not ended, and attempts under way.",
                Query("max by (state) (pledgewire_queue_depth)", "{{state}}"),
                Query("sum(pledgewire_deliveries_in_flight)", "in flight"),
                Query("max(pledgewire_sending_held)", "held by an operator"),
                Query("max(pledgewire_trial_held)", "held by the trial"),
                Query("sum(max by (service) (pledgewire_recovery_held))", "held after a restore"),
            )
        )
        .with_row(section("Destinations"))
        .with_panel(
            rows(
                "Destinations that fail",
                "The worst of the last 15 minutes; `./pledgewire sending destination` says whose one is.",
                Query(f"{share} / {attempts}"),
                Query(attempts),
                Query("max by (destination, channel) (pledgewire_destination_failing_seconds)"),
            )
        )
        .with_row(section("How fast"))
        .with_panel(
            graph(
                "From the event to its delivery",
                "Retries included, so the 99th percentile of a bad day is hours.",
                *_quantiles("pledgewire_delivery_latency_seconds"),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "From due to sent",
                "Of reminders, in business time.",
                *_quantiles("pledgewire_reminder_due_to_sent_seconds"),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "From due to the outbox",
                "What the scheduler's tick needs of that.",
                *_quantiles("pledgewire_due_to_outbox_seconds"),
                unit="s",
            )
        )
        .with_row(section("What was held or given up"))
        .with_panel(
            graph(
                "Given up",
                "Deliveries that failed for good or expired, in an hour; the log has one line for each.",
                Query(
                    'sum by (channel, outcome) (increase(pledgewire_deliveries_total{outcome=~"failed|expired"}[1h]))',
                    "{{channel}} {{outcome}}",
                ),
                limit=1,
            )
        )
        .with_panel(
            graph(
                "Can't be rendered",
                "Deliveries of which no message can be made: a fault of ours.",
                Query("sum by (channel) (increase(pledgewire_rendering_faults_total[1h]))", "{{channel}}"),
                limit=1,
            )
        )
        .with_panel(
            graph(
                "Silences",
                "By how it stands with them.",
                Query("max by (state) (pledgewire_silences)", "{{state}}"),
            )
        )
    )


def services() -> Dashboard:
    """How each service does: its requests, its database, its readers, its process."""
    return (
        page("pledgewire-services", "Pledgewire: services", "Requests, databases, topics and processes.")
        .with_panel(
            graph(
                "Requests",
                "By service, per second, without probes.",
                Query(
                    f"sum by (service) (rate(pledgewire_http_answer_seconds_count{{{_ASKED}}}[{EVERY}]))", "{{service}}"
                ),
                unit="reqps",
            )
        )
        .with_panel(
            graph(
                "Requests that fail",
                "The share answered by 5xx.",
                Query(
                    f'sum by (service) (rate(pledgewire_http_answer_seconds_count{{status="5xx",{_ASKED}}}[{EVERY}]))'
                    f" / sum by (service) (rate(pledgewire_http_answer_seconds_count{{{_ASKED}}}[{EVERY}]))",
                    "{{service}}",
                ),
                unit="percentunit",
                limit=0.05,
            )
        )
        .with_panel(
            graph(
                "Slowest routes",
                "The 99th percentile of the time to an answer, the ten slowest routes.",
                Query(
                    "topk(10, histogram_quantile(0.99, sum by (service, method, route, le)"
                    f" (rate(pledgewire_http_answer_seconds_bucket{{{_ASKED}}}[{EVERY}]))))",
                    "{{method}} {{route}} of {{service}}",
                ),
                unit="s",
                limit=2,
            )
        )
        .with_panel(
            graph(
                "Turned away",
                "Requests with a wrong API key, and those beyond the limits, per second.",
                Query(
                    f"sum by (service) (rate(pledgewire_api_keys_refused_total[{EVERY}]))", "wrong key at {{service}}"
                ),
                Query(
                    f"sum by (service) (rate(pledgewire_requests_limited_total[{EVERY}]))", "too many at {{service}}"
                ),
                unit="reqps",
                limit=1,
            )
        )
        .with_panel(
            graph(
                "Parts that pages lack",
                "Since another service did not give them, in ten minutes.",
                Query("sum by (part) (increase(pledgewire_portal_parts_missing_total[10m]))", "{{part}}"),
            )
        )
        .with_panel(
            graph("Readers of the live page", "Open streams.", Query("sum(pledgewire_feed_readers)", "readers"))
        )
        .with_row(section("Database"))
        .with_panel(
            graph(
                "Connections",
                "Busy, and how many there may be.",
                Query(
                    'max by (service, instance) (pledgewire_database_connections{state="busy"})', "busy {{instance}}"
                ),
                Query("max by (service, instance) (pledgewire_database_connections_most)", "most {{instance}}"),
            )
        )
        .with_panel(
            graph(
                "Waiting for a connection",
                "The 99th percentile.",
                Query(
                    "histogram_quantile(0.99, sum by (service, le)"
                    f" (rate(pledgewire_database_connection_wait_seconds_bucket[{EVERY}])))",
                    "{{service}}",
                ),
                unit="s",
                limit=1,
            )
        )
        .with_panel(
            graph(
                "Audit logs",
                "The newest position that is chained.",
                Query("max by (service) (pledgewire_audit_position)", "{{service}}"),
            )
        )
        .with_row(section("Topics"))
        .with_panel(
            graph(
                "Written and not yet published",
                "By service.",
                Query("max by (service) (pledgewire_outbox_unpublished)", "{{service}}"),
            )
        )
        .with_panel(
            graph(
                "Read",
                "Records handled, per second, repeats included.",
                Query(
                    f"sum by (service, topic) (rate(pledgewire_events_consumed_total[{EVERY}]))",
                    "{{topic}} by {{service}}",
                ),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Put aside",
                "Records that lie in dead-letter topics.",
                Query("max by (topic) (pledgewire_dead_letter_depth)", "{{topic}}"),
                limit=1,
            )
        )
        .with_row(section("Processes"))
        .with_panel(
            graph(
                "Processor",
                "Of one core.",
                Query(f"rate(process_cpu_seconds_total{{{_OURS}}}[{EVERY}])", "{{service}} {{instance}}"),
                unit="percentunit",
            )
        )
        .with_panel(
            graph(
                "Memory",
                "Resident.",
                Query(f"process_resident_memory_bytes{{{_OURS}}}", "{{service}} {{instance}}"),
                unit="bytes",
            )
        )
        .with_panel(
            graph(
                "Certificates",
                "Days until they end.",
                Query("min by (of) (pledgewire_certificate_days)", "{{of}}"),
                unit="d",
            )
        )
    )


def _quantiles(metric: str) -> list[Query]:
    return [
        Query(f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket[{EVERY}])))", name)
        for share, name in ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))
    ]


PAGES: Mapping[str, Dashboard] = {
    "overview.json": overview(),
    "deliveries.json": deliveries(),
    "services.json": services(),
}
"""Each dashboard by the name of its file."""
