"""The topics: one card each, with who writes, who reads and how long it is kept.

The command `pledgewire topics apply` makes the broker look like this file; the topics of ministries, which are data,
are made by `pledgewire access apply`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from contracts import events
from contracts.commitment_state import CommitmentState
from contracts.vocabulary import Contract, MinistryCode

DAY_MS = 86_400_000

LEAST_NOTICE = timedelta(days=365)
"""How long a major version goes on beside the next one."""


@dataclass(frozen=True)
class Superseded:
    """That a topic has a next major version, `by` name, since a day, and is written until another day.

    A promised end never comes nearer. Raises ValueError for one that leaves less than `LEAST_NOTICE`.
    """

    by: str
    since: date
    sunset: date

    def __post_init__(self) -> None:
        if self.sunset - self.since < LEAST_NOTICE:
            raise ValueError(f"from {self.since} to {self.sunset} is less than {LEAST_NOTICE.days} days")


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
    """Beyond `EVERY_TOPIC`."""
    family: str | None = None
    """What several topics of one event are called together, after which their schema and type are named."""
    superseded: Superseded | None = None
    """The next major version of it, where there is one: that topic is written beside this one."""
    made_by: Callable[[Any], Contract] | None = None
    """How an event of the major version before is said in this one; its `seq` is given anew."""
    dead_readers: tuple[str, ...] = ()
    """Who acts on what its readers have put aside; elsewhere only operators look at it."""

    @property
    def dead(self) -> str:
        """The topic for records that no reader could ever work on."""
        return f"{self.name}-dead"

    @property
    def event_type(self) -> str:
        """CloudEvents `type`; its last part is the major version."""
        return f"org.pledgewire.{self.event_name}.v{self.version}"

    @property
    def event_name(self) -> str:
        """What its event is called in every major version; the topic of a later one is called `<name>.v2`."""
        return self.family or self.name.removesuffix(f".v{self.version}")

    @property
    def is_compacted(self) -> bool:
        """Whether only the last record of each key is sure to stay."""
        return self.config.get("cleanup.policy") == "compact"

    @property
    def forgotten_after(self) -> timedelta | None:
        """After how long no record is left on it; None for never.

        Kafka lets go of whole segments: the last record of one stays until the first of the next are as old, for up to
        a week more (`segment.ms`), and it looks every five minutes.
        """
        return None if self.retention_ms == -1 else timedelta(milliseconds=self.retention_ms, days=8)

    @property
    def is_ingest(self) -> bool:
        """Whether others write it and only we read it."""
        return self.event is events.StatusReported

    @property
    def ministry(self) -> MinistryCode | None:
        """The ministry that an ingest topic belongs to: a consumer can't see who produced a record."""
        return self.name.removeprefix(_INGEST) if self.is_ingest and self is not STATUS_REPORTED else None


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
    purpose="A reminder for all who have no ladder of their own: a milestone is ahead, today, overdue or asked about.",
    event=events.MilestoneDue,
    writers=("scheduler",),
    readers=("notifier", "portal", "ministries"),
)
MILESTONE_ESCALATED = Topic(
    name="milestone-escalated",
    purpose="A milestone is overdue, or an event unanswered; nobody has owned it, and the next level hears of it.",
    event=events.MilestoneEscalated,
    writers=("scheduler",),
    readers=("notifier", "portal", "ministries"),
)
STATUS_CHANGED = Topic(
    name="status-changed",
    purpose="A status update of one party has been recorded; it says what the whole's status is by it.",
    event=events.StatusChanged,
    writers=("registry",),
    readers=("scheduler", "notifier", "portal", "ministries"),
    retention_ms=-1,
)
COMMITMENT_ASSESSED = Topic(
    name="commitment-assessed",
    purpose="An independent assessor has a view of its own of how a commitment is going; it changes no status.",
    event=events.CommitmentAssessed,
    writers=("registry",),
    readers=("portal", "ministries"),
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
OWN_LADDER_DUE = Topic(
    name="own-ladder-due",
    purpose="A reminder by one subscription's own ladder; whose systems read the public topics don't see it.",
    event=events.OwnLadderDue,
    writers=("scheduler",),
    readers=("notifier",),
)
API_KEY_CHANGED = Topic(
    name="api-key-changed",
    purpose="An API key was made or is revoked; its hash travels, the key never does.",
    event=events.ApiKeyChanged,
    writers=("registry",),
    readers=("scheduler", "notifier"),
    partitions=1,
    retention_ms=-1,
    key="the key's id",
    config={"cleanup.policy": "compact"},
)
COMMITMENT_STATE = Topic(
    name="commitment-state",
    purpose="How each commitment stands now: a newcomer reads it from the beginning, keeps the last of each key, and"
    " has the present.",
    event=CommitmentState,
    writers=("registry",),
    readers=("ministries",),
    retention_ms=-1,
    config={"cleanup.policy": "compact"},
)
_INGEST = "status-reported-"
STATUS_REPORTED = Topic(
    name="status-reported-{ministry}",
    family="status-reported",
    purpose="Status updates that one ministry reports, named after its code; only it may write there.",
    event=events.StatusReported,
    writers=("ministries",),
    readers=("registry",),
    partitions=3,
    # A producer's own timestamp would defeat retention.
    config={"message.timestamp.type": "LogAppendTime"},
)
"""What all ingest topics are like; each ministry has one of its own."""
_REJECTED = "status-rejected-"
STATUS_REJECTED = Topic(
    name="status-rejected-{ministry}",
    family="status-rejected",
    purpose="Which of a ministry's reports were refused, and why; only that ministry reads it.",
    event=events.StatusRejected,
    writers=("registry",),
    readers=("ministries",),
    partitions=3,
    key="the ministry's code",
)
"""What the topics of refusals are like, one beside each ingest topic."""

_AUDIT_HEAD = "audit-head-"
AUDIT_HEAD = Topic(
    name="audit-head-{service}",
    family="audit-head",
    purpose="How far a service's audit log reaches, and its hash: whoever keeps these can hold the log against them.",
    event=events.AuditHead,
    writers=("registry", "scheduler", "notifier"),
    readers=("ministries",),
    partitions=1,
    retention_ms=-1,
    key="the service's name",
)
"""What all topics of heads are like; each service that has an audit log writes one of its own."""

PUBLIC = (
    COMMITMENT_CREATED,
    MILESTONE_SCHEDULED,
    MILESTONE_DUE,
    MILESTONE_ESCALATED,
    STATUS_CHANGED,
    COMMITMENT_ASSESSED,
    CONSISTENCY_FLAGGED,
    DELIVERY_SETTLED,
)
STATES = (COMMITMENT_STATE,)
"""What is, for others to load; the topics of events say what has happened."""
INTERNAL = (LADDER_CHOSEN, OWN_LADDER_DUE)
"""Between our own services; nobody else reads or writes them."""
FOLLOWED = (API_KEY_CHANGED,)
"""Between our own services, too: each process reads all of it when it starts, and goes on, without a group. It holds
what it has read in its memory, and puts nothing aside."""


def audit_head_topic(service: str) -> Topic:
    """The topic on which a service publishes the heads of its audit log."""
    purpose = f"How far the audit log of the {service} reaches, and its hash."
    return replace(AUDIT_HEAD, name=f"{_AUDIT_HEAD}{service}", purpose=purpose, writers=(service,))


AUDIT_HEADS = tuple(audit_head_topic(service) for service in AUDIT_HEAD.writers)
"""For everybody to read, and about our services, not about commitments."""
OWN = (*PUBLIC, *STATES, *AUDIT_HEADS, *INTERNAL, *FOLLOWED)
"""All that our services write; each has one writer."""
ALL = (*PUBLIC, *STATES, AUDIT_HEAD, *INTERNAL, *FOLLOWED, STATUS_REPORTED, STATUS_REJECTED)
"""All that are documented: of topics of one family, what they have in common."""
BY_NAME = {topic.name: topic for topic in OWN}
BY_EVENT: dict[type[Contract], Topic] = {topic.event: topic for topic in ALL}
"""For an event whose topics are a family, what these have in common."""


_REJECTED_PATTERN = rf"^{_REJECTED}[a-z0-9]+(-[a-z0-9]+)*$"
INGEST_PATTERN = rf"^{_INGEST}(?!.*-dead$)[a-z0-9]+(-[a-z0-9]+)*$"
"""Names of ingest topics, for who reads all that there are; the regular expression is Python's."""


def ingest_topic(ministry: MinistryCode) -> Topic:
    """The topic on which a ministry reports."""
    return replace(
        STATUS_REPORTED,
        name=f"{_INGEST}{ministry}",
        purpose=f"Status updates that the ministry {ministry} reports; only it may write here.",
        writers=(ministry,),
    )


def rejected_topic(ministry: MinistryCode) -> Topic:
    """The topic on which a ministry reads which of its reports were refused, and why."""
    return replace(
        STATUS_REJECTED,
        name=f"{_REJECTED}{ministry}",
        purpose=f"Which reports of the ministry {ministry} were refused, and why; only it reads here.",
        readers=(ministry,),
    )


def topic_named(name: str) -> Topic:
    """A topic by its name; raises `KeyError` for one that there can't be."""
    if re.match(INGEST_PATTERN, name):
        return ingest_topic(name.removeprefix(_INGEST))
    if re.match(_REJECTED_PATTERN, name):
        return rejected_topic(name.removeprefix(_REJECTED))
    return BY_NAME[name]


def written_by(service: str) -> list[str]:
    """The names of the topics that a service publishes to."""
    return [topic.name for topic in OWN if service in topic.writers]


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
