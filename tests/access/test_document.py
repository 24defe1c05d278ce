"""The file is read strictly, and what is wrong with it is said in one line, with its place."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from contracts.vocabulary import MinistryCode
from services.cli.access.document import READABLE, SERVICE_NAMES, SHIPPED, access_from, schema_text
from services.cli.fleet import SERVICES
from services.cli.yaml_files import YamlFileError

SCHEMA = SHIPPED.with_name("access.schema.json")


def test_the_file_that_comes_along_names_our_services_and_no_ministry() -> None:
    document = access_from(SHIPPED.read_text(encoding="utf-8"), "deploy/access.yaml")

    assert tuple(document.services) == SERVICE_NAMES == SERVICES
    assert (document.operators, document.ministries) == ({}, {})
    assert all(document.ministry_quota.model_dump().values())


def test_the_schema_beside_the_file_is_that_of_the_code() -> None:
    """
    `python -m services.cli.access.document > deploy/access.schema.json` writes it anew.
    """
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()
    assert SHIPPED.read_text(encoding="utf-8").startswith(f"# yaml-language-server: $schema={SCHEMA.name}\n")


ONE_MINISTRY = """
services: {registry: {}}
ministries:
  mx-sre:
    read: [commitment-created]
    report: true
    quota: {request_percent: 12.5}
"""
WRONG = {
    "a topic that is internal": ("[commitment-created]", "[ladder-chosen]", 5),
    "a topic for our portal only": ("[commitment-created]", "[delivery-settled]", 5),
    "a topic twice": ("[commitment-created]", "[status-changed, status-changed]", 5),
    "a code in capitals": ("mx-sre", "MX-SRE", 4),
    "a code whose topic would be another's dead letters": ("mx-sre", "mx-sre-dead", 4),
    "a code too long": ("mx-sre", "m" * 49, 4),
    "a service as a ministry": ("mx-sre", "portal", 1),
    "an unknown field": ("report: true", "reports: true", 6),
    "a word for a truth": ("report: true", "report: maybe", 6),
    "a quota of nothing": ("12.5", "0", 7),
    "an unknown service": ("registry", "registrar", 1),
    "no list": ("[commitment-created]", "commitment-created", 5),
    "nothing that it may do": ("read: [commitment-created]\n    report: true", "report: false", 4),
}


@pytest.mark.parametrize(("right", "wrong", "line"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_line(right: str, wrong: str, line: int) -> None:
    text = ONE_MINISTRY.replace(right, wrong, 1)
    assert text != ONE_MINISTRY

    with pytest.raises(YamlFileError) as told:
        access_from(text, "access.yaml")

    assert str(told.value).startswith(f"access.yaml, line {line}: ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("text", ["", "[]", "services: [", "a: &a b\nc: *a", "ministries: {mx-sre: 2021-11-18}"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(YamlFileError, match=r"^access\.yaml"):
        access_from(text, "access.yaml")


BY_SCHEMA = [name for name in WRONG if name not in {"a service as a ministry", "nothing that it may do"}]


@pytest.mark.parametrize("name", [*BY_SCHEMA, None], ids=lambda name: name or "all as it should be")
def test_the_schema_finds_what_the_reader_finds(name: str | None) -> None:
    """
    An editor that knows the schema marks the slip; only rules between entries are the reader's alone.
    """
    right, wrong, _ = WRONG[name] if name else ("", "", 0)
    loaded: Any = yaml.safe_load(ONE_MINISTRY.replace(right, wrong, 1))
    judge = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

    assert judge.is_valid(loaded) is (name is None)


def test_a_ministry_reads_public_topics_only() -> None:
    assert set(READABLE) == {
        "commitment-assessed",
        "commitment-created",
        "commitment-state",
        "milestone-scheduled",
        "milestone-due",
        "milestone-escalated",
        "status-changed",
        "consistency-flagged",
        "audit-head-registry",
        "audit-head-scheduler",
        "audit-head-notifier",
    }


@pytest.mark.parametrize("code", ["mx-sre", "a", "m" * 48, "m" * 49, "", "a--b", "-a", "MX", "a_b", "a.b", "é"])
def test_a_code_is_one_that_the_contracts_take(code: str) -> None:
    """
    But for those whose ingest topic would look like a topic of dead letters.
    """
    try:
        TypeAdapter(MinistryCode).validate_python(code)
        is_code = True
    except ValidationError:
        is_code = False
    try:
        access_from(f"ministries: {{'{code}': {{report: true}}}}", "access.yaml")
        is_taken = True
    except YamlFileError:
        is_taken = False

    assert is_taken is is_code


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    from services.cli.access.document import read_access

    with pytest.raises(YamlFileError, match="can't be read"):
        read_access(tmp_path / "none.yaml")
