"""JSON Schemas of what may stand on the topics, and how events and their files are called."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from contracts.envelope import schema_uri
from contracts.topics import INGEST, INTERNAL, PUBLIC, Topic


def schema_documents() -> dict[str, str]:
    """One closed JSON Schema 2020-12 for each event, under the version of its topic."""
    return {schema_path(topic): _json(schema(topic)) for topic in one_per_event()}


def schema(topic: Topic) -> dict[str, Any]:
    """What may stand as a value on this topic.

    We always write every field, so the schema of a topic that we write requires every field, and readers may
    rely on it. On an ingest topic others write, so its schema is what we accept: fields with a default may be
    left out.
    """
    body = topic.event.model_json_schema(
        mode="validation" if topic.is_ingest else "serialization", schema_generator=_WithoutFieldTitles
    )
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": schema_uri(topic), **body}


class _WithoutFieldTitles(GenerateJsonSchema):
    # "Schedule Version" says nothing that `schedule_version` doesn't.
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def one_per_event() -> tuple[Topic, ...]:
    """A topic for each event."""
    # The ingest topics carry the same event.
    return (*PUBLIC, *INTERNAL, INGEST[0])


def event_name(topic: Topic) -> str:
    """The event's name, as in the names of its files."""
    return topic.event_type.split(".")[-2]


def schema_path(topic: Topic) -> str:
    """Where the schema lies in `contracts/`."""
    return schema_uri(topic).removeprefix("/contracts/")


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
