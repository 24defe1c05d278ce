"""What differs between two schemas of one type, beside what is inside of objects and lists."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from contracts.compatibility.json_schema import ANNOTATIONS, Schema, values


@dataclass(frozen=True)
class Change:
    """One difference: at which place, such as `commitment.parties[]`, what it is, and whom it breaks."""

    place: str
    what: str
    breaks_readers: bool = False
    breaks_writers: bool = False


FLOORS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
CEILINGS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
RULES = ("pattern", "format")


def compare_types(old: Schema, new: Schema, place: str) -> list[Change]:
    """Of which type a value is."""
    was, becomes = old.get("type"), new.get("type")
    if was == becomes:
        return []
    return [
        Change(
            place,
            f"type {was or 'anything'} → {becomes or 'anything'}",
            breaks_readers=was is not None and (becomes, was) != ("integer", "number"),
            breaks_writers=becomes is not None and (was, becomes) != ("integer", "number"),
        )
    ]


def compare_values(old: Schema, new: Schema, place: str) -> list[Change]:
    """Which values a list has, where there is one on either side."""
    olds, news = values(old), values(new)
    gained = [v for v in news or () if not accepts(old, v)]
    lost = [v for v in olds or () if not accepts(new, v)]
    if olds is not None and news is not None:
        found = [Change(place, f"the list gains {_said(gained)}", breaks_readers=True)] if gained else []
        return found + ([Change(place, f"the list loses {_said(lost)}", breaks_writers=True)] if lost else [])
    if news is not None:
        return [Change(place, f"only one of a list now: {_said(news)}", bool(gained), True)]
    return [Change(place, f"no longer one of a list: {_said(olds or [])}", True, bool(lost))]


def _said(values: Sequence[Any]) -> str:
    return ", ".join(json.dumps(value, ensure_ascii=False) for value in values)


_IS_OF_TYPE = {
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
}


def accepts(schema: Schema, value: Any) -> bool:
    """Whether a plain value is surely allowed."""
    if (kind := schema.get("type")) is not None and not _IS_OF_TYPE.get(kind, lambda _: False)(value):
        return False
    if (listed := values(schema)) is not None and json.dumps(value) not in [json.dumps(one) for one in listed]:
        return False
    if {*schema} - ANNOTATIONS - {"type", "enum", "const", "pattern", *FLOORS, *CEILINGS}:
        return False
    if isinstance(value, str):
        fits: bool = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", inf)
        return fits and re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, int | float) and not isinstance(value, bool):
        inside: bool = schema.get("minimum", -inf) <= value <= schema.get("maximum", inf)
        apart: bool = schema.get("exclusiveMinimum", -inf) < value < schema.get("exclusiveMaximum", inf)
        return inside and apart
    return True


def compare_bounds(old: Schema, new: Schema, place: str) -> list[Change]:
    """How large, how long, how many, and by which pattern or format."""
    found = []
    for name in (*FLOORS, *CEILINGS):
        lowest = 0 if name.startswith("min") and name != "minimum" else -inf
        free = lowest if name in FLOORS else inf
        was, becomes = old.get(name, free), new.get(name, free)
        if was != becomes:
            allows_more = becomes < was if name in FLOORS else becomes > was
            found.append(Change(place, f"{name} {_bound(was)} → {_bound(becomes)}", allows_more, not allows_more))
    for name in RULES:
        if old.get(name) != new.get(name):
            what = f"{name} {old.get(name, 'none')} → {new.get(name, 'none')}"
            found.append(Change(place, what, breaks_readers=name in old, breaks_writers=name in new))
    return found


def _bound(bound: float) -> str:
    return "none" if abs(bound) == inf else str(bound)
