"""Writes what follows from the models and topics: JSON Schemas, the AsyncAPI document, the topic cards.

`python -m contracts.generate` writes, `python -m contracts.generate --check` exits 1 and names what is stale.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema

from contracts.envelope import schema_uri
from contracts.topics import ALL, DAY_MS, DEAD_RETENTION_MS, INGEST, INTERNAL, PUBLIC, Topic

HERE = Path(__file__).parent
VERSION = "1.0.0"
"""Of the AsyncAPI document: the major part moves with a topic's version, the minor with a topic more."""

ORGANISATIONS = {
    "ca-gac": "Global Affairs Canada",
    "mx-sre": "Secretaría de Relaciones Exteriores",
    "us-dos": "Department of State",
    "ministries": "Any ministry's own systems",
}

Texts = dict[str, str]
"""What should stand in `contracts/`, by path from there."""


def generated() -> Texts:
    """Everything that is generated."""
    return schema_documents() | asyncapi_document() | topic_cards()


def stale() -> list[str]:
    """Paths whose committed text is not what the models and topics say now."""
    return sorted(path for path, text in generated().items() if _committed(HERE / path) != text)


def write() -> list[str]:
    """Bring the directory up to date, and say which files changed; the golden examples are never touched."""
    texts = generated()
    changed = stale()
    for path in changed:
        (HERE / path).parent.mkdir(parents=True, exist_ok=True)
        (HERE / path).write_text(texts[path], encoding="utf-8", newline="\n")
    return changed


# JSON Schemas


def schema_documents() -> Texts:
    """One closed JSON Schema 2020-12 for each event, under the version of its topic."""
    return {_schema_path(topic): _json(schema(topic)) for topic in _one_per_event()}


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


def golden_examples(topic: Topic) -> dict[str, dict[str, Any]]:
    """The golden records of the event on this topic, in its present version, by name."""
    prefix = f"{_event_name(topic)}.v{topic.version}."
    paths = sorted((HERE / "examples").glob(f"{prefix}*.json"))
    return {path.stem.removeprefix(prefix): json.loads(path.read_text(encoding="utf-8")) for path in paths}


class _WithoutFieldTitles(GenerateJsonSchema):
    # "Schedule Version" says nothing that `schedule_version` doesn't.
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


# AsyncAPI


def asyncapi_document() -> Texts:
    """The AsyncAPI 3 document: servers, channels, who sends and receives what, messages with examples."""
    header = "# Written by `python -m contracts.generate`; change the models and topics, not this file.\n"
    body = yaml.dump(_asyncapi(), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=120)
    return {"asyncapi.yaml": header + body}


def _asyncapi() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Pledgewire",
            "version": VERSION,
            "description": (
                "The wire service for what governments promise: commitments, what is due and when. "
                "Events are CloudEvents 1.0 in Kafka's binary mode; the rules of reading them are in README.md."
            ),
        },
        "defaultContentType": "application/json",
        "servers": _SERVERS,
        "channels": {topic.name: _channel(topic) for topic in ALL},
        "operations": {name: operation for topic in ALL for name, operation in _operations(topic)},
        "components": {
            "messages": {_event_name(topic): _message(topic) for topic in _one_per_event()},
            "messageTraits": {"cloud-event": _CLOUD_EVENT},
            "correlationIds": {
                "thread": {
                    "description": "What set off the event, such as a report; the same along its whole way.",
                    "location": "$message.header#/ce_correlationid",
                }
            },
            "securitySchemes": {
                "scram": {
                    "type": "scramSha512",
                    "description": "SASL/SCRAM over TLS; every client has a user of its own, and the broker's ACL says "
                    "which topics it may read or write.",
                }
            },
        },
    }


_SERVERS = {
    "production": {
        "host": "{brokers}",
        "protocol": "kafka-secure",
        "description": "The Kafka that KAFKA_BOOTSTRAP_SERVERS names.",
        "variables": {
            "brokers": {
                "description": "One or more bootstrap servers, host:port.",
                "default": "kafka.pledgewire.example:9093",
            }
        },
        "security": [{"$ref": "#/components/securitySchemes/scram"}],
    },
    "embedded": {
        "host": "127.0.0.1:{port}",
        "protocol": "kafka",
        "description": "The broker that the program brings along where there is none; loopback only, no credentials.",
        "variables": {"port": {"description": "A free port, shown at the start.", "default": "9092"}},
    },
}

_TEXT = {"type": "string", "maxLength": 256}
_CLOUD_EVENT = {
    "name": "cloud-event",
    "headers": {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"],
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": {
                "type": "string",
                "format": "uuid",
                "description": "Names the event; a repeat has the same, so a reader can tell.",
            },
            "ce_source": {
                "type": "string",
                "format": "uri-reference",
                "description": "The service or ministry that wrote it.",
            },
            "ce_type": {"type": "string", "description": "What it is; the last part is the major version."},
            "ce_time": {"type": "string", "format": "date-time", "description": "When it happened."},
            "ce_subject": _TEXT | {"description": "What it is about: the commitment's id, or the subscription's."},
            "ce_partitionkey": _TEXT | {"description": "The same id, which is the record's key as well."},
            "ce_dataschema": {
                "type": "string",
                "format": "uri-reference",
                "description": "The JSON Schema of the value.",
            },
            "ce_correlationid": _TEXT | {"description": "What set off the event; the same along its whole way."},
            "ce_traceparent": _TEXT | {"description": "W3C trace context."},
            "content-type": {"type": "string", "const": "application/json"},
        },
    },
}


def _channel(topic: Topic) -> dict[str, Any]:
    message = _event_name(topic)
    configuration = {"cleanup.policy": ["delete"], "retention.ms": topic.retention_ms, **topic.config}
    return {
        "address": topic.name,
        "title": topic.name,
        "description": topic.purpose,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": "0.5.0",
            }
        },
        "x-dead-letter-topic": topic.dead,
    }


def _operations(topic: Topic) -> Iterator[tuple[str, dict[str, Any]]]:
    for action, parties in (("send", topic.writers), ("receive", topic.readers)):
        for party in parties:
            yield f"{party}-{action}s-{topic.name}", _operation(topic, action, party)


def _operation(topic: Topic, action: str, party: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"{ORGANISATIONS.get(party, f'The {party}')} {action}s {topic.name}.",
        "tags": [{"name": party}],
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{_event_name(topic)}"}],
    }


def _message(topic: Topic) -> dict[str, Any]:
    return {
        "name": topic.event_type,
        "title": topic.event.__name__,
        "summary": _summary(topic),
        "contentType": "application/json",
        "correlationId": {"$ref": "#/components/correlationIds/thread"},
        "headers": {
            "type": "object",
            "properties": {
                "ce_type": {"type": "string", "const": topic.event_type},
                "ce_dataschema": {"type": "string", "const": schema_uri(topic)},
            },
        },
        "payload": {"$ref": f"./{_schema_path(topic)}"},
        "bindings": {"kafka": {"key": _key(topic), "bindingVersion": "0.5.0"}},
        "traits": [{"$ref": "#/components/messageTraits/cloud-event"}],
        "examples": [
            {"name": name, "summary": _title(record), "headers": record["headers"], "payload": record["value"]}
            for name, record in golden_examples(topic).items()
        ],
    }


def _key(topic: Topic) -> dict[str, Any]:
    return {
        "type": "string",
        "maxLength": 96,
        "description": f"{topic.key[0].upper()}{topic.key[1:]}, so that its events stay in order.",
    }


def _title(record: Mapping[str, Any]) -> str:
    value = record["value"]
    if "commitment" in value:
        return str(value["commitment"]["title"]["en"])
    return str(value.get("commitment_id") or value["subscription_id"])


class _PlainDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


# Topic cards

CARDS_BEGIN = "<!-- The cards: written by `python -m contracts.generate` from here on. -->\n"


def topic_cards() -> Texts:
    """The README: what stands above the marker is written by hand and kept, below it one card for each topic."""
    by_hand = (_committed(HERE / "README.md") or "").partition(CARDS_BEGIN)[0]
    return {"README.md": by_hand + CARDS_BEGIN + "\n" + "\n".join(_overview() + [_card(topic) for topic in ALL])}


def _overview() -> list[str]:
    rows = [
        f"| [`{t.name}`](#{t.name}) | {', '.join(t.writers)} | {', '.join(t.readers)} | {_kept(t.retention_ms)} |"
        for t in ALL
    ]
    return ["| topic | writers | readers | kept |", "|---|---|---|---|", *rows, ""]


def _card(topic: Topic) -> str:
    path = _schema_path(topic)
    name = f"{_event_name(topic)}.v{topic.version}"
    examples = ", ".join(f"[{example}](examples/{name}.{example}.json)" for example in golden_examples(topic))
    rows = {
        "event": f"`{topic.event.__name__}`, type `{topic.event_type}`",
        "writers": ", ".join(ORGANISATIONS.get(writer, writer) for writer in topic.writers),
        "readers": ", ".join(topic.readers),
        "key": topic.key,
        "partitions": str(topic.partitions),
        "kept": _kept(topic.retention_ms),
        "settings": ", ".join(f"`{name}={value}`" for name, value in topic.config.items()) or "the broker's",
        "dead letters": f"`{topic.dead}`, {_kept(DEAD_RETENTION_MS)}",
        "schema": f"[{path}]({path})",
        "examples": examples,
    }
    table = "".join(f"| {what} | {is_} |\n" for what, is_ in rows.items())
    return f"## {topic.name}\n\n{topic.purpose}\n\n| | |\n|---|---|\n{table}"


def _kept(retention_ms: int) -> str:
    return "for ever" if retention_ms < 0 else f"{retention_ms // DAY_MS} days"


# Shared by the three


def _one_per_event() -> tuple[Topic, ...]:
    # The ingest topics carry the same event.
    return (*PUBLIC, *INTERNAL, INGEST[0])


def _event_name(topic: Topic) -> str:
    return topic.event_type.split(".")[-2]


def _schema_path(topic: Topic) -> str:
    return schema_uri(topic).removeprefix("/contracts/")


def _summary(topic: Topic) -> str:
    return (topic.event.__doc__ or "").partition("\n")[0]


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _committed(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m contracts.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name what is stale")
    if parser.parse_args(arguments).check:
        paths, verb = stale(), "stale"
    else:
        paths, verb = write(), "written"
    for path in paths:
        sys.stdout.write(f"{verb}: contracts/{path}\n")
    return 1 if paths and verb == "stale" else 0


if __name__ == "__main__":
    sys.exit(main())
