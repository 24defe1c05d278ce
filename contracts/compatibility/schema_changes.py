"""What differs between two JSON Schemas of one value, and whom it breaks. Pure.

A writer is strict: it writes what its schema declares and nothing else. A reader is as its schema has it: an open one
bears fields that it doesn't know. So a change breaks readers where a writer by the new schema may write what the old
schema refuses, and it breaks writers where one by the old schema may have written what the new schema refuses; what was
written before and is kept counts as the latter. What isn't understood is taken as breaking.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from contracts.compatibility.json_schema import (
    ANNOTATIONS,
    NOTHING,
    Schema,
    as_schema,
    branches,
    kind,
    resolved,
    values,
)
from contracts.compatibility.plain_values import (
    CEILINGS,
    FLOORS,
    RULES,
    Change,
    compare_bounds,
    compare_types,
    compare_values,
)

_STRUCTURE = {"type", "enum", "const", "properties", "required", "additionalProperties", "patternProperties", "items"}
_UNDERSTOOD = ANNOTATIONS | {*FLOORS, *CEILINGS, *RULES} | _STRUCTURE


def changes(old: Schema, new: Schema) -> list[Change]:
    """Every difference that matters to somebody, in the order of the schema; words for people are no difference.

    Raises `ValueError` for a schema that contains itself, or refers to another document.
    """
    return _compare(resolved(old, old), resolved(new, new), "")


def _compare(old: Schema, new: Schema, place: str) -> list[Change]:
    if old == new:
        return []
    olds, news = branches(old), branches(new)
    if len(olds) == len(news) == 1:
        return _compare_plain(olds[0], news[0], place)
    return _compare_branches(olds, news, place)


def _compare_branches(olds: Sequence[Schema], news: Sequence[Schema], place: str) -> list[Change]:
    """The alternatives, like with like; one that another of the other side covers breaks nobody."""
    found: list[Change] = []
    for old, new in _paired(olds, news):
        old_is_covered = old is None or not all(_sides(_compare_plain(old, one, place))[1] for one in news)
        new_is_covered = new is None or not all(_sides(_compare_plain(one, new, place))[0] for one in olds)
        if old is not None and new is not None:
            found += (
                replace(
                    c,
                    breaks_readers=c.breaks_readers and not new_is_covered,
                    breaks_writers=c.breaks_writers and not old_is_covered,
                )
                for c in _compare_plain(old, new, place)
            )
        elif new is not None:
            found.append(Change(place, f"may be {kind(new)} too", breaks_readers=not new_is_covered))
        elif old is not None:
            found.append(Change(place, f"may not be {kind(old)} any more", breaks_writers=not old_is_covered))
    return found


def _paired(olds: Sequence[Schema], news: Sequence[Schema]) -> Iterator[tuple[Schema | None, Schema | None]]:
    for name in dict.fromkeys(kind(one) for one in (*olds, *news)):
        alike = ([one for one in side if kind(one) == name] for side in (olds, news))
        yield from zip_longest(*alike, fillvalue=None)


def _compare_plain(old: Schema, new: Schema, place: str) -> list[Change]:
    if old == new:
        return []
    found = compare_types(old, new, place)
    if any(c.breaks_readers and c.breaks_writers for c in found):
        return found
    if values(old) is not None or values(new) is not None:
        return found + compare_values(old, new, place)
    found += compare_bounds(old, new, place)
    if {"properties", "required", "additionalProperties", "patternProperties"} & {*old, *new}:
        found += _compare_objects(old, new, place)
    if "items" in old or "items" in new:
        found += _compare(as_schema(old.get("items", True)), as_schema(new.get("items", True)), f"{place}[]")
    for name in sorted({*old, *new} - _UNDERSTOOD):
        if not name.startswith("x-") and old.get(name) != new.get(name):
            found.append(Change(place, f"`{name}` changed, which is not looked into", True, True))
    return found


def _compare_objects(old: Schema, new: Schema, place: str) -> list[Change]:
    found: list[Change] = []
    declared = {**old.get("properties", {}), **new.get("properties", {})}
    named = dict.fromkeys((*declared, *old.get("required", ()), *new.get("required", ())))
    for name in named:
        found += _compare_field(old, new, name, f"{place}.{name}".lstrip("."))
    was, becomes = (as_schema(one.get("additionalProperties", True)) for one in (old, new))
    where = f"{place}.*".lstrip(".")
    if was != becomes and NOTHING in (was, becomes):
        what = "unknown fields are refused now" if becomes == NOTHING else "unknown fields may be there now"
        found.append(Change(place, what, breaks_readers=was == NOTHING, breaks_writers=becomes == NOTHING))
    else:
        found += _compare(was, becomes, where)
    olds, news = old.get("patternProperties", {}), new.get("patternProperties", {})
    for pattern in dict.fromkeys((*olds, *news)):
        inside = _compare(as_schema(olds.get(pattern, was)), as_schema(news.get(pattern, becomes)), where)
        if pattern in olds and pattern in news:
            found += inside
        else:
            what = "no longer apart from others" if pattern in olds else "apart from others now"
            found.append(Change(where, f"fields with names like {pattern} are {what}", *_sides(inside)))
    return found


def _sides(found: Sequence[Change]) -> tuple[bool, bool]:
    """Whether anything of it breaks readers, and whether anything breaks writers."""
    return any(one.breaks_readers for one in found), any(one.breaks_writers for one in found)


def _compare_field(old: Schema, new: Schema, name: str, place: str) -> list[Change]:
    was, becomes = _declared(old, name), _declared(new, name)
    was_required, is_required = name in old.get("required", ()), name in new.get("required", ())
    if was is None and becomes is not None:
        refused, _ = _sides(_compare(_undeclared(old, name), becomes, place))
        return [Change(place, f"{'required ' if is_required else ''}field added", refused, is_required)]
    if was is not None and becomes is None:
        _, refused = _sides(_compare(was, _undeclared(new, name), place))
        return [Change(place, "field removed", was_required, refused)]
    found = _compare(was or {}, becomes or {}, place)
    if was_required != is_required:
        what = "required now" if is_required else "may be left out now"
        found.append(Change(place, what, breaks_readers=was_required, breaks_writers=is_required))
    elif was is not None and becomes is not None and not is_required and _default(was) != _default(becomes):
        what = f"default {_default(was)} → {_default(becomes)}: what is left out means something else"
        found.append(Change(place, what, True, True))
    return found


def _declared(schema: Schema, name: str) -> Schema | None:
    if name in (properties := schema.get("properties", {})):
        return as_schema(properties[name])
    return {} if name in schema.get("required", ()) else None


def _undeclared(schema: Schema, name: str) -> Schema:
    """What a field may hold that the schema doesn't name."""
    for pattern, held in schema.get("patternProperties", {}).items():
        if re.search(pattern, name):
            return as_schema(held)
    return as_schema(schema.get("additionalProperties", True))


def _default(schema: Schema) -> str:
    return json.dumps(schema["default"], ensure_ascii=False) if "default" in schema else "none"
