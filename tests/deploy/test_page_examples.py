"""What the pages give to copy would work: requests are accepted, a report is read, Python does what it says."""

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from textwrap import indent
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest
from faststream import AckPolicy
from standardwebhooks import Webhook, WebhookVerificationError

from contracts import events, topics
from contracts.envelope import from_record
from contracts.events import MilestoneDue, StatusReported
from contracts.generation.json_schemas import SINCE, schema
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.registry.catalogue.loading import load
from tests.contracts.golden_records import PATHS, golden
from tests.deploy.pages import Command, blocks, commands
from tests.deploy.settings_read import PROJECT

ENGINEERS = PROJECT / "docs" / "for-engineers.md"
ADD_AN_EVENT = PROJECT / "docs" / "how-to" / "add-an-event.md"


@pytest.fixture(scope="module")
def interfaces() -> Iterator[dict[str, Any]]:
    """The HTTP applications as their OpenAPI documents are made from, for callers who may do everything."""
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ApiKeys, "require", lambda self, request, *roles: Caller("somebody", None, frozenset(roles)))
        for name in ("registry", "scheduler", "notifier"):
            module = importlib.import_module(f"services.{name}.openapi")
            patched.setattr(module, "openapi_text", lambda app, name=name: found.setdefault(name, app) and "")
            module.document()
        yield found


@pytest.mark.parametrize("line", commands("curl"), ids=str)
async def test_a_request_would_be_accepted(line: Command, interfaces: dict[str, Any]) -> None:
    """
    A curl line meets a route of the service at whose address it asks, with a query and a body that its forms take.

    There is no database behind them here, so that the first thing that goes wrong is the store.
    """
    service, request = _request(line)
    transport = httpx.ASGITransport(interfaces[service], raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.request(**request)
        spoiled = await client.request(**request | ({"content": '{"x": 1}'} if request["content"] else {"url": "/x"}))

    assert answer.status_code in (200, 500, 503), answer.text
    assert spoiled.status_code in (404, 422), "what is wrong would not be noticed"


def _request(line: Command) -> tuple[str, dict[str, Any]]:
    """Which service a curl line asks, and what for."""
    urls = [re.fullmatch(r"\$([A-Z]+)_URL(/.*)", word) for word in line.words]
    ((service, path),) = [url.groups() for url in urls if url]
    body = next(iter(line.values("-d")), None)
    assert {word for word in line.words if word.startswith("-")} <= {"-H", "-X", "-d", "-s", "-o"}
    return service.lower(), {
        "method": next(iter(line.values("-X")), "POST" if body else "GET"),
        "url": path.replace("$SUBSCRIPTION", str(uuid4())),
        "headers": dict(header.split(": ", 1) for header in line.values("-H")),
        "content": body,
    }


def test_what_the_commands_name_is_in_the_statement() -> None:
    """
    Commitments, milestones, and the parties that a report is for, are those of the catalogue.
    """
    catalogue = load()
    parties = {one.id: one.parties or catalogue.statement.parties for one in catalogue.commitments}
    milestones = {milestone.id for commitment in catalogue.commitments for milestone in commitment.milestones}
    lines = [line for program in ("curl", "./pledgewire", "kcat") for line in commands(program)]
    named = {name for line in lines for name in re.findall(r"\bnals-2021-[a-z0-9-]+", " ".join(line.words))}
    requests = [_request(line)[1] for line in commands("curl")]
    reports = [request for request in requests if request["url"].endswith("/status-updates")]

    assert named <= set(parties) | milestones
    imported = [json.loads(request["content"]) for request in requests if request["url"] == "/statements/import"]

    assert imported == [{"catalogue": catalogue.statement.id}]
    assert reports
    for report in reports:
        assert json.loads(report["content"])["party"] in parties[report["url"].split("/")[2]]


def test_the_report_over_kafka_is_one() -> None:
    """
    What kcat is told to send is read as a status report, about the commitment that is its key.
    """
    (said,) = [line for line in commands("echo") if line.block.page == ENGINEERS]
    (sent,) = [line for line in commands("kcat") if line.block == said.block]
    filled_in = {"$REPORT": str(uuid4()), "$(date -u +%Y-%m-%dT%H:%M:%SZ)": "2023-07-24T15:30:00Z"}
    (key,), (topic,) = sent.values("-k"), sent.values("-t")

    def text(words: str) -> bytes:
        for variable, value in filled_in.items():
            words = words.replace(variable, value)
        return words.encode()

    headers = [(name, text(value)) for name, value in (header.split("=", 1) for header in sent.values("-H"))]
    _, report = from_record(StatusReported, key.encode(), headers, text(" ".join(said.words[1:])))

    assert topics.topic_named(topic).ministry == f"{str(report.party).lower()}-gac"
    assert report.commitment_id == key
    assert str(report.report_id) == filled_in["$REPORT"]


def python_block(about: str) -> dict[str, Any]:
    """The names that a Python block of the engineers' page makes."""
    (block,) = [block for block in blocks("python", ENGINEERS) if about in block.text]
    names: dict[str, Any] = {}
    exec(compile(block.text, block.page.name, "exec"), names)
    return names


def test_every_python_block_is_tried() -> None:
    """
    No page has Python that no test here runs.
    """
    assert [block.page for block in blocks("python")] == [ENGINEERS] * 2 + [ADD_AN_EVENT]


def test_a_field_that_is_added_is_not_required() -> None:
    """
    The field of the page, in an event: the schema of what we write knows it, and old records need not have it.
    """
    (block,) = blocks("python", ADD_AN_EVENT)
    names: dict[str, Any] = {**vars(events), "SINCE": SINCE}
    exec("class Grown(MilestoneDue):\n" + indent(block.text, "    "), names)
    grown = schema(replace(topics.MILESTONE_DUE, event=names["Grown"]))

    assert "mood" in grown["properties"] and "mood" not in grown["required"]
    assert set(grown["required"]) == set(schema(topics.MILESTONE_DUE)["required"])


def test_the_subscriber_reads_as_we_do() -> None:
    """
    The subscriber loses nothing by its settings, and reads a real event.
    """
    names = python_block("KafkaBroker")

    (subscriber,) = names["broker"].subscribers
    assert subscriber.topic_names == ["milestone-due"]
    assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
    assert subscriber._connection_args["auto_offset_reset"] == "earliest"
    assert {"commitment", "phase", "days"} <= set(MilestoneDue.model_fields)


def test_the_subscriber_reads_what_it_does_not_know() -> None:
    """
    The subscriber tells of every golden event, of one in another language alone, and of a phase that is new.
    """
    line = python_block("KafkaBroker")["line"]
    told = [record["value"] for record in map(golden, PATHS) if record["topic"] == "milestone-due"]
    for event in told:
        commitment = event["commitment"]
        foreign = {**commitment, "title": {"pt": "Prazo"}, "language": "pt"}

        assert line(event).startswith(commitment["title"]["es"])
        assert line({**event, "commitment": foreign, "phase": "of-a-later-release"}).startswith("Prazo: otro")


def test_the_receiver_of_webhooks_takes_a_post_once() -> None:
    """
    The receiver takes what is signed with its secret, once, and nothing else.
    """
    names = python_block("standardwebhooks")
    (secret,) = re.findall(r'"(whsec_[^"]+)"', next(b.text for b in blocks("python") if "whsec_" in b.text))
    body, now = '{"type": "org.pledgewire.status-changed.v1"}', datetime.now(UTC)

    def headers(key: str) -> dict[str, str]:
        return {
            "webhook-id": "one",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(key).sign("one", now, body),
        }

    assert names["receive"](body.encode(), headers(secret)) == json.loads(body)
    assert names["receive"](body.encode(), headers(secret)) is None
    with pytest.raises(WebhookVerificationError):
        names["receive"](body.encode(), headers("whsec_" + "b3RoZXI" * 6))
