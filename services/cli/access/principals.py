"""What each principal needs on Kafka, and nothing else: from the file and the topics' cards. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from contracts.topics import FOLLOWED, OWN, Topic, ingest_topic, rejected_topic
from services.cli.access.document import AccessDocument, Quota

GROUPS: Mapping[str, tuple[str, ...]] = {
    "registry": ("registry",),
    "scheduler": ("scheduler",),
    "notifier": ("notifier", "notifier-refused-ladders"),
}
"""The consumer groups of our services; the portal has none."""

Resource = Literal["topic", "group", "cluster", "transactional-id", "other"]


@dataclass(frozen=True, order=True)
class AclEntry:
    """One rule of the broker: a principal may, or may not, do one operation on one name, or on all that begin so."""

    principal: str
    """As the broker has it: `User:mx-sre`."""
    resource: Resource
    name: str
    operation: str
    """In lower case: `read`, `write`, `describe` (which the first two imply)."""
    is_prefix: bool = False
    permission: str = "allow"
    host: str = "*"

    def concerns(self, place: "Place") -> bool:
        """Whether it is about something there."""
        if self.resource != place.resource:
            return False
        if self.name == "*" or self.name == place.name:
            return True
        is_within = place.is_prefix and self.name.startswith(place.name)
        return is_within or (self.is_prefix and place.name.startswith(self.name))

    def __str__(self) -> str:
        """For people: `read topic status-changed`."""
        name = f"{self.name}…" if self.is_prefix else self.name
        where = "" if self.host == "*" else f" from {self.host}"
        return f"{self.operation} {self.resource} {name}{where}" + (" (denied)" if self.permission == "deny" else "")


@dataclass(frozen=True)
class Place:
    """Something of ours on the broker: one name, or all that begin so."""

    resource: Resource
    name: str
    is_prefix: bool = False


@dataclass(frozen=True)
class Principal:
    """Who a client is to the broker, by the name that it logs in with."""

    name: str
    kind: Literal["service", "operator", "ministry"]
    acls: frozenset[AclEntry]
    quota: Mapping[str, float]
    """By the broker's names, with the broker's units."""


def user(name: str) -> str:
    """A principal as the broker's rules name it."""
    return f"User:{name}"


def reporting(document: AccessDocument) -> list[str]:
    """The codes of the ministries that may report, by this file."""
    return sorted(code for code, one in document.ministries.items() if one.report)


def our_topics(document: AccessDocument) -> list[str]:
    """Every topic that is ours, with dead letters and what the ministries read of their refusals."""
    topics = [*OWN, *_ingest(document)]
    refusals = [rejected_topic(str(topic.ministry)).name for topic in _ingest(document)]
    return [name for topic in topics for name in (topic.name, topic.dead)] + refusals


def our_groups() -> list[str]:
    """The groups of our services."""
    return [group for groups in GROUPS.values() for group in groups]


def our_places(document: AccessDocument) -> list[Place]:
    """On what others are strangers: the topics of ministries that are no longer in the file, too."""
    return [
        *(Place("topic", name) for name in our_topics(document)),
        *(Place("topic", name, is_prefix=True) for name in (ingest_topic("").name, rejected_topic("").name)),
        *(Place("group", group) for group in our_groups()),
    ]


def principals(document: AccessDocument) -> list[Principal]:
    """Everybody whom the file names, with what they need."""
    return [
        *(Principal(n, "service", _service(n, document), _quota(one.quota)) for n, one in document.services.items()),
        *(Principal(n, "operator", _operator(n, document), _quota(one.quota)) for n, one in document.operators.items()),
        *(
            Principal(code, "ministry", _ministry(code, document), _quota(document.quota_of(code)))
            for code in document.ministries
        ),
    ]


def _ingest(document: AccessDocument) -> list[Topic]:
    return [ingest_topic(code) for code in reporting(document)]


def _service(name: str, document: AccessDocument) -> frozenset[AclEntry]:
    topics = [*OWN, *_ingest(document)]
    reads = [topic for topic in topics if name in topic.readers]
    writes = [topic.name for topic in topics if name in topic.writers]
    # Without a group nothing is put aside.
    aside = [topic.dead for topic in reads if topic not in FOLLOWED] if name in GROUPS else []
    looked_at = [topic.dead for topic in topics if name in topic.dead_readers]
    if name == "registry":
        writes += [rejected_topic(str(topic.ministry)).name for topic in _ingest(document)]
    # It compares itself with what it has published when it starts.
    readable = {topic.name for topic in reads} | set(writes) | set(looked_at)
    return frozenset(
        _topics(name, "read", readable)
        | _topics(name, "write", [*writes, *aside])
        | {AclEntry(user(name), "group", group, "read") for group in GROUPS.get(name, ())}
    )


def _operator(name: str, document: AccessDocument) -> frozenset[AclEntry]:
    return frozenset(
        _topics(name, "read", our_topics(document))
        | {AclEntry(user(name), "group", group, "describe") for group in our_groups()}
        | {_own_groups(name)}
    )


def _ministry(code: str, document: AccessDocument) -> frozenset[AclEntry]:
    one = document.ministries[code]
    own = [rejected_topic(code).name] if one.report else []
    acls = _topics(code, "read", [*one.read, *own]) | {_own_groups(code)}
    return frozenset(acls | (_topics(code, "write", [ingest_topic(code).name]) if one.report else set()))


def _topics(name: str, operation: str, topics: Iterable[str]) -> set[AclEntry]:
    return {AclEntry(user(name), "topic", topic, operation) for topic in topics}


def _own_groups(name: str) -> AclEntry:
    """With the dot: the groups of `mx-sre` are none of `mx-sre-2`."""
    return AclEntry(user(name), "group", f"{name}.", "read", is_prefix=True)


def _quota(quota: Quota) -> dict[str, float]:
    named = {
        "producer_byte_rate": quota.produce_bytes_per_second,
        "consumer_byte_rate": quota.consume_bytes_per_second,
        "request_percentage": quota.request_percent,
    }
    return {name: float(value) for name, value in named.items() if value is not None}
