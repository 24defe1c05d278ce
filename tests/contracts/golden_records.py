"""The golden examples as Kafka hands records over."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts import envelope, generate
from contracts.causes import Cause
from contracts.events import RejectionReason
from contracts.topics import Topic, topic_named
from contracts.vocabulary import Assessment, Contract, Precision, Reading, Status, Strength

_OPEN_FIELDS = {"change", "phase", "rule", "channel", "outcome"}
_WORDS = {
    *(str(word) for one in (Assessment, Precision, Reading, Status, Strength) for word in one),
    *get_args(RejectionReason),
}
NEW = "of-a-later-release"
"""A word that no list has."""

SOME_CAUSE = Cause(kind="import", id=UUID(int=1), count=1)
"""For an event of which nobody asks what set it off."""

PATHS = sorted((generate.HERE / "examples").glob("*.json"))


@dataclass(frozen=True)
class Wire:
    """A record as a consumer gets it."""

    topic: Topic
    key: bytes | None
    headers: list[tuple[str, bytes | None]]
    value: bytes | None

    def read(self) -> tuple[envelope.Envelope, Contract]:
        return envelope.from_record(self.topic.event, self.key, self.headers, self.value)

    def with_header(self, name: str, content: bytes | None) -> "Wire":
        kept = [(n, c) for n, c in self.headers if n != name]
        return replace(self, headers=[*kept, (name, content)])

    def without_header(self, name: str) -> "Wire":
        return replace(self, headers=[(n, c) for n, c in self.headers if n != name])


def golden(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def wire(path: Path) -> Wire:
    record = golden(path)
    return Wire(
        topic_named(record["topic"]),
        record["key"].encode(),
        [(name, content.encode()) for name, content in record["headers"].items()],
        json.dumps(record["value"], ensure_ascii=False).encode(),
    )


def example(name: str) -> Wire:
    return wire(generate.HERE / "examples" / f"{name}.json")


def structured(record: Wire) -> Wire:
    """The same event in structured mode, as another's library would write it."""
    attributes = {n.removeprefix("ce_"): c.decode() for n, c in record.headers if c is not None and n != "content-type"}
    body = attributes | {"datacontenttype": "application/json", "data": json.loads(record.value or b"null")}
    headers: list[tuple[str, bytes | None]] = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    return replace(record, headers=headers, value=json.dumps(body).encode())


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Each object in a value, itself included; a text's keys are languages."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from objects(child)


def is_text(node: dict[str, Any]) -> bool:
    return bool(node) and set(node) <= {"en", "es", "fr"}


def open_places(value: Any) -> list[tuple[dict[str, Any], str]]:
    """Where a word of an open list stands."""
    return [
        (node, name)
        for node in objects(value)
        if not is_text(node)
        for name, said in node.items()
        if isinstance(said, str) and (name in _OPEN_FIELDS or (said in _WORDS and name not in {"section", "id"}))
    ]


def record_of(
    wire: Wire, offset: int, partition: int = 0, written_ms: int | None = None
) -> ConsumerRecord[bytes, bytes]:
    """The record as a consumer hands it over."""
    return ConsumerRecord(
        topic=wire.topic.name,
        partition=partition,
        offset=offset,
        timestamp=written_ms if written_ms is not None else 1_700_000_000_000 + offset,
        timestamp_type=0,
        key=wire.key,
        value=wire.value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=wire.headers,
    )
