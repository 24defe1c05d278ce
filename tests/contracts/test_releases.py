"""Releases stand in the tree: they never change, and nothing that comes later breaks who goes by one of them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from contracts import generate
from contracts.compatibility.findings import ContractSet, findings
from contracts.events import StatusChanged
from contracts.generation.json_schemas import SINCE, schema
from contracts.releases import (
    CHANGES,
    MANIFEST,
    RELEASED,
    Release,
    ReleaseRefused,
    breaking_since,
    changelog,
    contracts_in,
    make_release,
    numbers,
    releases,
)
from contracts.topics import STATUS_CHANGED
from services.cli import VERSION
from tests.contracts.golden_records import golden, wire

MADE = releases(generate.HERE)
COMMIT = "0" * 40


def test_what_was_released_is_still_kept() -> None:
    """
    Nobody who goes by a release of this major version breaks by what stands in the tree now.
    """
    assert breaking_since(MADE, contracts_in(generate.HERE), numbers(VERSION)[0]) == []


def test_a_release_is_as_it_was_made() -> None:
    """
    Each file has the hash that its manifest says, and none was added.
    """
    assert {release.version: release.tampered() for release in MADE} == {release.version: [] for release in MADE}


def test_a_released_example_is_never_changed_and_is_still_read() -> None:
    """
    Golden records are what a release really wrote; the reader of today reads them.
    """
    for release in MADE:
        for path in sorted((release.folder / "examples").glob("*.json")):
            assert golden(generate.HERE / "examples" / path.name) == golden(path), f"{path.name} of {release.version}"
            wire(path).read()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of contracts/ without its releases."""
    shutil.copytree(generate.HERE, tmp_path / "contracts", ignore=shutil.ignore_patterns(RELEASED, "__pycache__"))
    return tmp_path / "contracts"


def edit(tree: Path, name: str, *path: str, to: Any) -> None:
    """Write another value into a schema, or leave it out with `...`."""
    file = tree / "schemas" / name
    document = node = json.loads(file.read_text(encoding="utf-8"))
    for part in path[:-1]:
        node = node[part]
    if to is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = to
    file.write_text(json.dumps(document, indent=2), encoding="utf-8")


def add_field(tree: Path) -> None:
    edit(tree, "status-changed.v1.json", "properties", "mood", to={"type": "string"})


def test_a_release_holds_all_that_was_promised(tree: Path) -> None:
    """
    Schemas, examples, cards, the AsyncAPI document and the commit, byte for byte; read again it is the same.
    """
    made = make_release(tree, "0.2.0", COMMIT)

    for path in made.hashes:
        if path != CHANGES:
            assert (made.folder / path).read_bytes() == (tree / path).read_bytes(), path
    assert {path.partition("/")[0] for path in made.hashes} == {
        "schemas",
        "examples",
        "cards.json",
        "asyncapi.yaml",
        CHANGES,
    }
    assert len(made.hashes) == 3 + sum(len(list((tree / name).iterdir())) for name in ("schemas", "examples"))
    assert releases(tree) == [made]
    assert (made.commit, made.tampered(), made.contracts()) == (COMMIT, [], contracts_in(tree))
    assert (made.folder / CHANGES).read_text(encoding="utf-8").splitlines()[
        2
    ] == "The first release: everything in it is new."


def test_a_release_is_never_written_over(tree: Path) -> None:
    """
    Neither the same number nor an older one, and nothing is left of the attempt.
    """
    make_release(tree, "0.2.0", COMMIT)
    for version in ("0.2.0", "0.1.9"):
        with pytest.raises(ReleaseRefused, match=r"0\.2\.0 is released already"):
            make_release(tree, version, COMMIT)
    for version in ("0.2", "v0.3.0", "0.03.0", "1.0.0-rc1", ""):
        with pytest.raises(ReleaseRefused, match="no version such as"):
            make_release(tree, version, COMMIT)
    assert [path.name for path in (tree / RELEASED).iterdir()] == ["0.2.0"]


def test_within_a_major_version_nothing_breaks(tree: Path) -> None:
    """
    What would break who goes by any release of it is refused, and said; the next major version may.
    """
    make_release(tree, "0.2.0", COMMIT)
    add_field(tree)
    make_release(tree, "0.3.0", COMMIT)
    edit(tree, "status-changed.v1.json", "properties", "mood", to=...)
    edit(tree, "status-changed.v1.json", "properties", "version", to={"type": "string"})

    with pytest.raises(ReleaseRefused, match=r"0\.4\.0 would break who goes by 0\.2\.0, 0\.3\.0") as refused:
        make_release(tree, "0.4.0", COMMIT)
    assert {one.place for one in refused.value.breaking} == {"status-changed.v1.json: version"}
    assert [release.version for release in releases(tree)] == ["0.2.0", "0.3.0"]
    assert make_release(tree, "1.0.0", COMMIT).major == 1


def test_what_an_older_release_promised_still_counts(tree: Path) -> None:
    """
    A release is held against each of its major version, not the last alone: a field that may be left out goes, and may
    not come back as something else.
    """
    add_field(tree)
    make_release(tree, "0.2.0", COMMIT)
    edit(tree, "status-changed.v1.json", "properties", "mood", to=...)
    make_release(tree, "0.3.0", COMMIT)
    edit(tree, "status-changed.v1.json", "properties", "mood", to={"type": "integer"})

    found = breaking_since(releases(tree), contracts_in(tree), 0)
    assert [(release.version, one.place, one.what) for release, one in found] == [
        ("0.2.0", "status-changed.v1.json: mood", "type string → integer")
    ]
    with pytest.raises(ReleaseRefused, match=r"0\.4\.0 would break who goes by 0\.2\.0"):
        make_release(tree, "0.4.0", COMMIT)


def test_a_release_says_what_has_changed_since_the_last(tree: Path) -> None:
    """
    As a table for readers and writers; releases are in the order of their numbers, not of their names.
    """
    first = make_release(tree, "0.9.0", COMMIT)
    assert changelog("0.10.0", first, contracts_in(tree)) == (
        "# Contracts 0.10.0\n\nAs 0.9.0: no topic and no schema has changed.\n"
    )
    add_field(tree)
    second = make_release(tree, "0.10.0", COMMIT)

    assert (second.folder / CHANGES).read_text(encoding="utf-8") == (
        "# Contracts 0.10.0\n\nWhat has changed since 0.9.0.\n\n| where | what | for readers | for writers |\n"
        "|---|---|---|---|\n| status-changed.v1.json: mood | field added | compatible | compatible |\n"
    )
    assert [release.version for release in releases(tree)] == ["0.9.0", "0.10.0"]


@pytest.mark.parametrize("path", ["schemas/status-changed.v1.json", "examples/new.json", "cards.json"])
def test_a_release_that_was_changed_is_noticed(tree: Path, path: str) -> None:
    """
    A byte more, a file more, a file less.
    """
    made: Release = make_release(tree, "0.2.0", COMMIT)
    file = made.folder / path
    if path.startswith("schemas"):
        file.write_bytes(file.read_bytes() + b" ")
    elif path.startswith("examples"):
        file.write_text("{}")
    else:
        file.unlink()

    (read,) = releases(tree)
    assert read.tampered() == [path]
    assert json.loads((made.folder / MANIFEST).read_text())["commit"] == COMMIT


def test_a_field_that_was_added_later_is_not_required() -> None:
    """
    Records of before are kept and have it not, so that the schema marks it, and who reads by it bears its absence.
    """

    class Later(StatusChanged):
        mood: str | None = Field(default=None, json_schema_extra={SINCE: "0.3.0"})

    class Careless(StatusChanged):
        mood: str | None = None

    now = contracts_in(generate.HERE)
    for event, breaks in ((Later, False), (Careless, True)):
        later = schema(replace(STATUS_CHANGED, event=event))
        (found,) = findings(now, ContractSet({**now.schemas, "status-changed.v1.json": later}, now.cards))
        assert (found.place, found.is_breaking) == ("status-changed.v1.json: mood", breaks)
