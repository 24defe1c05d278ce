"""Values that a strict writer may write by a JSON Schema, drawn towards its edges."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from random import Random
from typing import Any

import jsonschema

from contracts.compatibility.json_schema import as_schema, branches, resolved
from tests.contracts.golden_records import PATHS, golden

Schema = dict[str, Any]
LARGE = 2**40
FORMATS = jsonschema.Draft202012Validator.FORMAT_CHECKER


def validator(schema: Mapping[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema, format_checker=FORMATS)


def as_written(schema: Any) -> Any:
    """The schema of a strict writer: what it doesn't declare is not written."""
    if isinstance(schema, list):
        return [as_written(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: as_written(one) for name, one in schema.items()}
    if isinstance(closed.get("properties"), dict) or isinstance(closed.get("patternProperties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def instances(schema: Schema, rng: Random, tries: int, *, strict: bool = True) -> Iterator[Any]:
    """Values that are valid by it, of that many tries; without `strict` there may be fields that it doesn't name."""
    plain = resolved(schema, schema)
    judge = validator(as_written(schema) if strict else schema)
    for _ in range(tries):
        value = _drawn(plain, rng, strict=strict)
        if judge.is_valid(value):
            yield value


def _drawn(schema: Any, rng: Random, *, strict: bool) -> Any:
    schema = rng.choice(branches(as_schema(schema)))
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema.get("type") or rng.choice(["string", "integer", "boolean", "null", "object"])
    return _DRAWERS[kind](schema, rng, strict)


def _object(schema: Schema, rng: Random, strict: bool) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    value = {
        name: _drawn(one, rng, strict=strict)
        for name, one in schema.get("properties", {}).items()
        if name in required or rng.random() < 0.8
    }
    for pattern, one in schema.get("patternProperties", {}).items():
        names = [name for name in ("en", "es", "pt-BR", "x") if re.search(pattern, name)]
        value |= {name: _drawn(one, rng, strict=strict) for name in names[: rng.randint(1, 3)]}
    if not strict and schema.get("additionalProperties", True) is True and rng.random() < 0.5:
        value["of_a_later_release"] = rng.choice([1, "word", None])
    return value


def _array(schema: Schema, rng: Random, strict: bool) -> list[Any]:
    fewest, most = schema.get("minItems", 0), schema.get("maxItems", 8)
    lengths = [fewest, min(most, fewest + 1), most if rng.random() < 0.2 else fewest]
    return [_drawn(schema.get("items", {}), rng, strict=strict) for _ in range(rng.choice(lengths))]


def _whole(schema: Schema, rng: Random, _strict: bool) -> int:
    low, high = schema.get("minimum", -LARGE), schema.get("maximum", LARGE)
    return rng.choice([low, high, min(low + 1, high)])


ODD = (
    *("a", "", "\n", "a\nb", "\a", "\u202e", "of-a-later-release", "Ab c", "AA", "9" * 64, "2031-01-01", "a" * 5000),
    *(
        "org-x",
        "org-a-b-c",
        "org-" + "a" * 99,
        "es-Latn-MX",
        "A" + "a" * 99,
        "http://a.example",
        "http://a.example/" + "a" * 2000,
    ),
)
"""What is at an edge of one rule or another, or beyond it."""


@cache
def _strings() -> tuple[str, ...]:
    """Every text that stands in a golden record."""

    def within(node: Any) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from within(child)

    found = dict.fromkeys(text for path in PATHS for text in within(golden(path)["value"]))
    return tuple(found)


@cache
def _candidates(schema: str) -> list[str]:
    told = json.loads(schema)
    edges = [told[name] for name in ("minLength", "maxLength") if name in told]
    padded = [(text * length)[:length] for length in edges for text in ("a", "é", "A", "1")]
    webs = [(start + "a" * length)[:length] for length in edges for start in ("https://a.example/", "org-")]
    return [text for text in (*padded, *webs, *ODD, *_strings()) if _fits(told, text)] or ["a"]


def _fits(schema: Schema, text: str) -> bool:
    """As the validator has it, without its trouble."""
    return (
        schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", LARGE)
        and re.search(schema.get("pattern", ""), text) is not None
        and ("format" not in schema or FORMATS.conforms(text, schema["format"]))
    )


def _string(schema: Schema, rng: Random, _strict: bool) -> str:
    found = _candidates(json.dumps({k: v for k, v in schema.items() if k not in ("description", "title", "default")}))
    return rng.choice(found[:20] if rng.random() < 0.7 else found)


_DRAWERS: dict[str, Callable[[Schema, Random, bool], Any]] = {
    "object": _object,
    "array": _array,
    "integer": _whole,
    "number": lambda schema, rng, strict: rng.choice([_whole(schema, rng, strict), 0.5]),
    "string": _string,
    "boolean": lambda _schema, rng, _strict: rng.choice([True, False]),
    "null": lambda _schema, _rng, _strict: None,
}
