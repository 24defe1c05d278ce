"""Changes of a JSON Schema such as a release might bring, each at a place that is drawn."""

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Schema = dict[str, Any]
Mutation = Callable[[Schema, Random], bool]
"""Changes a schema in place; False where it has no place for it."""

PLAIN: list[Schema] = [
    {"type": "string"},
    {"type": "string", "minLength": 1, "maxLength": 20},
    {"type": "integer"},
    {"type": "integer", "minimum": 1, "maximum": 9},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "null"},
    {"enum": ["first", "second"], "type": "string"},
    {"type": "array", "items": {"type": "boolean"}},
    {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}], "default": None},
]


def nodes(schema: Any) -> Iterator[Schema]:
    """Every schema inside of a schema, itself included."""
    if not isinstance(schema, dict):
        return
    yield schema
    for group in ("properties", "$defs", "patternProperties"):
        for one in schema.get(group, {}).values():
            yield from nodes(one)
    for one in (schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", ())):
        yield from nodes(one)


def _one(schema: Schema, rng: Random, fits: Callable[[Schema], Any]) -> Schema | None:
    found = [node for node in nodes(schema) if fits(node)]
    return rng.choice(found) if found else None


def _object(schema: Schema, rng: Random) -> Schema | None:
    return _one(schema, rng, lambda node: node.get("properties"))


def add_field(schema: Schema, rng: Random) -> bool:
    if (node := _object(schema, rng)) is None:
        return False
    name = rng.choice(["mood", "weather"])
    if name in node["properties"]:
        return False
    node["properties"][name] = copy.deepcopy(rng.choice(PLAIN))
    if rng.random() < 0.5:
        node["required"] = [*node.get("required", ()), name]
    return True


def remove_field(schema: Schema, rng: Random) -> bool:
    if (node := _object(schema, rng)) is None:
        return False
    name = rng.choice(list(node["properties"]))
    del node["properties"][name]
    node["required"] = [one for one in node.get("required", ()) if one != name]
    return True


def turn_required(schema: Schema, rng: Random) -> bool:
    if (node := _object(schema, rng)) is None:
        return False
    name = rng.choice(list(node["properties"]))
    required = node.get("required", [])
    node["required"] = [one for one in required if one != name] if name in required else [*required, name]
    return True


def widen_list(schema: Schema, rng: Random) -> bool:
    if (node := _one(schema, rng, lambda node: "enum" in node)) is None:
        return False
    node["enum"] = [*node["enum"], "another"]
    return True


def narrow_list(schema: Schema, rng: Random) -> bool:
    if (node := _one(schema, rng, lambda node: len(node.get("enum", ())) > 1)) is None:
        return False
    lost = rng.choice(node["enum"])
    node["enum"] = [word for word in node["enum"] if word != lost]
    return True


BOUNDS = {
    "integer": ("minimum", "maximum"),
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
}


def move_bound(schema: Schema, rng: Random) -> bool:
    if (node := _one(schema, rng, lambda node: node.get("type") in BOUNDS and "enum" not in node)) is None:
        return False
    floor, ceiling = BOUNDS[node["type"]]
    name = rng.choice([floor, ceiling])
    if name == floor and name not in node and {"pattern", "format"} & {*node}:
        return False  # most of these ask for a character anyway, so that nothing would change
    if name in node and rng.random() < 0.3:
        del node[name]
    elif name == floor:
        node[name] = max(0, node.get(name, 0) + rng.choice([-1, 1]))
    else:
        node[name] = max(node.get(floor, 0), node.get(name, 6) + rng.choice([-2, 2]))
    return True


def other_type(schema: Schema, rng: Random) -> bool:
    if (node := _one(schema, rng, lambda node: "type" in node and "properties" not in node)) is None:
        return False
    node.clear()
    node.update(copy.deepcopy(rng.choice(PLAIN)))
    return True


def allow_null(schema: Schema, rng: Random) -> bool:
    if (node := _one(schema, rng, lambda node: "type" in node and node is not schema)) is None:
        return False
    inside = copy.deepcopy(node)
    node.clear()
    node["anyOf"] = [inside, {"type": "null"}]
    return True


def forbid_null(schema: Schema, rng: Random) -> bool:
    if (node := _one(schema, rng, lambda node: {"type": "null"} in node.get("anyOf", ()))) is None:
        return False
    node["anyOf"] = [one for one in node["anyOf"] if one != {"type": "null"}]
    return True


def turn_open(schema: Schema, rng: Random) -> bool:
    if (node := _object(schema, rng)) is None:
        return False
    if node.pop("additionalProperties", True) is not False:
        node["additionalProperties"] = False
    return True


def nest(schema: Schema, rng: Random) -> bool:
    def is_no_map(node: Schema) -> bool:  # a map bears the new field as one key more
        return "type" in node and node is not schema and "patternProperties" not in node

    if (node := _one(schema, rng, is_no_map)) is None:
        return False
    inside = copy.deepcopy(node)
    node.clear()
    node.update({"type": "object", "properties": {"inside": inside}, "required": ["inside"]})
    return True


def drop_rule(schema: Schema, rng: Random) -> bool:
    if (node := _one(schema, rng, lambda node: "pattern" in node or "format" in node)) is None:
        return False
    del node["pattern" if "pattern" in node else "format"]
    return True


def describe(schema: Schema, rng: Random) -> bool:
    node = rng.choice(list(nodes(schema)))
    node["description"] = "Said better."
    return True


def rename_definition(schema: Schema, rng: Random) -> bool:
    if not schema.get("$defs") or "Renamed" in schema["$defs"]:
        return False
    name = rng.choice(list(schema["$defs"]))
    text = json.dumps(schema).replace(f'"#/$defs/{name}"', '"#/$defs/Renamed"').replace(f'"{name}": {{', '"Renamed": {')
    schema.clear()
    schema.update(json.loads(text))
    return True


MUTATIONS: tuple[Mutation, ...] = (
    add_field,
    remove_field,
    turn_required,
    widen_list,
    narrow_list,
    move_bound,
    other_type,
    allow_null,
    forbid_null,
    turn_open,
    nest,
    drop_rule,
    describe,
    rename_definition,
)
