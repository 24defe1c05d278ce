"""Contracts are closed and strict: what isn't exactly right is refused, in JSON and in Python."""

import copy
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from contracts import generate
from contracts.events import MilestoneDue, Quote, StatementRef, StatusReported
from contracts.topics import topic_named
from contracts.vocabulary import LARGEST, Precision, Span, Status, Text
from tests.contracts.golden_records import PATHS, golden

examples = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
DUE = golden(generate.HERE / "examples/milestone-due.v1.coal-finance-in-7-days.json")["value"]
REPORT = golden(generate.HERE / "examples/status-reported.v1.canada-framework.json")["value"]


def changed(value: dict[str, Any], path: str, content: Any) -> str:
    """The value as JSON, with something else at the path."""
    value = copy.deepcopy(value)
    *parents, last = path.split(".")
    node = value
    for part in parents:
        node = node[part]
    node[last] = content
    return json.dumps(value)


def refused(event: type, text: str | bytes) -> bool:
    try:
        event.model_validate_json(text)
    except ValidationError:
        return True
    return False


def objects(node: Any, path: str = "") -> list[str]:
    """Paths of all objects inside a value."""
    found = [path] if isinstance(node, dict) else []
    if isinstance(node, dict):
        for name, child in node.items():
            found += objects(child, f"{path}.{name}" if path else name)
    return found


@examples
def test_an_extra_field_is_refused_at_every_depth(path) -> None:
    """
    In the event itself and in each object within.
    """
    record = golden(path)
    event = topic_named(record["topic"]).event

    assert not refused(event, json.dumps(record["value"]))
    for place in objects(record["value"]):
        assert refused(event, changed(record["value"], f"{place}.surprise" if place else "surprise", 1)), place


@examples
def test_a_missing_field_is_refused(path) -> None:
    """
    Each field that the schema requires is really needed to read the event.
    """
    record = golden(path)
    event = topic_named(record["topic"]).event
    for name, field in event.model_fields.items():
        if field.is_required():
            assert refused(event, json.dumps({k: v for k, v in record["value"].items() if k != name})), name


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("seq", "1"),
        ("seq", 1.0),
        ("seq", 0),
        ("seq", -1),
        ("seq", True),
        ("seq", None),
        ("seq", float("nan")),
        ("seq", float("inf")),
        ("seq", LARGEST + 1),
        ("seq", 10**400),
        ("days", -1),
        ("late", "false"),
        ("late", 0),
        ("due_at", "2021-12-24T09:00:00"),
        ("due_at", "2021-12-24T09:00Z"),
        ("due_at", "2021-12-24 09:00:00Z"),
        ("due_at", "2021-12-24"),
        ("due_at", "1637280000"),
        ("due_at", 1637280000),
        ("due_at", "2021-12-24T09:00:60Z"),
        ("due_at", "2021-12-24T09:00:00+24:00"),
        ("due_at", "0001-01-01T00:00:00+14:00"),
        ("due_at", "9999-12-31T23:59:59-01:00"),
        ("due_at", "２０２１-12-24T09:00:00Z"),
        ("milestone.span.latest", "1637193600"),
        ("milestone.span.latest", 1637193600),
        ("milestone.span.latest", "2021-12-31T00:00:00"),
        ("milestone.span.latest", "20211231"),
        ("milestone.span.latest", "2021-02-30"),
        ("milestone.span.latest", None),
        ("milestone.span.latest", "2020-12-31"),
        ("milestone.span.edtf", "2021\x00"),
        ("milestone.span.edtf", ""),
        ("milestone.wording", "by the end\nof 2021"),
        ("milestone.wording", "by the end\x00of 2021"),
        ("milestone.wording", "by the end of 2021\n"),
        ("milestone.wording", "\x85"),
        ("milestone.wording", "\ud800"),
        ("milestone.wording", ""),
        ("milestone.wording", "x" * 301),
        ("milestone.zone", "../../etc/passwd"),
        ("commitment.id", "Not-A-Slug"),
        ("commitment.id", "a--b"),
        ("commitment.id", "a\n"),
        ("commitment.parties", []),
        ("commitment.parties", ["france"]),
        ("commitment.parties", ["org-european-union"]),
        ("commitment.title", {}),
        ("commitment.title", {"es": "año"}),
        ("commitment.title", {"en": "year", "Klingon": "x"}),
        ("commitment.parties", "CA"),
        ("status", "Announced"),
        ("status", "done"),
        ("step", "before-٣d"),
        ("step", "now"),
        ("merged_steps", ["\x00"]),
        ("phase", "later"),
    ],
)
def test_what_is_not_exactly_right_is_refused_in_json(path, content) -> None:
    """
    Nothing is converted, no bound is soft.
    """
    assert refused(MilestoneDue, changed(DUE, path, content))


@pytest.mark.parametrize(
    "spelling", ["2021-12-24T15:00:00Z", "2021-12-24t15:00:00.5z", "2021-12-24T09:00:00.123456-06:00"]
)
def test_instants_of_rfc_3339_are_read(spelling) -> None:
    """
    Strict doesn't mean picky: the RFC's own variants are fine.
    """
    assert MilestoneDue.model_validate_json(changed(DUE, "due_at", spelling)).due_at.tzinfo is not None


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "ftp://a.example/", "https://", "https://a.example/ b", "//a.example"]
)
def test_a_link_is_an_http_address(link) -> None:
    """
    Evidence is clicked on.
    """
    assert refused(StatusReported, changed(REPORT, "evidence.url", link))


def test_a_repeated_name_in_json_cannot_smuggle_in_another_type() -> None:
    """
    Of two fields of one name the last counts, and it has to be right.
    """
    text = json.dumps(REPORT)
    assert refused(StatusReported, text[:-1] + ', "status": 5}')


def test_python_values_are_not_converted_either() -> None:
    """
    A string is no date, a naive datetime no instant, a datetime no day, a list no tuple, a string no status.
    """
    ok = {"id": "a", "title": Text(en="a", es="b", fr="c"), "made_on": date(2021, 11, 18), "sha256": "0" * 64}
    StatementRef(**ok)
    for made_on in ("2021-11-18", datetime(2021, 11, 18, tzinfo=UTC), 1637193600):
        with pytest.raises(ValidationError):
            StatementRef(**ok | {"made_on": made_on})

    event = MilestoneDue.model_validate_json(json.dumps(DUE))
    for slip in (
        {"due_at": datetime(2021, 12, 24)},  # noqa: DTZ001
        {"due_at": "2021-12-24T15:00:00Z"},
        {"due_at": date(2021, 12, 24)},
        {"merged_steps": []},
        {"status": "announced"},
        {"seq": "1"},
        {"seq": True},
        {"milestone": event.milestone.model_dump()["id"]},
    ):
        with pytest.raises(ValidationError):
            MilestoneDue(**dict(event) | slip)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "a\nb", "\x7f", "\x9f", ""])
def test_text_from_python_is_checked_too(text) -> None:
    """
    Lone surrogates and control characters don't get as far as a topic.
    """
    with pytest.raises(ValidationError):
        Text(en=text, es="b", fr="c")


def test_an_event_cannot_be_changed() -> None:
    """
    A fact is a fact.
    """
    with pytest.raises(ValidationError, match="frozen"):
        Quote(text="a", start=0, end=1).start = 2  # type: ignore[misc]


def test_a_span_is_dated_whole_or_not_at_all() -> None:
    """
    No date is half invented.
    """
    undated = {"edtf": None, "earliest": None, "latest": None, "precision": Precision.UNDATED}
    Span(**undated)
    for slip in (
        {"precision": Precision.YEAR},
        {"edtf": "2021"},
        {"earliest": date(2021, 1, 1)},
        {"latest": date(2021, 1, 1)},
    ):
        with pytest.raises(ValidationError):
            Span(**undated | slip)


def test_words_come_in_each_language() -> None:
    """
    A text answers in the language asked for, by name or by value.
    """
    text = Text(en="year", es="año", fr="année")

    assert (text.in_language("es").text, text.in_language("fr").text) == ("año", "année")


def test_every_status_has_its_word() -> None:
    """
    The words on the wire are those of the design.
    """
    assert list(Status) == ["announced", "in-progress", "at-risk", "met", "partly-met", "missed", "withdrawn"]
