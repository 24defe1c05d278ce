"""Records of ingest topics, as they are read: a report, or what can be told of one that is none."""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from contracts.envelope import Envelope, UnreadableRecord, from_record
from contracts.events import StatusReported
from contracts.topics import topic_named
from services.registry.actions.rejections import RecordPlace, Rejection

UNREADABLE = "unreadable"

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_POINTER = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,299}")


@dataclass(frozen=True)
class ReceivedReport:
    """A report, and the ministry by its topic: who produced a record, a consumer can't see."""

    ministry: str
    place: RecordPlace
    envelope: Envelope
    report: StatusReported


def read_report(record: ConsumerRecord[bytes, bytes]) -> ReceivedReport | Rejection:
    """The report of a record of an ingest topic; of what is none, what its sender is to be told."""
    ministry = topic_named(record.topic).ministry
    if ministry is None:
        raise ValueError(f"{record.topic} is no ingest topic")
    place = RecordPlace(record.topic, record.partition, record.offset)
    try:
        envelope, report = from_record(StatusReported, record.key, record.headers, record.value)
    except UnreadableRecord as error:
        named = _named_in(record.value)
        return Rejection(
            ministry,
            place,
            UNREADABLE,
            str(error) or "it can't be read",
            _pointer(error),
            _uuid(named.get("report_id")),
            _slug(named.get("commitment_id")),
        )
    return ReceivedReport(ministry, place, envelope, report)


def _named_in(value: bytes | None) -> dict[str, Any]:
    """What a value says that is no report, as far as it is an object; of one in an envelope, its data."""
    try:
        found = json.loads(value or b"")
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, dict) and isinstance(found.get("data"), dict) and "specversion" in found:
        found = found["data"]
    return found if isinstance(found, dict) else {}


def _uuid(said: object) -> UUID | None:
    try:
        return UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None


def _slug(said: object) -> str | None:
    return said if isinstance(said, str) and len(said) <= 96 and _SLUG.fullmatch(said) else None


def _pointer(error: UnreadableRecord) -> str | None:
    """Which field it is about, where the form says so (RFC 6901)."""
    if not isinstance(error.__cause__, ValidationError):
        return None
    place = error.__cause__.errors(include_url=False, include_input=False)[0]["loc"]
    steps = "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in place)
    return f"#/{steps}" if place and _POINTER.fullmatch(steps) and len(steps) < 298 else None
