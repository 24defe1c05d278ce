"""A JSON Schema as it is compared: without references, each alternative of one type."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

ANNOTATIONS = {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default"} | {
    *("deprecated", "x-sunset", "x-superseded-by"),
}
"""What says nothing of which values there may be."""
NOTHING: Schema = {"not": {}}
"""The schema of no value."""


def as_schema(schema: Any) -> Schema:
    """`true` and `false` as schemas (JSON Schema 2020-12, 4.3.2)."""
    if isinstance(schema, bool):
        return {} if schema else NOTHING
    found: Schema = schema
    return found


def resolved(schema: Any, root: Schema, inside: tuple[str, ...] = ()) -> Any:
    """The schema with what its references name in their place.

    Raises `ValueError` for one that stands in itself, or in another document.
    """
    if isinstance(schema, list):
        return [resolved(one, root, inside) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if isinstance(name := schema.get("$ref"), str):
        if name in inside or not name.startswith("#/"):
            raise ValueError(f"{name} is the schema that it stands in, or in another document")
        target: Any = root
        for part in name.removeprefix("#/").split("/"):
            target = target[part]
        beside = {k: v for k, v in schema.items() if k != "$ref"}
        return {**resolved(target, root, (*inside, name)), **resolved(beside, root, inside)}
    return {k: resolved(v, root, inside) for k, v in schema.items() if k != "$defs"}


def branches(schema: Schema) -> list[Schema]:
    """The alternatives that a value has, each of one type where types are named."""
    if "anyOf" in schema:
        beside = {k: v for k, v in schema.items() if k != "anyOf" and k not in ANNOTATIONS}
        return [branch for one in schema["anyOf"] for branch in branches(_both(beside, as_schema(one)))]
    if isinstance(types := schema.get("type"), list):
        return [{**schema, "type": one} for one in types]
    return [schema]


def _both(one: Schema, other: Schema) -> Schema:
    """A schema of what both allow; what they say twice is kept as it is, and not looked into."""
    return {"allOf": [one, other]} if {*one} & {*other} else {**one, **other}


def kind(schema: Schema) -> str:
    """What an alternative is, in a word or a few."""
    named = str(schema.get("type", "anything"))
    return f"one of a list ({named})" if values(schema) is not None else named


def values(schema: Schema) -> list[Any] | None:
    """What a list allows; None where there is no list."""
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None
