"""Within a major version a reader bears what a later release writes; what comes from outside is read strictly."""

import copy
import json
from typing import Any

import jsonschema
import pytest

from contracts import generate
from contracts.envelope import UnreadableRecord
from contracts.generation.json_schemas import schema_path
from contracts.topics import topic_named
from contracts.vocabulary import Status
from tests.contracts.golden_records import NEW, PATHS, Wire, golden, is_text, objects, open_places, wire

OURS = [path for path in PATHS if not topic_named(golden(path)["topic"]).is_ingest]
OTHERS = [path for path in PATHS if path not in OURS]


def later(path: Any, value: dict[str, Any]) -> Wire:
    record = wire(path)
    return Wire(record.topic, record.key, record.headers, json.dumps(value).encode())


def is_valid(record: Wire) -> bool:
    schema = json.loads((generate.HERE / schema_path(record.topic)).read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema).is_valid(json.loads(record.value or b""))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_a_field_of_a_later_release_is_left_out_at_every_depth(path) -> None:
    """
    The event is the one that it would be without it; the published schema of today says so too.
    """
    value = golden(path)["value"]
    more = copy.deepcopy(value)
    for node in list(objects(more)):
        if not is_text(node):
            node["of_a_later_release"] = {"anything": [1, None]}

    assert later(path, more).read() == wire(path).read()
    assert is_valid(later(path, more))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_a_word_of_a_later_release_is_kept_as_it_is(path) -> None:
    """
    Wherever a list is open: the event is read, and written back with that word.
    """
    count = len(open_places(golden(path)["value"]))
    assert count or path.stem.startswith(("ladder-chosen", "audit-head", "api-key-changed"))
    for i in range(count):
        value = golden(path)["value"]
        node, name = open_places(value)[i]
        node[name] = NEW
        _, event = later(path, value).read()

        assert json.loads(event.model_dump_json(exclude_unset=True)) == value, name
        assert is_valid(later(path, value)), name


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_what_others_write_is_read_strictly(path) -> None:
    """
    A field or a word that we don't know is refused, by the reader and by the schema.
    """
    value = golden(path)["value"]
    for slip in ({"of_a_later_release": 1}, {"status": NEW}):
        record = later(path, value | slip)
        with pytest.raises(UnreadableRecord):
            record.read()
        assert not is_valid(record)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_who_writes_is_refused_a_word_that_is_not_in_the_list(path) -> None:
    """
    Tolerance is for reading: a slip of ours is seen when it is written.
    """
    for i in range(len(open_places(golden(path)["value"]))):
        value = golden(path)["value"]
        node, name = open_places(value)[i]
        node[name] = NEW
        with pytest.raises(ValueError, match=r"validation error"):
            topic_named(golden(path)["topic"]).event.model_validate_json(json.dumps(value))


def test_a_word_that_nobody_could_have_added_is_no_word() -> None:
    """
    An open list holds words, not sentences.
    """
    path = next(path for path in OURS if path.stem.startswith("status-changed"))
    for said in ("Met", "met ", "", "a" * 65, "met\n", "é", 1, None, ["met"]):
        with pytest.raises(UnreadableRecord):
            later(path, golden(path)["value"] | {"status": said}).read()


def test_a_word_of_a_row_is_kept_as_it_is_too() -> None:
    """
    Where a column holds it, and no JSON: a known word is the list's own, an unknown one is itself, no word is refused.
    """
    assert Status.as_kept("met") is Status.MET
    later_status = Status.as_kept(NEW)
    assert (later_status, str(later_status), later_status.is_known) == (NEW, NEW, False)
    assert later_status == Status.as_kept(NEW)
    assert later_status not in {*Status}
    for said in ("Met", "met ", "", "a" * 65, "met\n"):
        with pytest.raises(ValueError, match="no word"):
            Status.as_kept(said)
