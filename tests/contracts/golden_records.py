"""The golden examples as Kafka hands records over."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contracts import envelope, generate
from contracts.topics import BY_NAME, Topic
from contracts.vocabulary import Contract

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
        BY_NAME[record["topic"]],
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
