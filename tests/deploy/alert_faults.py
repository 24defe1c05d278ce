"""For each alert the fault that it names, as the series that Prometheus would see of it, and when it fires."""

from collections.abc import Mapping
from dataclasses import dataclass, field

N, S, R = 'service="notifier",instance="n"', 'service="scheduler",instance="s"', 'service="registry",instance="r"'
_ATTEMPTS = 'pledgewire_attempts_total{channel="email",outcome="%s"}'
_ANSWERS = 'pledgewire_http_answer_seconds_%s{service="registry",method="GET",route="%s",%s}'


@dataclass(frozen=True)
class Fault:
    """What is seen of a fault that begins at minute 0, one value each 15 seconds."""

    alert: str
    series: Mapping[str, str]
    fires_after: str
    """By Prometheus's notation; 15 seconds before it does not fire yet."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Those of the alert, beside its name and severity."""
    name: str = ""
    """Of several faults of one alert."""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.alert, self.name)))


def ages(what: str, where: str) -> dict[str, str]:
    """A thing that waits from minute 0 on: its age grows by 15 s in 15 s."""
    return {f'pledgewire_oldest_waiting_seconds{{what="{what}",{where}}}': "0+15x60"}


FAULTS = (
    Fault(
        "PledgewireServiceDown",
        {f'up{{job="pledgewire",{S}}}': "0x60"},
        "1m",
        {"job": "pledgewire", "service": "scheduler", "instance": "s"},
    ),
    Fault("PledgewireNotScraped", {'up{job="another"}': "1x60"}, "5m", {"job": "pledgewire"}),
    Fault(
        "PledgewireFiguresUnknown",
        {f'pledgewire_oldest_waiting_seconds{{what="events",{R}}}': "NaN " * 60},
        "45s",
        {"service": "registry", "instance": "r", "what": "events"},
        "database away",
    ),
    Fault(
        "PledgewireFiguresUnknown",
        {f'pledgewire_consumer_lag_read_seconds{{group="notifier",{N}}}': "0x60"},
        "1m30s",
        {"service": "notifier", "instance": "n", "group": "notifier"},
        "Kafka away",
    ),
    Fault("PledgewireEventsNotPublished", ages("events", R), "1m15s", {"service": "registry"}),
    Fault("PledgewireRemindersLate", ages("reminders", S), "2m15s", {"service": "scheduler"}),
    Fault("PledgewireDeliveriesLate", ages("deliveries", N), "7m15s", {"service": "notifier"}),
    Fault("PledgewireStatesNotTold", ages("states", R), "2m15s", {"service": "registry"}),
    Fault("PledgewireAuditNotChained", ages("audit-entries", R), "2m15s", {"service": "registry"}),
    Fault(
        "PledgewirePartitionStands",
        {f'pledgewire_partition_stands_seconds{{group="notifier",topic="milestone-due",partition="2",{N}}}': "0+15x60"},
        "1m15s",
        {"service": "notifier", "topic": "milestone-due", "partition": "2"},
    ),
    Fault(
        "PledgewireConsumerBehind",
        {
            f'pledgewire_consumer_lag{{group="notifier",topic="milestone-due",partition="{number}",{N}}}': "600x60"
            for number in range(2)
        },
        "10m",
        {"service": "notifier", "group": "notifier"},
    ),
    Fault(
        "PledgewireTickStopped",
        {f"pledgewire_tick_age_seconds{{{S}}}": "0+15x60"},
        "1m15s",
        {"service": "scheduler", "instance": "s"},
    ),
    Fault(
        "PledgewireDispatchStopped",
        {f"pledgewire_dispatch_age_seconds{{{N}}}": "0+15x60"},
        "1m15s",
        {"service": "notifier", "instance": "n"},
    ),
    Fault("PledgewireMilestonesHeld", {f"pledgewire_milestones_held{{{S}}}": "3x240"}, "30m", {"service": "scheduler"}),
    Fault(
        "PledgewireDeadLetters",
        {f'pledgewire_dead_letter_depth{{topic="milestone-due-dead",{N}}}': "0 1x60"},
        "15s",
        {"topic": "milestone-due-dead"},
    ),
    Fault(
        "PledgewireTopicCut",
        {f'pledgewire_topics_cut{{group="notifier",{N}}}': "0 1x60"},
        "15s",
        {"service": "notifier", "group": "notifier"},
    ),
    Fault(
        "PledgewireRemindersFailed",
        {f"pledgewire_reminders_failed_total{{{S}}}": "0 1x60"},
        "15s",
        {"service": "scheduler"},
        "reminder",
    ),
    Fault(
        "PledgewireRemindersFailed",
        {f"pledgewire_escalations_failed_total{{{S}}}": "0 1x60"},
        "15s",
        {"service": "scheduler"},
        "escalation",
    ),
    Fault(
        "PledgewireDestinationFailing",
        {
            f'pledgewire_destination_failing_seconds{{destination="0a1b2c3d4e5f",channel="slack",{N}}}': "0+15x120",
            f'pledgewire_destination_failing_share{{destination="0a1b2c3d4e5f",channel="slack",{N}}}': "1x120",
            f'pledgewire_destination_attempts{{destination="0a1b2c3d4e5f",channel="slack",{N}}}': "3x120",
        },
        "16m15s",
        {"destination": "0a1b2c3d4e5f", "channel": "slack"},
        "seldom tried",
    ),
    Fault(
        "PledgewireDestinationFailing",
        {
            f'pledgewire_destination_failing_seconds{{destination="0a1b2c3d4e5f",channel="slack",{N}}}': "0x120",
            f'pledgewire_destination_failing_share{{destination="0a1b2c3d4e5f",channel="slack",{N}}}': "0.9x120",
            f'pledgewire_destination_attempts{{destination="0a1b2c3d4e5f",channel="slack",{N}}}': "40x120",
        },
        "1m",
        {"destination": "0a1b2c3d4e5f", "channel": "slack"},
        "mostly",
    ),
    Fault(
        "PledgewireChannelFailing",
        {_ATTEMPTS % "refused": "0+20x60", _ATTEMPTS % "accepted": "0+2x60"},
        "2m15s",
        {"channel": "email"},
    ),
    Fault(
        "PledgewireDeliveriesGivenUp",
        {f'pledgewire_deliveries_total{{channel="email",outcome="failed",{N}}}': "0 1x60"},
        "15s",
        {"channel": "email"},
    ),
    Fault(
        "PledgewireRenderingFaults",
        {f'pledgewire_rendering_faults_total{{channel="email",{N}}}': "0 1x60"},
        "15s",
        {"channel": "email"},
    ),
    Fault("PledgewireSendingStopped", {f"pledgewire_sending_stopped{{{N}}}": "1x60"}, "10m", {"service": "notifier"}),
    Fault("PledgewireSendingClosed", {f"pledgewire_sending_closed{{{N}}}": "1x60"}, "2m", {"service": "notifier"}),
    Fault(
        "PledgewireSilenceEnding",
        {f'pledgewire_silences{{state="ending",{N}}}': "0 1x60"},
        "15s",
        {"service": "notifier"},
    ),
    Fault(
        "PledgewireTrialHolds",
        {f"pledgewire_trial{{{N}}}": "1x300", f"pledgewire_trial_held{{{N}}}": "12x300"},
        "1h",
        {"service": "notifier"},
    ),
    Fault(
        "PledgewireHttpErrors",
        {
            _ANSWERS % ("count", "/commitments", 'status="5xx"'): "0+2x60",
            _ANSWERS % ("count", "/commitments", 'status="2xx"'): "0+10x60",
        },
        "2m15s",
        {"service": "registry"},
    ),
    Fault(
        "PledgewireHttpSlow",
        {
            _ANSWERS % ("bucket", "/commitments", 'status="2xx",le="2.5"'): "0+10x60",
            _ANSWERS % ("bucket", "/commitments", 'status="2xx",le="5.0"'): "0+20x60",
            _ANSWERS % ("bucket", "/commitments", 'status="2xx",le="+Inf"'): "0+20x60",
        },
        "5m15s",
        {"service": "registry"},
    ),
    Fault(
        "PledgewirePagesIncomplete",
        {'pledgewire_portal_parts_missing_total{part="reminders",service="portal"}': "0+2x60"},
        "2m45s",
        {"part": "reminders"},
    ),
    Fault(
        "PledgewireKeysRefused",
        {f"pledgewire_api_keys_refused_total{{{R}}}": "0+30x60"},
        "7m45s",
        {"service": "registry"},
    ),
    Fault(
        "PledgewireConnectionsExhausted",
        {
            f'pledgewire_database_connections{{state="busy",{R}}}': "8x60",
            f'pledgewire_database_connections{{state="idle",{R}}}': "0x60",
            f"pledgewire_database_connections_most{{{R}}}": "8x60",
        },
        "2m",
        {"service": "registry", "instance": "r"},
    ),
    Fault(
        "PledgewireCertificateEnds", {f'pledgewire_certificate_days{{of="kafka",{R}}}': "13x60"}, "5m", {"of": "kafka"}
    ),
    Fault(
        "PledgewireCertificateEndsNow", {f'pledgewire_certificate_days{{of="mail",{N}}}': "-1x60"}, "1m", {"of": "mail"}
    ),
)

HEALTHY = {
    **{f'up{{job="pledgewire",{where}}}': "1x240" for where in (N, S, R)},
    **{
        f'pledgewire_oldest_waiting_seconds{{what="{what}",{where}}}': "0 2 1 0x237"
        for what, where in (("events", R), ("reminders", S), ("deliveries", N), ("states", R), ("audit-entries", S))
    },
    f'pledgewire_consumer_lag_read_seconds{{group="notifier",{N}}}': "0+15x240",
    f'pledgewire_consumer_lag{{group="notifier",topic="milestone-due",partition="0",{N}}}': "0 900 500x238",
    f'pledgewire_partition_stands_seconds{{group="notifier",topic="milestone-due",partition="2",{N}}}': "0 5 12 0x237",
    f"pledgewire_tick_age_seconds{{{S}}}": "1x240",
    f"pledgewire_dispatch_age_seconds{{{N}}}": "0.4x240",
    f"pledgewire_milestones_held{{{S}}}": "0 3x40 0x199",
    f'pledgewire_dead_letter_depth{{topic="milestone-due-dead",{N}}}': "0x240",
    f'pledgewire_topics_cut{{group="notifier",{N}}}': "0x240",
    f"pledgewire_reminders_failed_total{{{S}}}": "4x240",
    f"pledgewire_escalations_failed_total{{{S}}}": "0x240",
    f'pledgewire_destination_failing_seconds{{destination="0a1b2c3d4e5f",channel="slack",{N}}}': "0+15x30 0x209",
    f'pledgewire_destination_failing_share{{destination="0a1b2c3d4e5f",channel="slack",{N}}}': "0.4x240",
    f'pledgewire_destination_failing_share{{destination="others",channel="slack",{N}}}': "0.9x240",
    f'pledgewire_destination_attempts{{destination="0a1b2c3d4e5f",channel="slack",{N}}}': "40x240",
    f'pledgewire_destination_attempts{{destination="others",channel="slack",{N}}}': "400x240",
    _ATTEMPTS % "refused": "0+2x240",
    _ATTEMPTS % "accepted": "0+20x240",
    f'pledgewire_deliveries_total{{channel="email",outcome="failed",{N}}}': "7x240",
    f'pledgewire_rendering_faults_total{{channel="email",{N}}}': "1x240",
    f"pledgewire_sending_stopped{{{N}}}": "0 1x38 0x201",
    f"pledgewire_sending_closed{{{N}}}": "1 1 0x238",
    f'pledgewire_silences{{state="ending",{N}}}': "0x240",
    f'pledgewire_silences{{state="active",{N}}}': "3x240",
    _ANSWERS % ("count", "/commitments", 'status="5xx"'): "0+1x240",
    _ANSWERS % ("count", "/readyz", 'status="5xx"'): "0+90x240",
    _ANSWERS % ("count", "/commitments", 'status="2xx"'): "0+40x240",
    _ANSWERS % ("bucket", "/commitments", 'status="2xx",le="0.5"'): "0+20x240",
    _ANSWERS % ("bucket", "/commitments", 'status="2xx",le="+Inf"'): "0+20x240",
    'pledgewire_portal_parts_missing_total{part="reminders",service="portal"}': "0 1 2x238",
    f"pledgewire_api_keys_refused_total{{{R}}}": "0+3x240",
    f'pledgewire_database_connections{{state="busy",{R}}}': "8x7 2x232",
    f"pledgewire_database_connections_most{{{R}}}": "8x240",
    f'pledgewire_certificate_days{{of="kafka",{R}}}': "89x240",
}
"""What Prometheus sees for an hour while all is well, with what passes by itself: no alert fires."""

EXCUSED = {
    "PledgewireDeadLetters": {f'pledgewire_dead_letter_depth{{topic="ladder-chosen-dead",{N}}}': "1x60"},
    "PledgewireDeliveriesLate": ages("deliveries", N) | {f"pledgewire_sending_stopped{{{N}}}": "1x60"},
    "PledgewireTrialHolds": {f"pledgewire_trial{{{N}}}": "0x300", f"pledgewire_trial_held{{{N}}}": "0x300"},
    "PledgewireEventsNotPublished": ages("events", R) | {f"pledgewire_sending_closed{{{R}}}": "1x60"},
    "PledgewireRemindersLate": ages("reminders", S) | {f"pledgewire_sending_closed{{{S}}}": "1x60"},
    "PledgewireStatesNotTold": ages("states", R) | {f"pledgewire_sending_closed{{{R}}}": "1x60"},
    "PledgewireAuditNotChained": ages("audit-entries", R) | {f"pledgewire_sending_closed{{{R}}}": "1x60"},
}
"""What waits because somebody wants it to, and letters that a service of ours reads: these alerts do not fire."""
