"""A record of every topic is a CloudEvent to the SDKs that ministries have: of Python, Go and JavaScript."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from contracts.topics import ALL
from tests.contracts.golden_records import PATHS, golden, wire
from tests.toolchains import need, run_gently

SDKS = Path(__file__).parent / "sdks"
RECORDS = [golden(path) for path in PATHS]


def told(record: dict[str, Any]) -> dict[str, Any]:
    """What a record says of itself."""
    headers = record["headers"]
    attributes = {name: headers.get(f"ce_{name}") for name in ("id", "type", "source", "subject", "dataschema")}
    return {"fault": "", **attributes, "data": record["value"]}


def in_go(folder: Path) -> list[str]:
    shutil.copytree(SDKS / "go", folder, dirs_exist_ok=True)
    run_gently(folder, "go", "build", "-o", "reader", ".")
    return [str(folder / "reader")]


def in_javascript(folder: Path) -> list[str]:
    shutil.copytree(SDKS / "javascript", folder, dirs_exist_ok=True)
    run_gently(folder, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    return ["node", str(folder / "read.js")]


def test_every_topic_has_a_record_here() -> None:
    """
    Golden records are of every topic that is written by one writer, and of one ministry's.
    """
    assert {topic.event for topic in ALL} == {wire(path).topic.event for path in PATHS}


def test_the_sdk_for_python_reads_every_record() -> None:
    """
    Attributes and data as they were written; the SDK itself refuses what is no CloudEvent.
    """
    for path, record in zip(PATHS, RECORDS, strict=True):
        sent = wire(path)
        headers = {name: content or b"" for name, content in sent.headers}
        event = from_binary(KafkaMessage(headers, sent.key, sent.value or b""), JSONFormat(), CloudEvent)
        found = {
            "id": event.get_id(),
            "type": event.get_type(),
            "source": event.get_source(),
            "subject": event.get_subject(),
            "dataschema": event.get_dataschema(),
            "data": event.get_data(),
        }
        assert {"fault": "", **found} == told(record), path.name


@pytest.mark.slow
@pytest.mark.timeout(900)  # a compiler and a package manager that begin with nothing
@pytest.mark.parametrize(("toolchain", "prepare"), [("go", in_go), ("npm", in_javascript)])
def test_the_sdk_of_another_language_reads_every_record(
    toolchain: str, prepare: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    """
    Valid by the SDK's own word, with the same attributes and data; what is no event is told apart.
    """
    need(toolchain, "its SDK is not asked")
    without_type = {name: content for name, content in RECORDS[0]["headers"].items() if name != "ce_type"}
    lines = "".join(json.dumps(record) + "\n" for record in [*RECORDS, {**RECORDS[0], "headers": without_type}])
    answered = subprocess.run(prepare(tmp_path), input=lines, capture_output=True, text=True, check=True).stdout
    *answers, refused = (json.loads(line) for line in answered.splitlines())

    for one in answers:
        one |= {name: one.get(name) or None for name in ("subject", "dataschema")}
    assert answers == [told(record) for record in RECORDS]
    assert refused["fault"]
