"""Major versions side by side: what is said on a topic is said on that of the next major version as well.

The older version leads until it ends: our code makes its event, and the newer version's is made of that one. Nothing is
missing by it, since a field may be added to the older version at any time; a new one is for another shape.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID, uuid5

from contracts.envelope import Envelope, to_record
from contracts.topics import OWN, Topic, topic_named

LATER: Mapping[str, Topic] = {
    topic.name: later for topic in OWN if topic.superseded for later in OWN if later.name == topic.superseded.by
}
"""The topic of the next major version, by the name of the topic of the one before."""

LATER_NAMES = frozenset(topic.name for topic in LATER.values())
"""The topics that are written beside one that leads."""


class SaidLater(NamedTuple):
    """A record as the next major version has it, with the id of its event; its `seq` is not given yet."""

    event_id: UUID
    topic: str
    key: str
    headers: dict[str, str]
    value: bytes


def said_later(topic: str, headers: Mapping[str, str], value: bytes) -> list[SaidLater]:
    """What a record of our own is in each later major version, the next one first; none where there is none.

    Raises pydantic's `ValidationError` for a value that isn't the topic's event.
    """
    found = []
    event, event_id = None, UUID(headers["ce_id"]) if topic in LATER else None
    while event_id and (later := LATER.get(topic)):
        event = event or topic_named(topic).event.as_read(value)
        if later.made_by is None:
            raise ValueError(f"nothing says how {later.name} is made of {topic}")
        event = later.made_by(event)
        event_id = later_event_id(later, event_id)
        # As it was said: the time is not read and written anew.
        envelope = Envelope.of_headers(headers, event_id)
        record = to_record(event, envelope, later)
        found.append(SaidLater(event_id, record.topic, record.key, record.headers, record.value))
        topic = later.name
    return found


def with_later_majors(names: Iterable[str]) -> list[str]:
    """These topics and those of their later major versions, which come behind all that lead."""
    found = list(names)
    beside = [LATER[name].name for name in found if name in LATER]
    return found + with_later_majors(beside) if beside else found


def later_event_id(later: Topic, event_id: UUID) -> UUID:
    """The id of an event in the next major version: derived from its own (RFC 9562, 5.5), so a repeat has the same."""
    return uuid5(event_id, later.name)
