"""Letters: records that were put aside, what their headers say of it, and which of them are settled. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from services.plumbing.recovery.taking_over import TopicRecord

What = Literal["replayed", "dropped"]
_OURS = "dead_"
"""What the headers begin with that a record got when it was put aside."""


@dataclass(frozen=True)
class LetterId:
    """Where a letter lies; as text it is `TOPIC/PARTITION/OFFSET`."""

    topic: str
    """Of dead letters."""
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @staticmethod
    def of(text: str) -> "LetterId":
        """Raises ValueError for a text that is none."""
        topic, partition, offset = text.split("/")
        if not (partition.isdigit() and offset.isdigit() and topic.endswith("-dead")):
            raise ValueError(text)
        return LetterId(topic, int(partition), int(offset))


@dataclass(frozen=True)
class Settlement:
    """What somebody said of a letter."""

    what: What
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Letter:
    """A record that was put aside."""

    id: LetterId
    put_aside_at: datetime
    group: str
    """Which group gave it up; it may have been taken by others."""
    origin: str
    """The topic that it came from."""
    origin_partition: int | None
    origin_offset: int | None
    error: str
    reason: str
    lacks: str | None
    """Why it can't be replayed: what of it was not kept; None where all was."""
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    """Those of the record itself."""
    settled: Settlement | None = None


_LACKING = {
    "too large": "its value was too large to be kept",
    "unread": "it stands for a batch that was not read",
    "null": "it had neither key nor value",
}


def letter(record: TopicRecord, settled: "Mapping[tuple[LetterId, datetime], Settlement]") -> Letter:
    """A record of a topic of dead letters, with what was said of it."""
    said = {name: (value or b"").decode(errors="replace") for name, value in record.headers if name.startswith(_OURS)}
    place = LetterId(record.topic, record.partition, record.offset)
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    lacks = _LACKING.get(said.get("dead_value", ""))
    if not lacks and "dead_key_length" in said:
        lacks = "its key was too large to be kept"
    return Letter(
        id=place,
        put_aside_at=at,
        group=said.get("dead_group", "unknown"),
        origin=said.get("dead_topic", record.topic.removesuffix("-dead")),
        origin_partition=_number(said.get("dead_partition")),
        origin_offset=_number(said.get("dead_offset")),
        error=said.get("dead_error", "unknown"),
        reason=said.get("dead_reason", ""),
        lacks=lacks,
        key=record.key,
        value=record.value,
        headers=tuple((name, value or b"") for name, value in record.headers if not name.startswith(_OURS)),
        settled=settled.get((place, at)),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def chosen(
    letters: Iterable[Letter], ids: Collection[LetterId] = (), topic: str | None = None, group: str | None = None
) -> list[Letter]:
    """Those with these ids, or without ids all that are open; of a topic, put aside by a group, where these are named.

    The topic may be that of dead letters, or the one that the record came from. The oldest come first.
    """
    found = [
        one
        for one in letters
        if (one.id in ids if ids else one.settled is None)
        and topic in (None, one.id.topic, one.origin)
        and group in (None, one.group)
    ]
    return sorted(found, key=lambda one: (one.put_aside_at, one.id.topic, one.id.partition, one.id.offset))


def emptied_up_to(letters: Sequence[Letter]) -> dict[tuple[str, int], int]:
    """By topic and partition the offset below which every letter is settled, where there is one to be removed."""
    found: dict[tuple[str, int], int] = {}
    stopped = set[tuple[str, int]]()
    for one in sorted(letters, key=lambda each: each.id.offset):
        place = (one.id.topic, one.id.partition)
        if one.settled is None:
            stopped.add(place)
        elif place not in stopped:
            found[place] = one.id.offset + 1
    return found
