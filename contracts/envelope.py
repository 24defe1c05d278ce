"""CloudEvents 1.0 around an event, in Kafka's binary mode: attributes in headers, the event as JSON in the value.

Source: CloudEvents 1.0.2 and its Kafka protocol binding. The library `cloudevents` reads records; they are written by
hand, six times as fast, and a test holds what is written against what the library would write.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from functools import lru_cache
from typing import Any, Protocol, Self, TypeVar
from uuid import UUID

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, from_structured
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError

from contracts.events import ApiKeyChanged, AuditHead, LadderChosen, StatusRejected, StatusReported
from contracts.topics import BY_EVENT, BY_NAME, Topic
from contracts.vocabulary import Contract


class UnreadableRecord(ValueError):
    """The record can never be read as what its topic promises; it belongs in the dead-letter topic.

    The reason may quote the record, so it is made fit for a header or a log line: printable, at most 500 characters.
    """

    def __init__(self, reason: str) -> None:
        legible = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in reason[:500])
        super().__init__("".join(legible)[:500])


class _JSONBytes(JSONFormat):
    """The value stays the bytes that pydantic wrote, and is read by pydantic alone: one parser, strict."""

    def read_data(self, body: bytes, datacontenttype: str | None) -> bytes:
        return body


CONTRACTS = "https://pledgewire.org/contracts"
"""Under which all schemas of this release are named."""

E = TypeVar("E", bound=Contract)

_FORMAT = _JSONBytes()
_JSON, _STRUCTURED = "application/json", "application/cloudevents+json"

# What the library, dateutil and json raise for bad input: an hour 24 on the last day of the calendar
# overflows, brackets a hundred thousand deep exhaust the stack.
_FAULTS = (
    CloudEventValidationError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True)
class Envelope:
    """What is said about an event: its id, when, about which commitment, and the thread it belongs to."""

    id: UUID
    time: datetime
    subject: str
    correlation_id: str | None = None
    traceparent: str | None = None

    def __post_init__(self) -> None:
        if self.time.tzinfo is None:
            raise ValueError("the attribute `time` has no zone")
        for name in ("subject", "correlation_id", "traceparent"):
            text = getattr(self, name)
            if text is not None and not (isinstance(text, str) and len(text) <= 256 and text.isprintable()):
                raise ValueError(f"the attribute `{name}` is no text of at most 256 printable characters")

    @classmethod
    def of_headers(cls, headers: Mapping[str, str], id_: UUID) -> Self:
        """The envelope of headers that we have written, for another event about the same."""
        time = datetime.fromisoformat(headers["ce_time"])
        about, thread = headers["ce_subject"], headers.get("ce_correlationid")
        return cls(id_, time, about, thread, headers.get("ce_traceparent"))


@dataclass(frozen=True)
class Record:
    """A Kafka record to be, in plain types."""

    topic: str
    key: str
    headers: dict[str, str]
    value: bytes


def to_record(event: Contract, envelope: Envelope, topic: Topic | None = None) -> Record:
    """The record of an event on its topic; the key is the commitment's id.

    A topic of a family has to be named, since several carry the same event; raises `KeyError` otherwise.
    """
    if topic is None:
        topic = BY_EVENT[type(event)]
        if topic.family:
            raise KeyError(f"which one of {topic.name}?")
    if not isinstance(event, topic.event):
        raise TypeError(f"{type(event).__name__} is not what the topic {topic.name} carries")
    if not envelope.subject:
        raise ValueError("the attribute `subject` is empty")
    if envelope.subject != subject_of(event):
        raise ValueError("the attribute `subject` differs from what the event is about")
    headers = {
        "ce_id": str(envelope.id),
        **_fixed_headers(topic),
        "ce_time": _written_time(envelope.time),
        "ce_subject": envelope.subject,
        "ce_partitionkey": envelope.subject,
    }
    if envelope.correlation_id:
        headers["ce_correlationid"] = envelope.correlation_id
    if envelope.traceparent:
        headers["ce_traceparent"] = envelope.traceparent
    return Record(topic.name, envelope.subject, headers, event.model_dump_json().encode())


_FIXED: dict[tuple[str, int], dict[str, str]] = {}


def _fixed_headers(topic: Topic) -> dict[str, str]:
    """What is the same for every record of a topic."""
    fixed = _FIXED.get((topic.name, topic.version))
    if fixed is None:
        fixed = _FIXED[topic.name, topic.version] = {
            "ce_source": f"/pledgewire/{topic.writers[0]}",
            "ce_type": topic.event_type,
            "ce_specversion": "1.0",
            "content-type": "application/json",
            "ce_dataschema": schema_uri(topic),
            **{f"ce_{name}": "true" if said is True else str(said) for name, said in deprecation(topic).items()},
        }
    return fixed


def _written_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def from_record(
    event: type[E], key: bytes | None, headers: Sequence[tuple[str, bytes | None]], value: bytes | None
) -> tuple[Envelope, E]:
    """Read a record as one kind of event; structured mode is understood too, never written.

    Raises `UnreadableRecord` with the reason for anything else.
    """
    if value is None:
        raise UnreadableRecord("the record has no value (a tombstone)")
    try:
        own_headers = _own_headers(headers)
        cloud_event, data = _open(KafkaMessage(own_headers, key, value))
        envelope = Envelope(
            id=UUID(cloud_event.get_id()),
            time=_instant(cloud_event.get_time()),
            subject=cloud_event.get_subject() or "",
            correlation_id=cloud_event.get_extension("correlationid"),
            traceparent=cloud_event.get_extension("traceparent"),
        )
        kind = cloud_event.get_type()
        if not _is_kind(kind, event):
            raise UnreadableRecord(f"type {kind} is not what this topic carries")
        _refuse_repeated_keys(data)
        # What others write is read strictly; what we wrote, by whichever release, is not.
        read = event.model_validate_json(data) if event is StatusReported else event.as_read(data)
        _check_subject(read, envelope.subject, key, own_headers.get("ce_partitionkey"))
    except UnreadableRecord:
        raise
    except ValidationError as error:
        raise UnreadableRecord(_first_fault(error)) from error
    except _FAULTS as error:
        raise UnreadableRecord(f"not a CloudEvent: {type(error).__name__}: {error}") from error
    return envelope, read


class KafkaRecord(Protocol):
    """A record as a consumer gives it."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...
    @property
    def value(self) -> bytes | None: ...


def event_in(event: type[E], record: KafkaRecord) -> E:
    """The event of a record, for who needs nothing of its envelope; raises `UnreadableRecord`."""
    return from_record(event, record.key, record.headers, record.value)[1]


def is_structured(headers: Sequence[tuple[str, bytes | None]]) -> bool:
    """Whether the value of a record that `from_record` reads holds the envelope too."""
    return _media_type((_own_headers(headers).get("content-type") or b"").decode() or _JSON) == _STRUCTURED


def subject_of(event: Contract) -> str:
    """What an event is about, which is the key of its record: the id of a commitment, a subscription or a ministry."""
    if isinstance(event, LadderChosen):
        return str(event.subscription_id)
    if isinstance(event, StatusReported):
        return event.commitment_id
    if isinstance(event, StatusRejected):
        return event.ministry
    if isinstance(event, AuditHead):
        return event.service
    if isinstance(event, ApiKeyChanged):
        return event.key_id
    about: str = event.commitment.id  # type: ignore[attr-defined]  # every other event has a commitment
    return about


def _refuse_repeated_keys(value: bytes) -> None:
    """Raise `UnreadableRecord` where an object has a key twice: parsers differ in which one they take (RFC 8259, 4)."""
    json.loads(value, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise UnreadableRecord("an object has the same key twice")


def _check_subject(event: Contract, subject: str, key: bytes | None, partition_key: bytes | None) -> None:
    """Raise `UnreadableRecord` for a record that is filed under nothing, or not under what its event is about.

    Order holds within a key only: without one a record goes to any partition, and may be read before an older one about
    the same. Readers route by the subject without looking into the value; an attribute that is left out says nothing
    wrong.
    """
    if key is None:
        raise UnreadableRecord("the record has no key, so nothing says in which order it belongs")
    about = subject_of(event).encode()
    for name, said in (
        ("key", key),
        ("attribute `subject`", subject.encode() or None),
        ("attribute `partitionkey`", partition_key),
    ):
        if said is not None and said != about:
            raise UnreadableRecord(f"the {name} differs from what the event is about")


def event_id_in(headers: Sequence[tuple[str, bytes | None]]) -> UUID:
    """The id of a record's event in binary mode, as we write it; raises `UnreadableRecord` where there is none."""
    try:
        return UUID((_own_headers(headers).get("ce_id") or b"").decode())
    except ValueError as error:
        raise UnreadableRecord(f"the attribute `id` is no UUID: {error}") from error


def schema_uri(topic: Topic) -> str:
    """The absolute URI of the JSON Schema of the event on this topic (CloudEvents 1.0.2, `dataschema`).

    It is a name, the same wherever Pledgewire runs; the registry serves what it names, under the same path.
    """
    return f"{CONTRACTS}/schemas/{topic.event_name}.v{topic.version}.json"


def deprecation(topic: Topic) -> dict[str, bool | str]:
    """What CloudEvents say of a type that has an end: the attributes of its extension "deprecation"."""
    if topic.superseded is None:
        return {}
    midnight = "T00:00:00Z"
    return {
        "deprecated": True,
        "deprecationfrom": topic.superseded.since.isoformat() + midnight,
        "deprecationsunset": topic.superseded.sunset.isoformat() + midnight,
        "deprecationmigration": schema_uri(BY_NAME[topic.superseded.by]),
    }


def _own_headers(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes]:
    """The headers of the envelope; what tracers and connectors add is not ours to judge."""
    own: dict[str, bytes] = {}
    for written, content in headers:
        name = written.lower()
        if name != "content-type" and not name.startswith("ce_"):
            continue
        if name in own:
            raise UnreadableRecord(f"the header {name} is there twice")
        if content is None:
            raise UnreadableRecord(f"the header {name} is null")
        own[name] = content
    return own


def _open(message: KafkaMessage) -> tuple[BaseCloudEvent, bytes]:
    media_type = _media_type(message.headers.get("content-type", b"").decode() or _JSON)
    if media_type == _JSON:
        return from_binary(message, _FORMAT, _as_written), message.value
    if media_type != _STRUCTURED:
        raise UnreadableRecord(f"the content type is neither {_JSON} nor {_STRUCTURED}")
    _refuse_repeated_keys(message.value)
    cloud_event = from_structured(message, JSONFormat(), _as_written)
    if _media_type(cloud_event.get_datacontenttype() or _JSON) != _JSON:
        raise UnreadableRecord(f"the attribute `datacontenttype` is not {_JSON}")
    data = cloud_event.get_data()
    return cloud_event, data if isinstance(data, bytes) else json.dumps(data).encode()


@lru_cache(maxsize=64)
def _media_type(written: str) -> str:
    """The media type, in small letters; raises `UnreadableRecord` where it names another encoding than UTF-8.

    What says that it is UTF-16 may be read as such by somebody else (RFC 8259, 8.1: JSON is UTF-8).
    """
    header = Message()
    header["content-type"] = written
    if any(name.lower() == "charset" and str(said).lower() != "utf-8" for name, said in header.get_params([])):
        raise UnreadableRecord("the content type names another encoding than UTF-8")
    return header.get_content_type()


def _as_written(attributes: dict[str, Any], data: dict[str, Any] | str | bytes | None) -> CloudEvent:
    """A CloudEvent from what stands there; the library would make up an id, a time or a version that is missing."""
    missing = [name for name in ("id", "time", "specversion") if name not in attributes]
    if missing:
        raise UnreadableRecord(f"the attribute `{missing[0]}` is missing")
    return CloudEvent(attributes, data)


def _is_kind(kind: str, event: type[Contract]) -> bool:
    return kind == BY_EVENT[event].event_type


def _instant(time: datetime | None) -> datetime:
    if time is None or time.tzinfo is None:
        raise UnreadableRecord("the attribute `time` is missing or has no zone")
    return time.astimezone(UTC)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "value"
    return f"{where}: {fault['msg']} ({error.error_count()} in all)"
