"""The AsyncAPI document is valid, whole, and agrees with the topics and the golden records."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from contracts import generate
from contracts.generation.json_schemas import event_name
from contracts.topics import ALL, STATUS_REJECTED
from tests.contracts.golden_records import PATHS, golden

OFFICIAL = Path(__file__).parent / "asyncapi_3_0_0" / "schema.json.gz"
topics = pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return yaml.safe_load((generate.HERE / "asyncapi.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def official() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(gzip.decompress(OFFICIAL.read_bytes())))


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            elif name != "examples":
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def follow(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def merged_headers(document: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """The headers with those of the traits, as AsyncAPI merges them."""
    (trait,) = [follow(document, trait["$ref"]) for trait in message["traits"]]
    own, shared = message["headers"], trait["headers"]
    return {**shared, **own, "properties": {**shared["properties"], **own["properties"]}}


def test_the_document_is_valid_by_the_official_schema(document, official) -> None:
    """
    AsyncAPI's own JSON Schema finds no fault.
    """
    assert [f"{list(error.path)}: {error.message}" for error in official.iter_errors(document)] == []


def test_the_official_schema_would_find_a_fault(document, official) -> None:
    """
    The check isn't idle: planted slips are found.
    """
    slips = [
        {**document, "asyncapi": "2.6.0"},
        {**document, "operations": {"shout": {"action": "shout", "channel": {"$ref": "#/channels/milestone-due"}}}},
        {**document, "servers": {"production": {"host": "kafka"}}},
        {**document, "surprise": 1},
    ]

    assert [official.is_valid(slip) for slip in slips] == [False] * 4


def test_every_reference_leads_somewhere(document) -> None:
    """
    References inside the document and to the schema files resolve.
    """
    found = set(references(document))
    for reference in found:
        if reference.startswith("#/"):
            assert follow(document, reference)
        else:
            assert (generate.HERE / reference).exists()
    assert len({r for r in found if r.startswith("./schemas/")}) == len(document["components"]["messages"])


def test_the_channels_are_the_topics(document) -> None:
    """
    No topic is missing and none is invented.
    """
    assert [topic.name for topic in ALL] == [channel["address"] for channel in document["channels"].values()]


@topics
def test_a_channel_says_what_the_card_says(document, topic) -> None:
    """
    Partitions, retention and the rest are those that `pledgewire topics apply` sets.
    """
    channel = document["channels"][event_name(topic)]
    kafka = channel["bindings"]["kafka"]

    assert topic.purpose == channel["description"]
    assert topic.partitions == kafka["partitions"]
    assert topic.retention_ms == kafka["topicConfiguration"]["retention.ms"]
    settings = kafka["topicConfiguration"]
    (policy,) = settings["cleanup.policy"]  # a list, as the Kafka binding has it
    assert topic.config.items() <= (settings | {"cleanup.policy": policy}).items()
    assert channel.get("x-dead-letter-topic") == (None if topic is STATUS_REJECTED else topic.dead)


@topics
def test_every_writer_sends_and_every_reader_receives(document, topic) -> None:
    """
    The operations are the card's writers and readers, no more and no fewer.
    """
    channel = f"#/channels/{event_name(topic)}"
    operations = [one for one in document["operations"].values() if one["channel"]["$ref"] == channel]
    expected = {("send", writer) for writer in topic.writers} | {("receive", reader) for reader in topic.readers}

    assert expected == {(o["action"], o["tags"][0]["name"]) for o in operations}
    assert len(expected) == len(operations)
    for operation in operations:
        assert all(follow(document, message["$ref"]) for message in operation["messages"])


def test_production_asks_for_credentials(document) -> None:
    """
    SCRAM-SHA-512 over TLS; only the embedded broker on the loopback has none.
    """
    (scheme,) = document["servers"]["production"]["security"]

    assert document["servers"]["production"]["protocol"] == "kafka-secure"
    assert follow(document, scheme["$ref"])["type"] == "scramSha512"
    assert document["servers"]["embedded"]["host"].startswith("127.0.0.1:")


def test_every_message_shows_the_golden_examples(document) -> None:
    """
    At least two each, with headers that the header schema accepts, and all of the golden records are shown.
    """
    shown = []
    for message in document["components"]["messages"].values():
        headers = jsonschema.Draft7Validator(
            merged_headers(document, message), format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
        )
        assert len(message["examples"]) >= 2
        for example in message["examples"]:
            headers.validate(example["headers"])
            shown.append(example["headers"]["ce_id"])

    assert sorted(golden(path)["headers"]["ce_id"] for path in PATHS) == sorted(shown)


def test_headers_of_another_event_are_refused(document) -> None:
    """
    The header schema of a message tells its type from the others'.
    """
    messages = document["components"]["messages"]
    headers = jsonschema.Draft7Validator(merged_headers(document, messages["milestone-due"]))

    assert not headers.is_valid(messages["status-changed"]["examples"][0]["headers"])


def test_the_correlation_id_is_a_header_of_every_message(document) -> None:
    """
    The location that the document names is a header that it describes.
    """
    location = document["components"]["correlationIds"]["thread"]["location"]
    name = location.removeprefix("$message.header#/")

    for message in document["components"]["messages"].values():
        assert message["correlationId"] == {"$ref": "#/components/correlationIds/thread"}
        assert name in merged_headers(document, message)["properties"]
