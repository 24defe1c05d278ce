"""The AsyncAPI 3 document: servers, channels, who sends and receives what, messages with examples."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from contracts.envelope import schema_uri
from contracts.generation.json_schemas import ending_in_words, event_name, one_per_event, schema_path
from contracts.topics import ALL, STATUS_REJECTED, Topic

VERSION = "1.1.0"
"""Of the document: the major part moves with a topic's version, the minor with a topic more."""

ORGANISATIONS = {"ministries": "Any ministry's own systems"}

PARAMETERS = {"ministry": "The ministry's code.", "service": "The service that writes it, and nobody else."}

Examples = Callable[[Topic], Mapping[str, Mapping[str, Any]]]
"""Gives the golden records of a topic's event, by name."""


def asyncapi_document(examples: Examples) -> dict[str, str]:
    """The document's text, by its path in `contracts/`."""
    header = "# Written by `python -m contracts.generate`; change the models and topics, not this file.\n"
    body = yaml.dump(_asyncapi(examples), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=120)
    return {"asyncapi.yaml": header + body}


def _asyncapi(examples: Examples) -> dict[str, Any]:
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
        "channels": {_channel_name(topic): _channel(topic) for topic in ALL},
        "operations": {name: operation for topic in ALL for name, operation in _operations(topic)},
        "components": {
            "messages": {_channel_name(topic): _message(topic, examples(topic)) for topic in one_per_event()},
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
                    "description": "SASL/SCRAM; every client has a user of its own, and the broker's ACL says "
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
        "description": "The broker that the program brings along where there is none; loopback only, without TLS.",
        "variables": {"port": {"description": "A free port, shown at the start.", "default": "9092"}},
        "security": [{"$ref": "#/components/securitySchemes/scram"}],
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
                "format": "uri",
                "description": "The JSON Schema of the value; the registry serves it under the same path.",
            },
            "ce_correlationid": _TEXT | {"description": "What set off the event; the same along its whole way."},
            "ce_traceparent": _TEXT | {"description": "W3C trace context."},
            "content-type": {"type": "string", "const": "application/json"},
        },
    },
}


def _channel_name(topic: Topic) -> str:
    """How channel and message are called: as the event, and from its second major version on with the version."""
    return event_name(topic) if topic.version == 1 else f"{event_name(topic)}-v{topic.version}"


def _channel(topic: Topic) -> dict[str, Any]:
    message = _channel_name(topic)
    policy = ["compact" if topic.is_compacted else "delete"]
    configuration = {"retention.ms": topic.retention_ms, **topic.config, "cleanup.policy": policy}
    return {
        "address": topic.name,
        "title": topic.name,
        "description": topic.purpose + ending_in_words(topic),
        **({"parameters": parameters} if (parameters := _parameters(topic)) else {}),
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": "0.5.0",
            }
        },
        **({} if topic is STATUS_REJECTED else {"x-dead-letter-topic": topic.dead}),
        **_ending(topic),
    }


def _ending(topic: Topic) -> dict[str, Any]:
    """AsyncAPI 3.0 has no word for a channel that ends: a tag names it, and extensions say when."""
    if topic.superseded is None:
        return {}
    return {
        "tags": [{"name": "deprecated", "description": f"Written until {topic.superseded.sunset}."}],
        "x-sunset": topic.superseded.sunset.isoformat(),
        "x-superseded-by": topic.superseded.by,
    }


def _parameters(topic: Topic) -> dict[str, Any]:
    """What stands in braces in a name that several topics share."""
    return {name: {"description": is_} for name, is_ in PARAMETERS.items() if f"{{{name}}}" in topic.name}


def _operations(topic: Topic) -> Iterator[tuple[str, dict[str, Any]]]:
    for action, parties in (("send", topic.writers), ("receive", topic.readers)):
        for party in parties:
            yield f"{party}-{action}s-{_channel_name(topic)}", _operation(topic, action, party)


def _operation(topic: Topic, action: str, party: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{_channel_name(topic)}"},
        "summary": f"{ORGANISATIONS.get(party, f'The {party}')} {action}s {_channel_name(topic)}.",
        "tags": [{"name": party}],
        "messages": [{"$ref": f"#/channels/{_channel_name(topic)}/messages/{_channel_name(topic)}"}],
    }


def _message(topic: Topic, examples: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
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
        "payload": {"$ref": f"./{schema_path(topic)}"},
        "bindings": {"kafka": {"key": _key(topic), "bindingVersion": "0.5.0"}},
        "traits": [{"$ref": "#/components/messageTraits/cloud-event"}],
        "examples": [
            {"name": name, "summary": _title(record), "headers": record["headers"], "payload": record["value"]}
            for name, record in examples.items()
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
    named = ("commitment_id", "subscription_id", "service", "key_id", "detail")
    return str(next(value[name] for name in named if value.get(name)))


class _PlainDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _summary(topic: Topic) -> str:
    return (topic.event.__doc__ or "").partition("\n")[0]
