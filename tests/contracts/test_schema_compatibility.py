"""Within a version, what may stand on a topic stays the same; jsoncompat is the judge.

Readers are closed, so both directions count: old records have to be readable by the new reader (the log is kept for
ever), and new records by the reader of the last release (the two run side by side during an update). What isn't
compatible gets a new version and a new file.
"""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import jsoncompat
import pytest

from contracts import generate
from contracts.generation.json_schemas import event_name, schema
from contracts.topics import INGEST, PUBLIC

ROOT = generate.HERE.parent
Schema = dict[str, Any]


def readable(records: Schema, reader: Schema) -> bool:
    """Whether whatever the one schema allows, the other does too."""
    # jsoncompat takes `$id` for a base that it would have to fetch.
    old, new = (json.dumps({k: v for k, v in schema.items() if k != "$id"}) for schema in (records, reader))
    return jsoncompat.check_compat(old, new, "deserializer")


def compatible(old: Schema, new: Schema) -> bool:
    """Whether old records stay readable, and new records are readable by old readers."""
    return readable(old, new) and readable(new, old)


def committed(name: str) -> Schema:
    return json.loads((generate.HERE / "schemas" / name).read_text(encoding="utf-8"))


def git(*arguments: str) -> str:
    command = [shutil.which("git") or "git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def released(folder: str) -> Iterator[tuple[str, str]]:
    """Tag and path of every file of the folder in every release."""
    try:
        tags = git("tag", "--list", "v*").split()
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no history
        return
    for tag in tags:
        for path in git("ls-tree", "-r", "--name-only", tag, folder).split():
            yield tag, path


def test_what_was_released_is_still_kept() -> None:
    """
    Every schema of every release tag is there, and says the same.
    """
    for tag, path in released("contracts/schemas"):
        assert (ROOT / path).exists(), f"{path} of {tag} is gone"
        old = json.loads(git("show", f"{tag}:{path}"))
        assert compatible(old, committed(path.rpartition("/")[2])), (
            f"{path} has changed since {tag}: make a new version"
        )


def test_a_released_example_is_never_changed() -> None:
    """
    Golden records are what a release really wrote.
    """
    for tag, path in released("contracts/examples"):
        assert (ROOT / path).exists(), f"{path} of {tag} is gone"
        assert (ROOT / path).read_text(encoding="utf-8") == git("show", f"{tag}:{path}"), f"{path} is not that of {tag}"


@pytest.mark.parametrize("topic", (*PUBLIC, INGEST[0]), ids=lambda topic: topic.name)
def test_what_the_schema_allows_the_reader_reads(topic) -> None:
    """
    The committed schema of the present version is no wider than what the model accepts.
    """
    on_topic = committed(f"{event_name(topic)}.v{topic.version}.json")

    assert readable(on_topic, topic.event.model_json_schema(mode="validation"))
    assert compatible(on_topic, schema(topic))


def describe(schema: Schema) -> None:
    schema["description"] = "Said better."
    schema["properties"]["note"]["description"] = "Said better."


def reorder(schema: Schema) -> None:
    schema["properties"] = dict(reversed(schema["properties"].items()))
    schema["required"].reverse()


def rename_definition(schema: Schema) -> None:
    text = json.dumps(schema).replace("#/$defs/Evidence", "#/$defs/Proof").replace('"Evidence":', '"Proof":')
    schema.clear()
    schema.update(json.loads(text))


def add_optional(schema: Schema) -> None:
    schema["properties"]["mood"] = {"type": "string"}


def add_required(schema: Schema) -> None:
    add_optional(schema)
    schema["required"].append("mood")


def drop_field(schema: Schema) -> None:
    del schema["properties"]["note"]
    schema["required"].remove("note")


def drop_requirement(schema: Schema) -> None:
    schema["required"].remove("note")


def rename_field(schema: Schema) -> None:
    drop_field(schema)
    add_required(schema)


def change_type(schema: Schema) -> None:
    schema["properties"]["seq"] = {"type": "string"}


def allow_null(schema: Schema) -> None:
    schema["properties"]["seq"] = {"anyOf": [schema["properties"]["seq"], {"type": "null"}]}


def raise_bound(schema: Schema) -> None:
    schema["properties"]["seq"]["maximum"] = 2**53


def lower_bound(schema: Schema) -> None:
    schema["properties"]["seq"]["maximum"] = 1000


def widen_enum(schema: Schema) -> None:
    schema["$defs"]["Status"]["enum"].append("delayed")


def narrow_enum(schema: Schema) -> None:
    schema["$defs"]["Status"]["enum"].remove("withdrawn")


def add_nested(schema: Schema) -> None:
    schema["$defs"]["CommitmentBrief"]["properties"]["mood"] = {"type": "string"}


def open_up(schema: Schema) -> None:
    schema["additionalProperties"] = True


def fewer_items(schema: Schema) -> None:
    schema["$defs"]["CommitmentBrief"]["properties"]["countries"]["minItems"] = 0


HARMLESS = [describe, reorder, rename_definition]
BREAKING = [
    add_optional,
    add_required,
    drop_field,
    drop_requirement,
    rename_field,
    change_type,
    allow_null,
    raise_bound,
    lower_bound,
    widen_enum,
    narrow_enum,
    add_nested,
    open_up,
    fewer_items,
]


def after(change: Callable[[Schema], None]) -> tuple[Schema, Schema]:
    old = committed("status-changed.v1.json")
    new = copy.deepcopy(old)
    change(new)
    assert json.dumps(old) != json.dumps(new)
    return old, new


@pytest.mark.parametrize("change", HARMLESS)
def test_a_harmless_change_may_stay_in_the_version(change) -> None:
    """
    Other words, another order, another name inside: the same records.
    """
    assert compatible(*after(change))


@pytest.mark.parametrize("change", BREAKING)
def test_a_breaking_change_needs_a_new_version(change) -> None:
    """
    With closed readers an optional field more is breaking, too.
    """
    assert not compatible(*after(change))
