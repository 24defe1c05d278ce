"""The topics: one card each, with who writes, who reads and how long it is kept.

The command `pledgewire topics apply` makes the broker look like this file.
"""

from dataclasses import dataclass, field

from contracts import events
from contracts.vocabulary import Contract

DAY_MS = 86_400_000

MINISTRIES = ("ca-gac", "mx-sre", "us-dos")
"""Codes of the ministries with an ingest topic: Global Affairs Canada, Secretaría de Relaciones Exteriores,
Department of State."""


@dataclass(frozen=True)
class Topic:
    """One topic's card.

    `partitions` bounds how many members of a group share the work; `retention_ms` is in milliseconds,
    -1 keeps records for ever.
    """

    name: str
    purpose: str
    event: type[Contract]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    partitions: int = 6
    retention_ms: int = 90 * DAY_MS
    version: int = 1
    key: str = "the commitment's id"
    config: dict[str, str] = field(default_factory=dict)
    dead_readers: tuple[str, ...] = ()
    """Who acts on what its readers have put aside; elsewhere only operators look at it."""
    """Beyond `EVERY_TOPIC`."""

    @property
    def dead(self) -> str:
        """The topic for records that no reader could ever work on."""
        return f"{self.name}-dead"

    @property
    def event_type(self) -> str:
        """CloudEvents `type`; its last part is the major version."""
        return f"org.pledgewire.{'status-reported' if self.is_ingest else self.name}.v{self.version}"

    @property
    def is_ingest(self) -> bool:
        """Whether others write it and only we read it."""
        return self.event is events.StatusReported

    @property
    def ministry(self) -> str | None:
        """The ministry that an ingest topic belongs to: a consumer can't see who produced a record."""
        return self.name.removeprefix("status-reported-") if self.is_ingest else None


COMMITMENT_CREATED = Topic(
    name="commitment-created",
    purpose="A commitment has entered the register, with the exact words that made it.",
    event=events.CommitmentCreated,
    writers=("registry",),
    readers=("scheduler", "notifier", "portal", "ministries"),
    retention_ms=-1,
)
MILESTONE_SCHEDULED = Topic(
    name="milestone-scheduled",
    purpose="A milestone has a date for the first time, or another one.",
    event=events.MilestoneScheduled,
    writers=("registry",),
    readers=("scheduler", "notifier", "portal", "ministries"),
    retention_ms=-1,
)
MILESTONE_DUE = Topic(
    name="milestone-due",
    purpose="A reminder: a milestone is ahead, today or overdue.",
    event=events.MilestoneDue,
    writers=("scheduler",),
    readers=("notifier", "portal", "ministries"),
)
MILESTONE_ESCALATED = Topic(
    name="milestone-escalated",
    purpose="A milestone is overdue, nobody has owned it, and the next level hears of it.",
    event=events.MilestoneEscalated,
    writers=("scheduler",),
    readers=("notifier", "portal", "ministries"),
)
STATUS_CHANGED = Topic(
    name="status-changed",
    purpose="A commitment's status has changed, as a whole or for one country.",
    event=events.StatusChanged,
    writers=("registry",),
    readers=("scheduler", "notifier", "portal", "ministries"),
    retention_ms=-1,
)
CONSISTENCY_FLAGGED = Topic(
    name="consistency-flagged",
    purpose="Something in the register does not agree with itself, or with the calendar.",
    event=events.ConsistencyFlagged,
    writers=("registry",),
    readers=("notifier", "portal", "ministries"),
)
DELIVERY_SETTLED = Topic(
    name="delivery-settled",
    purpose="Deliveries of one event have ended: who was told, on which channel, with what outcome.",
    event=events.DeliverySettled,
    writers=("notifier",),
    readers=("portal",),
    retention_ms=30 * DAY_MS,
)
LADDER_CHOSEN = Topic(
    name="ladder-chosen",
    purpose="A subscription has a reminder ladder of its own, or none any more; addresses stay in the notifier.",
    event=events.LadderChosen,
    writers=("notifier",),
    readers=("scheduler",),
    dead_readers=("notifier",),
    retention_ms=-1,
    key="the subscription's id",
)
INGEST = tuple(
    Topic(
        name=f"status-reported-{code}",
        purpose=f"Status updates that the ministry {code} reports; only it may write here.",
        event=events.StatusReported,
        writers=(code,),
        readers=("registry",),
        partitions=3,
        # A producer's own timestamp would defeat retention.
        config={"message.timestamp.type": "LogAppendTime"},
    )
    for code in MINISTRIES
)

PUBLIC = (
    COMMITMENT_CREATED,
    MILESTONE_SCHEDULED,
    MILESTONE_DUE,
    MILESTONE_ESCALATED,
    STATUS_CHANGED,
    CONSISTENCY_FLAGGED,
    DELIVERY_SETTLED,
)
INTERNAL = (LADDER_CHOSEN,)
"""Between our own services; nobody else reads or writes them."""
ALL = PUBLIC + INTERNAL + INGEST
BY_NAME = {topic.name: topic for topic in ALL}
BY_EVENT: dict[type[Contract], Topic] = {topic.event: topic for topic in PUBLIC + INTERNAL}


def written_by(service: str) -> list[str]:
    """The names of the topics that a service publishes to."""
    return [topic.name for topic in ALL if service in topic.writers]


DEAD_RETENTION_MS = 365 * DAY_MS

EVERY_TOPIC = {
    "cleanup.policy": "delete",
    "unclean.leader.election.enable": "false",
    # The broker keeps batches as they were sent, and never has one inflated in its memory: 200 kB of gzip may hold
    # 200 MB. Consumers inflate under a bound (`services/plumbing/kafka/inflation.py`).
    "compression.type": "producer",
    "max.message.bytes": "1048588",
}
"""Settings of each topic. The size, Kafka's own, is that of a batch as it is sent, compressed or not."""
DEAD_TOPIC = {"max.message.bytes": str(6 * 1024 * 1024)}
"""A dead-letter topic takes any record that its topic took, with the headers that say why it lies there."""
