"""What is committed in contracts/ is what the models and topics say, and nothing on a topic is left unsaid."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts import generate
from contracts.envelope import schema_uri, to_record
from contracts.generation.json_schemas import SINCE, event_name, schema_path
from contracts.generation.topic_cards import CARDS_BEGIN
from contracts.topics import ALL, STATUS_REJECTED, Topic, topic_named
from tests.contracts.golden_records import PATHS, golden, objects, wire

HERE = generate.HERE
topics = pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
examples = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def validator(topic: Topic) -> jsonschema.Draft202012Validator:
    schema = json.loads((HERE / schema_path(topic)).read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def test_nothing_committed_is_stale() -> None:
    """
    Schemas, AsyncAPI document and cards are what `python -m contracts.generate` would write.
    """
    assert generate.stale() == [], "run `python -m contracts.generate`"


@pytest.fixture
def copy(tmp_path, monkeypatch) -> Path:
    """A copy of contracts/ that the generator works on."""
    shutil.copytree(HERE, tmp_path / "contracts")
    monkeypatch.setattr(generate, "HERE", tmp_path / "contracts")
    return tmp_path / "contracts"


def test_the_check_names_what_is_stale_and_writing_cures_it(copy, capsys) -> None:
    """
    `--check` exits 1 and names the file; without it the file is written, and only that one.
    """
    (copy / "schemas/milestone-due.v1.json").write_text("{}")

    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out == "stale: contracts/schemas/milestone-due.v1.json\n"
    assert generate.main([]) == 0
    assert capsys.readouterr().out == "written: contracts/schemas/milestone-due.v1.json\n"
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("path", ["asyncapi.yaml", "README.md", "schemas/status-reported.v1.json"])
def test_an_edited_file_is_stale(copy, path) -> None:
    """
    A byte more is noticed.
    """
    with (copy / path).open("a") as file:
        file.write(" ")
    assert generate.stale() == [path]


@pytest.mark.parametrize("path", ["asyncapi.yaml", "schemas/status-reported.v1.json"])
def test_a_lost_file_is_stale(copy, path) -> None:
    """
    So is a file that is gone.
    """
    (copy / path).unlink()
    assert generate.stale() == [path]


def test_a_changed_example_makes_the_asyncapi_document_stale(copy) -> None:
    """
    The document shows the golden records as they are.
    """
    path = copy / "examples/status-reported.v1.canada-framework.json"
    path.write_text(path.read_text(encoding="utf-8").replace("Canada releases", "Canada released"), encoding="utf-8")
    assert generate.stale() == ["asyncapi.yaml"]


def test_what_is_written_by_hand_above_the_cards_stays(copy) -> None:
    """
    The README's introduction belongs to people.
    """
    readme = copy / "README.md"
    cards = readme.read_text(encoding="utf-8").partition(CARDS_BEGIN)[2]
    readme.write_text("# Said by hand\n\n" + CARDS_BEGIN + "old cards", encoding="utf-8")

    assert generate.generated()["README.md"] == "# Said by hand\n\n" + CARDS_BEGIN + cards


@topics
def test_every_topic_has_schema_examples_and_card(topic) -> None:
    """
    A topic without a schema, two examples and a card doesn't exist.
    """
    card = (HERE / "README.md").read_text(encoding="utf-8").partition(f"\n## {topic.name}\n")[2].partition("\n## ")[0]

    assert (HERE / schema_path(topic)).exists()
    assert len(generate.golden_examples(topic)) >= 2
    assert topic.purpose in card
    assert (topic.dead in card) == (topic is not STATUS_REJECTED), "nobody of ours puts anything of it aside"
    assert f"| partitions | {topic.partitions} |" in card
    for name in topic.readers:
        assert name in card


def test_every_link_in_the_readme_leads_somewhere() -> None:
    """
    Files that the cards name exist.
    """
    links = re.findall(r"\]\(([^)#]+)\)", (HERE / "README.md").read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (HERE / link).exists()] == []


def test_every_file_belongs_to_a_topic() -> None:
    """
    No schema and no example without a topic, in a version that it has or has had.
    """
    names = {event_name(topic): topic.version for topic in ALL}
    strays = [
        path.name
        for path in [*PATHS, *(HERE / "schemas").iterdir()]
        if not (match := re.match(r"([a-z-]+)\.v(\d+)\.", path.name))
        or not 1 <= int(match[2]) <= names.get(match[1], 0)
    ]

    assert strays == []


@examples
def test_a_golden_record_is_read_and_written_back_the_same(path) -> None:
    """
    From the wire to an event and back: the same headers, key and value, and with it what later releases have added.
    """
    record = golden(path)
    envelope, event = wire(path).read()
    back = to_record(event, envelope, topic_named(record["topic"]))

    assert record["headers"] == back.headers
    assert record["key"] == back.key
    assert record["topic"] == back.topic
    assert record["value"] == json.loads(event.model_dump_json(exclude_unset=True))
    if not topic_named(record["topic"]).is_ingest:
        schema = json.loads((HERE / schema_path(topic_named(record["topic"]))).read_text(encoding="utf-8"))
        added = {
            name for one in objects(schema) for name, field in one.items() if isinstance(field, dict) and SINCE in field
        }
        assert record["value"] == _without(added, json.loads(back.value), record["value"])


def _without(added: set[str], written: Any, before: Any) -> Any:
    """A value without the fields that were added since, where it had none before."""
    if isinstance(written, dict) and isinstance(before, dict):
        return {
            name: _without(added, value, before.get(name))
            for name, value in written.items()
            if name in before or name not in added
        }
    if isinstance(written, list) and isinstance(before, list) and len(written) == len(before):
        return [_without(added, *pair) for pair in zip(written, before, strict=True)]
    return written


@examples
def test_a_golden_value_is_valid_by_its_schema(path) -> None:
    """
    The committed schema accepts it, formats included, and one field more exactly where we are the writers.
    """
    record = golden(path)
    topic = topic_named(record["topic"])
    schema = validator(topic)

    schema.validate(record["value"])
    assert schema.is_valid(record["value"] | {"surprise": 1}) != topic.is_ingest


@examples
def test_a_golden_quote_has_the_length_that_its_position_says(path) -> None:
    """
    Position and words of a quotation agree.
    """
    quote = golden(path)["value"].get("quote")
    if quote:
        assert len(quote["text"]) == quote["end"] - quote["start"]


@topics
def test_a_schema_is_closed_for_others_alone_named_and_described(topic) -> None:
    """
    What others write has no unknown fields, what we write may have more of a later release; its id is what
    `ce_dataschema` says.
    """
    schema = validator(topic).schema
    jsonschema.Draft202012Validator.check_schema(schema)
    objects = [node for node in [schema, *schema.get("$defs", {}).values()] if node.get("type") == "object"]

    assert schema_uri(topic) == schema["$id"]
    assert {node.get("additionalProperties", True) for node in objects if "properties" in node} == {not topic.is_ingest}
    assert all(node.get("description") for node in [schema, *schema.get("$defs", {}).values()])


@topics
def test_a_schema_requires_every_field_that_is_always_written(topic) -> None:
    """
    What we write is written whole, but for what records of a release before do not have; what a ministry writes may
    leave out what has a default.
    """
    schema = validator(topic).schema
    added = {name for name, field in schema["properties"].items() if SINCE in field}
    optional = set(schema["properties"]) - set(schema["required"]) - added

    assert ({"party", "note", "evidence", "expected_version", "occurred_at"} if topic.is_ingest else set()) == optional


def test_field_docstrings_are_the_descriptions() -> None:
    """
    What the models say about a field is what a reader of the schema sees.
    """
    schema = validator(topic_named("milestone-due")).schema

    assert (
        schema["properties"]["merged_steps"]["description"]
        == "Earlier steps that were missed and are told by this one."
    )
    assert "without a gap" in schema["properties"]["seq"]["description"]
