"""JSON Schemas of what may stand on the topics, and how events and their files are called."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from contracts.envelope import CONTRACTS, schema_uri
from contracts.topics import ALL, BY_NAME, Topic

SINCE = "x-since"
"""Marks a field that was added within the version, with the release that has it first, in `json_schema_extra`."""


def schema_documents() -> dict[str, str]:
    """One JSON Schema 2020-12 for each event, under the version of its topic."""
    return {schema_path(topic): _json(schema(topic)) for topic in one_per_event()}


def schema(topic: Topic) -> dict[str, Any]:
    """What may stand as a value on this topic.

    We always write every field, so the schema of a topic that we write requires every field, and readers may
    rely on it; they bear fields and words of a later release, so it is open. A field that a later release has added is
    marked with `SINCE`, and is not required: in records of before, which the topic keeps, it is not there. On an ingest
    topic others write, so its schema is what we accept: fields with a default may be left out, and what we don't know
    is refused.
    """
    body: dict[str, Any] = topic.event.model_json_schema(
        mode="validation" if topic.is_ingest else "serialization", schema_generator=_WithoutFieldTitles
    )
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": schema_uri(topic),
        **ending(topic),
        **(body if topic.is_ingest else _open(body)),
    }


def ending(topic: Topic) -> dict[str, Any]:
    """What a schema says of a major version that has an end."""
    if topic.superseded is None:
        return {}
    return {
        "deprecated": True,
        "x-sunset": topic.superseded.sunset.isoformat(),
        "x-superseded-by": schema_uri(BY_NAME[topic.superseded.by]),
    }


def ending_in_words(topic: Topic) -> str:
    """The same for people, behind another sentence."""
    if topic.superseded is None:
        return ""
    return f" It is written until {topic.superseded.sunset}; {topic.superseded.by} takes its place."


def _open(schema: Any) -> Any:
    """The schema of one that may meet more fields than it knows."""
    if isinstance(schema, dict):
        is_closed = schema.get("type") == "object" and schema.get("additionalProperties") is False
        opened = {k: _open(v) for k, v in schema.items() if not (is_closed and k == "additionalProperties")}
        if "required" in opened and "properties" in opened:
            fields = opened["properties"]
            opened["required"] = [name for name in opened["required"] if SINCE not in fields[name]]
        return opened
    return [_open(one) for one in schema] if isinstance(schema, list) else schema


class _WithoutFieldTitles(GenerateJsonSchema):
    # "Schedule Version" says nothing that `schedule_version` doesn't.
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def one_per_event() -> tuple[Topic, ...]:
    """A topic for each event."""
    return ALL


def event_name(topic: Topic) -> str:
    """The event's name, as in the names of its files."""
    return topic.event_type.split(".")[-2]


def schema_path(topic: Topic) -> str:
    """Where the schema lies in `contracts/`."""
    return schema_uri(topic).removeprefix(f"{CONTRACTS}/")


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
