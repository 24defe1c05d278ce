"""The envelope: an event goes to a record and comes back the same, and poison is always called poison."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.envelope import Envelope, UnreadableRecord, from_record, is_structured, schema_uri, subject_of, to_record
from contracts.topics import COMMITMENT_CREATED, MILESTONE_DUE, PUBLIC, ingest_topic
from tests.contracts.event_strategies import envelopes, topics_with_events
from tests.contracts.golden_records import PATHS, example, structured, wire

GOOD = example("milestone-due.v1.coal-finance-in-7-days")
REPORT = example("status-reported.v1.canada-framework")
quick = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def wired(record) -> list[tuple[str, bytes]]:
    return [(name, content.encode()) for name, content in record.headers.items()]


@quick
@given(topics_with_events, envelopes)
def test_an_event_comes_back_the_same(topic_and_event, envelope) -> None:
    """
    Whatever the models allow survives the way to a record and back, envelope included; a repeat is equal.
    """
    topic, event = topic_and_event
    envelope = replace(envelope, subject=subject_of(event))
    record = to_record(event, envelope, topic)

    assert (envelope, event) == from_record(topic.event, record.key.encode(), wired(record), record.value)
    assert (topic.name, envelope.subject) == (record.topic, record.key)
    assert record == to_record(event, envelope, topic)


class _Bytes(JSONFormat):
    def write_data(self, data, datacontenttype) -> bytes:
        return data


@quick
@given(topics_with_events, envelopes)
def test_what_is_written_is_what_the_cloudevents_library_writes(topic_and_event, envelope) -> None:
    """
    The record is written by hand; header by header it is the library's.
    """
    topic, event = topic_and_event
    envelope = replace(envelope, subject=subject_of(event))
    attributes = {
        "id": str(envelope.id),
        "source": f"/pledgewire/{topic.writers[0]}",
        "type": topic.event_type,
        "specversion": "1.0",
        "time": envelope.time.astimezone(UTC),
        "subject": envelope.subject,
        "datacontenttype": "application/json",
        "dataschema": schema_uri(topic),
        "partitionkey": envelope.subject,
    }
    threads = {"correlationid": envelope.correlation_id, "traceparent": envelope.traceparent}
    attributes |= {name: thread for name, thread in threads.items() if thread}
    message = to_binary(CloudEvent(attributes, event.model_dump_json().encode()), _Bytes())
    record = to_record(event, envelope, topic)

    assert (message.key, message.value) == (record.key, record.value)
    assert {name: value.decode() for name, value in message.headers.items()} == record.headers


def test_an_event_without_a_subject_is_not_written() -> None:
    """
    The library would refuse it too.
    """
    envelope, due = GOOD.read()

    with pytest.raises(ValueError, match="subject"):
        to_record(due, replace(envelope, subject=""))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_structured_mode_is_read_equally(path) -> None:
    """
    A ministry's library may write structured mode; we hear the same event.
    """
    assert wire(path).read() == structured(wire(path)).read()


@pytest.mark.parametrize("written", ["application/cloudevents+json", " Application/CloudEvents+JSON ;charset=UTF-8"])
def test_whoever_asks_hears_by_one_rule_whether_a_record_is_structured(written: str) -> None:
    """
    The notifier hands the value on as it stands, unless the envelope is in it.
    """
    record = structured(GOOD).with_header("content-type", written.encode())

    assert record.read() == GOOD.read()
    assert is_structured(record.headers)
    assert not is_structured(GOOD.headers)


def test_structured_mode_may_carry_its_data_in_base64() -> None:
    """
    `data_base64` is the same event too.
    """
    body = json.loads(structured(GOOD).value)
    body["data_base64"] = base64.b64encode(GOOD.value).decode()
    del body["data"]

    assert GOOD.read() == replace(structured(GOOD), value=json.dumps(body).encode()).read()


def test_header_names_are_read_in_any_case_and_others_headers_are_left_alone() -> None:
    """
    A tracer's binary header or a connector's null is none of our business.
    """
    headers = [(name.upper(), content) for name, content in GOOD.headers]
    noisy = replace(GOOD, headers=[*headers, ("uber-trace", b"\xff\xfe"), ("connect", None), ("a", b"1"), ("a", b"2")])

    assert GOOD.read() == noisy.read()


def test_the_optional_attributes_may_be_missing() -> None:
    """
    Only id, source, type, time and version are needed.
    """
    bare = GOOD
    for name in ("ce_subject", "ce_dataschema", "ce_partitionkey", "ce_traceparent", "content-type"):
        bare = bare.without_header(name)
    envelope, event = bare.read()

    assert GOOD.read()[1] == event
    assert (envelope.subject, envelope.correlation_id, envelope.traceparent) == ("", None, None)


@pytest.mark.parametrize("written", ["application/json;charset=utf-8", 'Application/JSON; charset="UTF-8"'])
def test_the_encoding_may_be_said(written: str) -> None:
    """
    As long as it is that of JSON.
    """
    assert GOOD.with_header("content-type", written.encode()).read() == GOOD.read()


def test_the_time_is_given_in_utc() -> None:
    """
    Whatever offset the sender writes.
    """
    envelope, _ = GOOD.with_header("ce_time", b"2021-12-24T09:00:00-06:00").read()

    assert datetime(2021, 12, 24, 15, tzinfo=UTC) == envelope.time
    assert envelope.time.tzinfo == UTC


def _value(value: bytes | None):
    return replace(GOOD, value=value)


def _structured(**attributes):
    body = json.loads(structured(GOOD).value) | attributes
    return replace(structured(GOOD), value=json.dumps(body).encode())


def _structured_without(name: str):
    body = json.loads(structured(GOOD).value)
    del body[name]
    return replace(structured(GOOD), value=json.dumps(body).encode())


def _raw_structured(value: bytes):
    return replace(structured(GOOD), value=value)


POISON = {
    "null value": _value(None),
    "empty value": _value(b""),
    "bad JSON": _value(b'{"seq": 1'),
    "two documents": _value(GOOD.value + GOOD.value),
    "not UTF-8": _value(b'"\xff"'),
    "UTF-16": _value(GOOD.value.decode().encode("utf-16")),
    "a byte order mark": _value(b"\xef\xbb\xbf" + GOOD.value),
    "array": _value(b"[]"),
    "null": _value(b"null"),
    "an array around it": _value(b"[" + GOOD.value + b"]"),
    "a string around it": _value(json.dumps(GOOD.value.decode()).encode()),
    "wrong type": _value(GOOD.value.replace(b'"seq": 2', b'"seq": "2"')),
    "NaN": _value(GOOD.value.replace(b'"seq": 2', b'"seq": NaN')),
    "word that is none": _value(GOOD.value.replace(b'"reading": "by"', b'"reading": "By the way"')),
    "lone surrogate": _value(GOOD.value.replace(b"by the end of 2021", rb"\ud800")),
    "NUL": _value(GOOD.value.replace(b"by the end of 2021", rb"\u0000")),
    "deep arrays": _value(b"[" * 100_000),
    "deep objects": _value(b'{"a":' * 100_000),
    "deep in a field": _value(GOOD.value.replace(b'"seq": 2', b'"seq": ' + b"[" * 100_000)),
    "huge integer": _value(GOOD.value.replace(b'"seq": 2', b'"seq": 1' + b"0" * 400)),
    "integer beyond Python's digits": _value(GOOD.value.replace(b'"seq": 2', b'"seq": 1' + b"0" * 10_000)),
    "no headers": replace(GOOD, headers=[]),
    "no id": GOOD.without_header("ce_id"),
    "no source": GOOD.without_header("ce_source"),
    "no type": GOOD.without_header("ce_type"),
    "no time": GOOD.without_header("ce_time"),
    "no specversion": GOOD.without_header("ce_specversion"),
    "another specversion": GOOD.with_header("ce_specversion", b"0.3"),
    "null header": GOOD.with_header("ce_id", None),
    "null subject": GOOD.with_header("ce_subject", None),
    "empty subject": GOOD.with_header("ce_subject", b""),
    "header not UTF-8": GOOD.with_header("ce_source", b"\xff"),
    "content type not UTF-8": GOOD.with_header("content-type", b"\xff"),
    "key not UTF-8": replace(GOOD, key=b"\xff"),
    "another key": replace(GOOD, key=b"nals-2021-other"),
    "empty key": replace(GOOD, key=b""),
    "no key": replace(GOOD, key=None),
    "structured, no key": replace(structured(GOOD), key=None),
    "another encoding": GOOD.with_header("content-type", b"application/json; charset=utf-16"),
    "another encoding in quotation marks": GOOD.with_header("content-type", b'application/json;CharSet="ISO-8859-1"'),
    "two encodings": GOOD.with_header("content-type", b"application/json; charset=utf-8; charset=utf-16"),
    "another media type": GOOD.with_header("content-type", b"text/plain"),
    "no media type": GOOD.with_header("content-type", b"json"),
    "structured, another encoding": structured(GOOD).with_header(
        "content-type", b"application/cloudevents+json; charset=utf-16"
    ),
    "structured, another format": structured(GOOD).with_header("content-type", b"application/cloudevents+avro"),
    "structured, data in another encoding": _structured(datacontenttype="application/json; charset=utf-16"),
    "structured, data of another type": _structured(datacontenttype="text/xml"),
    "another subject": GOOD.with_header("ce_subject", b"nals-2021-other"),
    "another partition key": GOOD.with_header("ce_partitionkey", b"nals-2021-other"),
    "structured, another subject": _structured(subject="nals-2021-other"),
    "structured, another key": replace(structured(GOOD), key=b"nals-2021-other"),
    "a key twice": replace(GOOD, value=GOOD.value.replace(b'"seq": 2', b'"seq": 2, "seq": 3')),
    "a key twice, once in escapes": replace(GOOD, value=GOOD.value.replace(b'"seq": 2', b'"seq": 2, "se\\u0071": 3')),
    "a key twice within": replace(GOOD, value=GOOD.value.replace(b'"commitment": {', b'"commitment": {"id": "x", ')),
    "structured, a key twice": _raw_structured(structured(GOOD).value.replace(b'"seq": 2', b'"seq": 2, "seq": 3')),
    "structured, an attribute twice": _raw_structured(structured(GOOD).value.replace(b"{", b'{"id": "x", ', 1)),
    "structured, a key twice in base64": _structured(
        data=None,
        data_base64=base64.b64encode(GOOD.value.replace(b'"seq": 2', b'"seq": 2, "seq": 3')).decode(),
    ),
    "duplicate header": replace(GOOD, headers=[*GOOD.headers, GOOD.headers[0]]),
    "duplicate header in another case": replace(GOOD, headers=[*GOOD.headers, ("CE_ID", b"x")]),
    "foreign type": GOOD.with_header("ce_type", b"com.example.ordered.v1"),
    "another event's type": GOOD.with_header("ce_type", b"org.pledgewire.status-changed.v1"),
    "a later version": GOOD.with_header("ce_type", b"org.pledgewire.milestone-due.v2"),
    "type with control characters": GOOD.with_header("ce_type", b"a\r\nset-cookie: \x00"),
    "endless type": GOOD.with_header("ce_type", b"a" * 900_000),
    "bad uuid": GOOD.with_header("ce_id", b"not-a-uuid"),
    "empty id": GOOD.with_header("ce_id", b""),
    "naive time": GOOD.with_header("ce_time", b"2021-12-24T15:00:00"),
    "time is no time": GOOD.with_header("ce_time", b"yesterday"),
    "time as a number": GOOD.with_header("ce_time", b"1637280000"),
    "time past the calendar": GOOD.with_header("ce_time", b"9999-12-31T24:00:00Z"),
    "time before the calendar": GOOD.with_header("ce_time", b"0001-01-01T00:00:00+14:00"),
    "control character in the correlation id": GOOD.with_header("ce_correlationid", b"a\x00b"),
    "endless correlation id": GOOD.with_header("ce_correlationid", b"a" * 257),
    "line break in the subject": GOOD.with_header("ce_subject", b"a\nb"),
    "line break in the trace": GOOD.with_header("ce_traceparent", b"00\r\n"),
    "extension with an impossible name": GOOD.with_header("ce_no-such", b"1"),
    "structured garbage": _raw_structured(b"garbage"),
    "structured, binary garbage": _raw_structured(b"\x80\x00\xff"),
    "structured, a plain value": _raw_structured(GOOD.value),
    "structured, array": _raw_structured(b"[]"),
    "structured, null": _raw_structured(b"null"),
    "structured, string": _raw_structured(b'"specversion"'),
    "structured, deep": _raw_structured(b"[" * 100_000),
    "structured, deep data": _raw_structured(
        structured(GOOD).value.replace(b'"seq": 2', b'"seq": ' + b"[" * 900 + b"]" * 900)
    ),
    "structured, huge integer": _raw_structured(
        structured(GOOD).value.replace(b'"seq": 2', b'"seq": 1' + b"0" * 9_000)
    ),
    "structured, infinite": _raw_structured(structured(GOOD).value.replace(b'"seq": 2', b'"seq": 1e999')),
    "structured, no id": _structured_without("id"),
    "structured, no time": _structured_without("time"),
    "structured, no specversion": _structured_without("specversion"),
    "structured, no data": _structured_without("data"),
    "structured, version 0.3": _structured(specversion="0.3"),
    "structured, version is a list": _structured(specversion=[]),
    "structured, id is a number": _structured(id=5),
    "structured, time is a number": _structured(time=5),
    "structured, time is naive": _structured(time="2021-12-24T15:00:00"),
    "structured, time past the calendar": _structured(time="9999-12-31T24:00:00Z"),
    "structured, surrogate in the type": _structured(type="\ud800"),
    "structured, surrogate in the subject": _structured(subject="\ud800"),
    "structured, correlation id is an object": _structured(correlationid={"a": 1}),
    "structured, data is a string of JSON": _structured(data=GOOD.value.decode()),
    "structured, data is a list": _structured(data=[1]),
    "structured, bad base64": _structured(data=None, data_base64="%"),
    "structured, a batch": replace(
        structured(GOOD),
        headers=[("content-type", b"application/cloudevents-batch+json")],
        value=b"[" + structured(GOOD).value + b"]",
    ),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_poison_is_unreadable_and_nothing_else(poison) -> None:
    """
    Never another exception; and the reason is fit for a header and a log line.
    """
    with pytest.raises(UnreadableRecord) as raised:
        poison.read()

    reason = str(raised.value)
    assert 1 <= len(reason) <= 500
    assert reason.isprintable()
    assert reason.encode()


@quick
@given(st.data())
def test_random_headers_and_values_are_read_or_unreadable(data) -> None:
    """
    No bytes, in any header or in the value, get anything else out of the reader.
    """
    names = st.sampled_from([name for name, _ in GOOD.headers] + ["ce_", "CE_ID", "content-type"]) | st.text(max_size=8)
    contents = st.sampled_from([content for _, content in GOOD.headers]) | st.binary(max_size=30) | st.none()
    headers = data.draw(st.just(GOOD.headers) | st.lists(st.tuples(names, contents), max_size=12))
    extra = data.draw(st.lists(st.tuples(names, contents), max_size=2))
    value = data.draw(st.sampled_from([GOOD.value, structured(GOOD).value]) | st.binary(max_size=60) | st.none())
    key = data.draw(st.none() | st.binary(max_size=10))
    try:
        envelope, _ = replace(GOOD, headers=headers + extra, value=value, key=key).read()
    except UnreadableRecord as unreadable:
        assert str(unreadable).isprintable()
    else:
        assert envelope.subject.isprintable()


@quick
@given(st.integers(0, len(GOOD.value)), st.binary(max_size=4), st.integers(0, 4), st.booleans())
def test_a_damaged_value_is_read_or_unreadable(at, patch, drop, in_structured) -> None:
    """
    Likewise bit rot in the middle of a good one.
    """
    record = structured(GOOD) if in_structured else GOOD
    try:
        replace(record, value=record.value[:at] + patch + record.value[at + drop :]).read()
    except UnreadableRecord as unreadable:
        assert str(unreadable).isprintable()


def test_each_topic_refuses_the_events_of_the_others() -> None:
    """
    By type and by content; what has all that another has, and more, by its type alone: a reader bears fields more.
    """
    for topic in (*PUBLIC, ingest_topic("ca-gac")):
        for path in PATHS:
            record = wire(path)
            if record.topic.event is topic.event:
                continue
            disguised = record.with_header("ce_type", topic.event_type.encode()).headers
            has_all = topic.event.model_fields.keys() <= record.topic.event.model_fields.keys()
            for headers in (record.headers,) if has_all else (record.headers, disguised):
                with pytest.raises(UnreadableRecord):
                    replace(record, topic=topic, headers=headers).read()


def test_an_event_is_not_written_to_the_wrong_topic() -> None:
    """
    A slip of the writer is the writer's error, not the reader's dead letter.
    """
    envelope, due = GOOD.read()
    _, report = REPORT.read()

    with pytest.raises(TypeError, match="not what the topic"):
        to_record(due, envelope, COMMITMENT_CREATED)
    with pytest.raises(KeyError):
        to_record(report, envelope)
    assert to_record(due, envelope).topic == "milestone-due"
    assert to_record(due, envelope, MILESTONE_DUE).topic == "milestone-due"


@pytest.mark.parametrize(
    "slip",
    [
        {"time": datetime(2021, 11, 18)},  # noqa: DTZ001
        {"subject": "a\nb"},
        {"correlation_id": "\x00"},
        {"correlation_id": "a" * 257},
        {"traceparent": "\ud800"},
    ],
)
def test_an_envelope_that_no_reader_would_open_is_not_made(slip) -> None:
    """
    What from_record refuses, to_record never gets.
    """
    good = {"id": UUID(int=1), "time": datetime(2021, 11, 18, tzinfo=UTC), "subject": "a"}
    Envelope(**good)
    with pytest.raises(ValueError, match="attribute"):
        Envelope(**good | slip)
