"""Whom a change of the contracts breaks; the verdicts on schemas are checked against real validation."""

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

import jsoncompat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import generate
from contracts.compatibility.findings import Compatibility, ContractSet, findings
from contracts.compatibility.json_schema import resolved
from contracts.compatibility.schema_changes import changes
from contracts.releases import contracts_in
from tests.contracts.schema_instances import Schema, as_written, instances, validator
from tests.contracts.schema_mutations import MUTATIONS, Mutation, turn_open

NOW = contracts_in(generate.HERE)
OURS, OTHERS = "status-changed.v1.json", "status-reported.v1.json"
FINE, READERS, WRITERS, BOTH = (False, False), (True, False), (False, True), (True, True)
"""Whom a change breaks: those who read by the old schema, those who wrote by it."""


def breaks(old: Schema, new: Schema) -> tuple[bool, bool]:
    found = changes(old, new)
    return any(one.breaks_readers for one in found), any(one.breaks_writers for one in found)


def describe(schema: Schema) -> None:
    schema["description"] = schema["properties"]["note"]["description"] = "Said better."


def reorder(schema: Schema) -> None:
    schema["properties"] = dict(reversed(schema["properties"].items()))
    schema["required"].reverse()


def rename_definition(schema: Schema) -> None:
    text = json.dumps(schema).replace("#/$defs/Status", "#/$defs/Standing").replace('"Status": {', '"Standing": {')
    schema.clear()
    schema.update(json.loads(text))


def add_optional(schema: Schema) -> None:
    schema["properties"]["mood"] = {"type": "string"}


def add_required(schema: Schema) -> None:
    add_optional(schema)
    schema["required"].append("mood")


def drop_field(schema: Schema) -> None:
    del schema["properties"]["note"]
    schema["required"] = [name for name in schema["required"] if name != "note"]


def require_less(schema: Schema) -> None:
    schema["required"].remove("status")


def change_type(schema: Schema) -> None:
    schema["properties"]["status"] = {"type": "integer"}


def allow_null(schema: Schema) -> None:
    schema["properties"]["status"] = {"anyOf": [schema["properties"]["status"], {"type": "null"}]}


def statuses(schema: Schema) -> list[str]:
    """The list of them, which a schema that needs it once has in its place."""
    words: list[str] = schema["$defs"].get("Status", schema["properties"]["status"])["enum"]
    return words


def widen_list(schema: Schema) -> None:
    statuses(schema).append("delayed")


def narrow_list(schema: Schema) -> None:
    statuses(schema).remove("withdrawn")


def raise_bound(schema: Schema) -> None:
    schema["properties"]["note"]["anyOf"][0]["maxLength"] = 8000


def lower_bound(schema: Schema) -> None:
    schema["properties"]["note"]["anyOf"][0]["maxLength"] = 200


def another_default(schema: Schema) -> None:
    schema["properties"]["party"]["default"] = "CA"


NAMED: list[tuple[str, Callable[[Schema], None], tuple[bool, bool]]] = [
    (OURS, describe, FINE),
    (OURS, reorder, FINE),
    (OURS, rename_definition, FINE),
    (OURS, add_optional, FINE),
    (OURS, add_required, WRITERS),
    (OURS, drop_field, READERS),
    (OURS, require_less, READERS),
    (OURS, change_type, BOTH),
    (OURS, allow_null, READERS),
    (OURS, widen_list, FINE),
    (OURS, narrow_list, FINE),
    (OURS, raise_bound, READERS),
    (OURS, lower_bound, WRITERS),
    (OURS, another_default, FINE),  # it is always written
    (OTHERS, describe, FINE),
    (OTHERS, add_optional, READERS),
    (OTHERS, add_required, BOTH),
    (OTHERS, drop_field, WRITERS),
    (OTHERS, require_less, READERS),
    (OTHERS, change_type, BOTH),
    (OTHERS, allow_null, READERS),
    (OTHERS, widen_list, READERS),
    (OTHERS, narrow_list, WRITERS),
    (OTHERS, raise_bound, READERS),
    (OTHERS, lower_bound, WRITERS),
    (OTHERS, another_default, BOTH),
]


@pytest.mark.parametrize(("name", "change", "broken"), NAMED, ids=lambda part: getattr(part, "__name__", None))
def test_a_change_breaks_whom_it_breaks(name: str, change: Callable[[Schema], None], broken: tuple[bool, bool]) -> None:
    """
    By our reckoning, and where it is no matter of defaults by jsoncompat's, which shares no code with ours.
    """
    old: Schema = copy.deepcopy(dict(NOW.schemas[name]))
    new = copy.deepcopy(old)
    change(new)

    assert breaks(old, new) == broken
    if change is not another_default:
        assert (not readable(as_written(new), old), not readable(as_written(old), new)) == broken


def readable(written: Schema, reader: Schema) -> bool:
    """Whether whatever the one schema allows, the other does too."""
    # jsoncompat takes `$id` for a base that it would have to fetch.
    one, other = (json.dumps({k: v for k, v in schema.items() if k != "$id"}) for schema in (written, reader))
    return jsoncompat.check_compat(one, other, "deserializer")


def mutated(name: str, chosen: list[Mutation], seed: int) -> Schema:
    schema: Schema = copy.deepcopy(dict(NOW.schemas[name]))
    rng = Random(seed)
    for mutate in chosen:
        mutate(schema, rng)
    return schema


names = st.sampled_from(sorted(NOW.schemas))
some = st.lists(st.sampled_from(MUTATIONS), max_size=4)
seeds = st.integers(0, 2**32)


@given(names, some, some, seeds, seeds)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_what_is_called_compatible_refuses_nothing(
    name: str, first: list[Mutation], then: list[Mutation], seed: int, other: int
) -> None:
    """
    No value that a writer by the new schema writes is refused by a reader of the old one, where readers are said to be
    safe; nor one of an old writer by a new reader, where writers are.
    """
    old = mutated(name, first, seed)
    new = mutated(name, [*first, *then], seed)
    breaks_readers, breaks_writers = breaks(old, new)
    rng = Random(other)

    for written, reader, is_broken in ((new, old, breaks_readers), (old, new, breaks_writers)):
        if not is_broken:
            judge = validator(reader)
            for value in instances(written, rng, 6):
                assert judge.is_valid(value), (changes(old, new), value)


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
def test_what_is_called_breaking_has_a_value_that_shows_it(mutate: Mutation) -> None:
    """
    One change at a time: who is said to be broken has something to show for it.
    """
    shown = 0
    for seed in range(8):
        for name in (OURS, OTHERS, "milestone-scheduled.v1.json"):
            old, new = mutated(name, [], seed), mutated(name, [mutate], seed)
            if old == new or any("default" in one.what for one in changes(old, new)):
                continue
            breaks_readers, breaks_writers = breaks(old, new)
            for written, reader, is_broken in ((new, old, breaks_readers), (old, new, breaks_writers)):
                if is_broken:
                    values = instances(written, Random(seed), 600, strict=mutate is not turn_open)
                    judge = validator(reader)
                    assert any(not judge.is_valid(value) for value in values), (name, seed, changes(old, new))
                    shown += 1
    assert shown or mutate.__name__ in ("describe", "rename_definition"), "no change of this kind was ever breaking"


@pytest.mark.parametrize("name", sorted(NOW.schemas))
def test_values_are_drawn_for_every_schema(name: str) -> None:
    """
    The property above is not empty: most of what is drawn is valid.
    """
    assert len(list(instances(dict(NOW.schemas[name]), Random(1), 20))) >= 10


def test_what_is_not_understood_is_taken_as_breaking() -> None:
    """
    A keyword that the comparison doesn't know, two of one keyword, a schema that stands in itself.
    """
    plain = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert breaks(plain, {**plain, "dependentRequired": {"a": ["b"]}}) == BOTH
    assert breaks({"allOf": [{"type": "string"}]}, {"allOf": [{"type": "integer"}]}) == BOTH
    circle = {"$ref": "#/$defs/A", "$defs": {"A": {"items": {"$ref": "#/$defs/A"}}}}
    with pytest.raises(ValueError, match="the schema that it stands in"):
        resolved(circle, circle)


def changed(*, schemas: dict[str, Any] | None = None, **on_card: Any) -> ContractSet:
    """Today's contracts with other schemas, or with another card of `status-changed`."""
    cards = {**NOW.cards, "status-changed": {**NOW.cards["status-changed"], **on_card}}
    return ContractSet(NOW.schemas if schemas is None else schemas, cards)


DAY = 86_400_000
CARDS: list[tuple[dict[str, Any], str, tuple[bool, bool]]] = [
    ({"retention_ms": 30 * DAY}, "retention shortened", READERS),
    ({"partitions": 12}, "partitions raised", READERS),
    ({"partitions": 3}, "partitions lowered", BOTH),
    ({"key": "the statement's id"}, "key changed", BOTH),
    ({"type": "org.pledgewire.status-changed.v2"}, "in place of", BOTH),
    ({"readers": ["scheduler", "notifier", "portal"]}, "no more among the readers", READERS),
    ({"readers": [*NOW.cards["status-changed"]["readers"], "archive"]}, "among the readers now", FINE),
    ({"writers": []}, "no more among the writers", WRITERS),
    ({"dead_letters": "elsewhere"}, "dead letters", READERS),
    ({"purpose": "Said better."}, "", FINE),
]


@pytest.mark.parametrize(("on_card", "said", "broken"), CARDS, ids=[said or "purpose" for _, said, _ in CARDS])
def test_a_card_is_a_promise_too(on_card: dict[str, Any], said: str, broken: tuple[bool, bool]) -> None:
    """
    Each difference is found once, with its reason and whom it breaks.
    """
    found = findings(NOW, changed(**on_card))

    assert [one.place for one in found] == (["topic status-changed"] if said else [])
    assert all(said in one.what for one in found)
    assert [(one.readers, one.writers) for one in found] == ([verdicts(broken)] if said else [])


SETTINGS = [
    ({"cleanup.policy": "compact"}, BOTH),
    ({"max.message.bytes": "1000"}, WRITERS),
    ({"max.message.bytes": "9000000"}, FINE),
    ({"compression.type": "zstd"}, FINE),
    ({"message.timestamp.type": "LogAppendTime"}, BOTH),
]


@pytest.mark.parametrize(("setting", "broken"), SETTINGS, ids=str)
def test_a_setting_of_a_topic_is_a_promise_too(setting: dict[str, str], broken: tuple[bool, bool]) -> None:
    """
    What changes which records there are, and which may come, is breaking; how they lie there is not.
    """
    (one,) = findings(NOW, changed(config={**NOW.cards["status-changed"]["config"], **setting}))

    assert (one.readers, one.writers) == verdicts(broken)


def verdicts(broken: tuple[bool, bool]) -> tuple[Compatibility, Compatibility]:
    readers, writers = (Compatibility.BREAKING if one else Compatibility.COMPATIBLE for one in broken)
    return readers, writers


def test_longer_retention_and_what_is_new_break_nobody() -> None:
    """
    A card more, a schema more, a longer memory.
    """
    card = {**NOW.cards["milestone-due"], "topic": "milestone-due.v2", "schema": "schemas/milestone-due.v2.json"}
    later = ContractSet(
        {**NOW.schemas, "milestone-due.v2.json": NOW.schemas["milestone-due.v1.json"]},
        {
            **NOW.cards,
            "milestone-due": {**NOW.cards["milestone-due"], "retention_ms": -1},
            "milestone-due.v2": card,
        },
    )
    found = findings(NOW, later)

    assert [one.what.split()[0:2] for one in found] == [
        ["retention", "lengthened"],
        ["topic", "added"],
        ["schema", "added"],
    ]
    assert not any(one.is_breaking for one in found)


def test_what_is_gone_breaks_both() -> None:
    """
    A topic that is no more, a schema that is no more.
    """
    gone = ContractSet(
        {name: one for name, one in NOW.schemas.items() if name != OURS},
        {name: one for name, one in NOW.cards.items() if name != "status-changed"},
    )
    found = findings(NOW, gone)

    assert [(one.place, one.what) for one in found] == [("topic status-changed", "topic gone"), (OURS, "schema gone")]
    assert {(one.readers, one.writers) for one in found} == {verdicts(BOTH)}


def test_on_a_topic_that_others_write_only_they_are_bound() -> None:
    """
    We read it, and move with the release: a field more is no harm, a word less is.
    """
    wider, narrower = (copy.deepcopy(dict(NOW.schemas[OTHERS])) for _ in range(2))
    add_optional(wider)
    narrow_list(narrower)
    (added,) = findings(NOW, changed(schemas={**NOW.schemas, OTHERS: wider}))
    (lost,) = findings(NOW, changed(schemas={**NOW.schemas, OTHERS: narrower}))

    assert (added.place, added.what, added.is_breaking) == (f"{OTHERS}: mood", "field added", False)
    assert (lost.place, lost.what, lost.writers) == (f"{OTHERS}: status", 'the list loses "withdrawn"', "breaking")


def test_a_finding_says_where_and_why() -> None:
    """
    At any depth, in lists too.
    """
    new = copy.deepcopy(dict(NOW.schemas[OURS]))
    new["$defs"]["CommitmentBrief"]["properties"]["themes"]["items"]["maxLength"] = 20
    widen_list(new)
    found = findings(NOW, changed(schemas={**NOW.schemas, OURS: new}))

    assert [(one.place, one.what) for one in found] == [
        (f"{OURS}: commitment.themes[]", "maxLength 96 → 20"),
        *((f"{OURS}: {name}", 'the list gains "delayed"') for name in ("previous", "status", "overall")),
    ]
    assert [one.is_breaking for one in found] == [True, False, False, False]
