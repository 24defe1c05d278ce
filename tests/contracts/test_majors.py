"""Two major versions side by side: the end of the older one stands in every document, and nobody breaks before it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient

from contracts import generate
from contracts.compatibility.findings import ContractSet, findings
from contracts.majors import LATER, said_later
from contracts.releases import contracts_in
from contracts.topics import BY_NAME, OWN, Superseded
from services.registry.http.contract_documents import read_routes
from tests.contracts.golden_records import PATHS, golden
from tests.journeys.second_major import SINCE, SUNSET, V1, V2, second_major

NOW = contracts_in(generate.HERE)
END = date.fromisoformat(SUNSET)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return second_major(tmp_path_factory.mktemp("second-major"))


@pytest.fixture(scope="module")
def later(code: Path) -> ContractSet:
    return contracts_in(code / "contracts")


def breaking(old: ContractSet, new: ContractSet, today: date | None = None) -> list[str]:
    return [f"{one.place}: {one.what}" for one in findings(old, new, today) if one.is_breaking]


def without(contracts: ContractSet, topic: str) -> ContractSet:
    schema = contracts.cards[topic]["schema"].rpartition("/")[2]
    return ContractSet(
        {name: one for name, one in contracts.schemas.items() if name != schema},
        {name: one for name, one in contracts.cards.items() if name != topic},
    )


def test_cards_of_two_majors_name_each_other() -> None:
    for topic in OWN:
        if topic.superseded:
            later = BY_NAME[topic.superseded.by]
            assert (later.version, later.name) == (topic.version + 1, f"{topic.event_name}.v{topic.version + 1}")
            assert later.made_by is not None
            assert set(topic.writers) == set(later.writers), "one transaction writes both"


def test_an_end_leaves_a_year() -> None:
    Superseded("x.v2", date(2026, 1, 1), date(2027, 1, 1))
    with pytest.raises(ValueError, match="less than 365 days"):
        Superseded("x.v2", date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_where_there_is_one_major_nothing_is_said_beside(path: Path) -> None:
    record = golden(path)

    assert said_later(record["topic"], record["headers"], json.dumps(record["value"]).encode()) == []
    assert LATER == {}, "or say here what it is"


def test_the_end_stands_in_every_document(code: Path, later: ContractSet) -> None:
    schema, card = later.schemas["status-changed.v1.json"], later.cards[V1]
    assert (schema["deprecated"], schema["x-sunset"]) == (True, SUNSET)
    assert schema["x-superseded-by"] == later.schemas["status-changed.v2.json"]["$id"]
    assert (card["superseded_by"], card["superseded_since"], card["sunset"]) == (V2, SINCE, SUNSET)
    assert (later.cards[V2]["sunset"], later.cards[V2]["type"]) == (None, "org.pledgewire.status-changed.v2")
    page = (code / "contracts" / "README.md").read_text(encoding="utf-8")
    assert f"| ends | {SUNSET}, superseded since {SINCE} by [`{V2}`](#status-changedv2) |" in page
    assert f"written until {SUNSET}" in page.partition("\n## commitment-created\n")[0], "and in the overview"
    channels = yaml.safe_load((code / "contracts" / "asyncapi.yaml").read_text(encoding="utf-8"))["channels"]
    ending = [one for one in channels.values() if "x-sunset" in one]
    assert [(one["address"], one["x-sunset"], one["x-superseded-by"]) for one in ending] == [(V1, SUNSET, V2)]
    assert {one["address"] for one in channels.values()} >= {V1, V2}


def test_who_asks_for_its_schema_is_told(code: Path) -> None:
    app = FastAPI()
    app.include_router(read_routes(code / "contracts"))
    client = TestClient(app)

    ending = client.get("/contracts/schemas/status-changed.v1.json")
    assert ending.headers["deprecation"] == "@1796083200"
    assert ending.headers["sunset"] == "Fri, 30 Jun 2028 00:00:00 GMT"
    assert ending.headers["link"] == '</contracts/schemas/status-changed.v2.json>; rel="successor-version"'
    example = next(path.name for path in PATHS if path.name.startswith("status-changed.v1"))
    assert client.get(f"/contracts/examples/{example}").headers["sunset"] == ending.headers["sunset"]
    for other in ("status-changed.v2.json", "milestone-due.v1.json"):
        answer = client.get(f"/contracts/schemas/{other}")
        assert answer.status_code == 200
        assert {"deprecation", "sunset", "link"}.isdisjoint(answer.headers)


def test_nobody_breaks_while_both_are_written(later: ContractSet) -> None:
    assert breaking(NOW, later) == []
    assert {one.what for one in findings(NOW, later)} >= {f"it ends on {SUNSET}", "topic added"}


@pytest.mark.parametrize(
    ("today", "breaks"), [(None, True), (END - timedelta(1), True), (END, False), (END + timedelta(1), False)]
)
def test_a_major_may_go_from_its_end_on(later: ContractSet, today: date | None, breaks: bool) -> None:
    assert bool(breaking(later, without(later, V1), today)) == breaks
    assert breaking(NOW, without(later, V1), END), "who was never told of an end never breaks"


@pytest.mark.parametrize(("sunset", "breaks"), [("2028-06-29", True), ("2028-07-01", False), (None, False)])
def test_a_promised_end_never_comes_nearer(later: ContractSet, sunset: str | None, breaks: bool) -> None:
    moved = replace(later, cards={**later.cards, V1: {**later.cards[V1], "sunset": sunset}})

    assert bool(breaking(later, moved)) == breaks


def test_the_command_says_the_same(code: Path) -> None:
    def diff(*folders: Path) -> tuple[int, str]:
        command = [sys.executable, "-P", "-m", "services.cli.main", "contracts", "diff", *map(str, folders)]
        done = subprocess.run(
            command, cwd=code, env={"PYTHONPATH": str(code)}, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    before, after = generate.HERE, code / "contracts"
    assert diff(before, after)[0] == 0
    status, said = diff(after, before)
    assert (status, "topic gone" in said) == (1, True)


_SAY = """
import json, sys
from contracts.majors import LATER_NAMES, said_later, with_later_majors
record = json.load(sys.stdin)
said = said_later(record["topic"], record["headers"], json.dumps(record["value"]).encode())
again = said_later(record["topic"], record["headers"], json.dumps(record["value"]).encode())
assert said == again, "a repeat has the same ids"
print(json.dumps([[str(s.event_id), s.topic, s.key, s.headers, json.loads(s.value)] for s in said]))
"""


def said_by(code: Path, record: Mapping[str, Any]) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", _SAY],
        input=json.dumps(record),
        cwd=code,
        env={"PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout))


def test_the_later_record_is_the_same_event_in_the_later_words(code: Path, later: ContractSet) -> None:
    record = golden(next(path for path in PATHS if path.name.startswith("status-changed.v1")))

    [(event_id, topic, key, headers, value)] = said_by(code, record)
    [(another, *_)] = said_by(code, {**record, "headers": {**record["headers"], "ce_id": str(uuid4())}})

    assert (topic, key, headers["ce_id"]) == (V2, record["key"], event_id)
    assert len({event_id, another, record["headers"]["ce_id"]}) == 3
    assert headers["ce_type"] == "org.pledgewire.status-changed.v2"
    assert headers["ce_time"] == record["headers"]["ce_time"]
    assert "ce_deprecated" not in headers
    jsonschema.validate(value, later.schemas["status-changed.v2.json"])
    assert value["statuses"] == [record["value"]["previous"], record["value"]["status"]]
    assert value["cause"] == record["value"]["cause"], "it belongs to the same act"
