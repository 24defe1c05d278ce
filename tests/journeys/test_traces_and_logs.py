"""What a whole instance tells a collector and its logs: one trace from request to attempts, ids, and no secret."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from services.cli.fleet import SERVICES
from services.cli.running_stack import RunningStack
from services.plumbing.http.route_table import RouteTable
from tests.architecture.applications import applications
from tests.deploy.prometheus_programs import ALERTS, rules
from tests.deploy.test_dashboards import expressions
from tests.journeys.instance import LiveInstance
from tests.journeys.starting import prepared
from tests.stand_ins.collector import Collector, listening

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COMMITMENT = "nals-2021-coal-finance"
ADDRESS = "kanarie-in-the-mine"
"""Stands in addresses that are given to us."""
CORRELATION = "case-0815"
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
"""The trace of a caller, and the span from which it asks."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with listening() as made:
        yield made


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[RunningStack]:
    told = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BSP_MAX_QUEUE_SIZE": "65536",
        "NO_PROXY": "127.0.0.1",
    }
    with prepared(tmp_path_factory.mktemp("instance"), environment=told) as started:
        yield started


@pytest.fixture
async def furnished(instance: LiveInstance) -> LiveInstance:
    if not await instance.observer.connection.fetchval("select exists (select from notifier.subscription)"):
        await instance.import_statement()
        for channel in ("webhook", "slack", "email"):
            await instance.subscribe(channel, f"{ADDRESS}-{channel}", commitments=[COMMITMENT])
        await instance.behave("slack", f"{ADDRESS}-slack", fail_first=None, status=410)
    return instance


async def spans_of(collector: Collector, trace: str, done: int) -> list[Span]:
    """The spans of a trace once there are so many of deliveries, and then all that come within a second."""
    async with asyncio.timeout(60):
        while True:
            found = [span for span in collector.spans() if span.trace_id.hex() == trace]
            if len([span for span in found if span.name == "deliver"]) >= done:
                break
            await asyncio.sleep(0.1)
    await asyncio.sleep(1)
    return [span for span in collector.spans() if span.trace_id.hex() == trace]


def attributes(span: Span) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def lines(instance: LiveInstance, service: str) -> Sequence[dict[str, Any]]:
    return [json.loads(line) for line in instance.fleet.log(service).read_text().splitlines() if line.startswith("{")]


async def test_a_request_its_events_and_all_attempts_are_one_trace(
    furnished: LiveInstance, collector: Collector
) -> None:
    instance = furnished
    thread = {"traceparent": f"00-{TRACE}-{CALLER}-01", "x-correlation-id": CORRELATION}

    answer = await instance.post_status(COMMITMENT, "in-progress", thread=thread)
    assert (answer.status_code, answer.headers["x-correlation-id"]) == (201, CORRELATION)
    await instance.rest()
    spans = await spans_of(collector, TRACE, done=3)

    by_name: dict[str, list[Span]] = {}
    for span in spans:
        by_name.setdefault(span.name, []).append(span)
    (request,) = by_name["POST /commitments/{commitment_id}/status-updates"]
    servers = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER and "/holds" not in span.name]
    assert servers == [request]
    assert request.parent_span_id.hex() == CALLER
    assert attributes(request)["http.response.status_code"] == 201
    (fan_out,) = by_name["fan out"]
    assert attributes(fan_out) == {"deliveries": 3}
    assert {attributes(span)["messaging.consumer.group.name"] for span in by_name["process status-changed"]} == {
        "scheduler",
        "notifier",
    }
    assert [span.kind for span in by_name["publish status-changed"]] == [Span.SPAN_KIND_PRODUCER]
    assert by_name["publish delivery-settled"]
    known = {span.span_id for span in spans}
    assert {span.parent_span_id for span in spans if span is not request} <= known
    assert {span.parent_span_id for span in by_name["deliver"]} == {request.span_id}
    ends = sorted((attributes(span)["channel"], attributes(span)["outcome"]) for span in by_name["deliver"])
    assert ends == [("email", "accepted"), ("slack", "refused"), ("webhook", "delivered")]
    failed = [span for span in spans if span.status.code == span.status.STATUS_CODE_ERROR]
    assert [(span.name, attributes(span)["error.type"]) for span in failed] == [("deliver", "gone")]
    begins = [by_name[name][0].start_time_unix_nano for name in ("publish status-changed", "fan out", "deliver")]
    assert begins == sorted(begins)


async def test_a_failed_delivery_leaves_one_line_with_its_reason_and_the_request(furnished: LiveInstance) -> None:
    """
    The request is the one of the test before: its address is gone, and was told so.
    """
    instance = furnished
    given_up = [line for line in lines(instance, "notifier") if line.get("action") == "delivery_failed"]

    assert [(line["channel"], line["reason"], line["code"], line["attempts"]) for line in given_up] == [
        ("slack", "gone", 410, 1)
    ]
    assert given_up[0]["correlation_id"] == CORRELATION


async def test_a_page_is_one_span_in_the_portal_and_one_for_each_question_that_it_asks(
    furnished: LiveInstance, collector: Collector
) -> None:
    instance, trace = furnished, uuid4().hex
    headers = {"traceparent": f"00-{trace}-{CALLER}-01", "x-correlation-id": "case-0816"}

    answer = await instance.http.get(f"{instance.url('portal')}/commitments/{COMMITMENT}", headers=headers)
    assert answer.status_code == 200
    spans = await spans_of(collector, trace, done=0)

    of_portal = [span for span in collector.of_service("portal") if span.trace_id.hex() == trace]
    others = [span for span in spans if span.span_id not in {one.span_id for one in of_portal}]
    (page,) = of_portal
    assert page.name == "GET /commitments/{commitment_id}"
    assert others
    assert {span.kind for span in spans} == {Span.SPAN_KIND_SERVER}
    assert {span.parent_span_id for span in others} == {page.span_id}


async def test_no_address_token_key_or_id_is_told_by_any_route(furnished: LiveInstance, collector: Collector) -> None:
    """
    Every route is asked as its callers ask it, with ids and tokens that there are, and once with what is not taken.
    """
    instance = furnished
    listed = (await instance.http.get(f"{instance.url('notifier')}/subscriptions", headers=instance.headers)).json()[
        "items"
    ]
    sent = (await instance.http.get(f"{instance.url('notifier')}/deliveries", headers=instance.headers)).json()["items"]
    mails = [
        await instance._whole(m["number"])
        for m in await instance.messages("email", f"{ADDRESS}-email@ministry.example")
    ]
    tokens = {part for mail in mails for link in mail.links for part in re.findall(r"[\w-]{20,}(?:\.[\w-]+)*", link)}
    assert listed and sent and tokens
    known = {
        "commitment_id": COMMITMENT,
        "subscription_id": listed[0]["id"],
        "delivery_id": sent[0]["id"],
        "event_id": sent[0]["event_id"],
    }
    for service, app in applications().items():
        for route in RouteTable(app).routes:
            if route.template in ("/events", "/sending/stop"):
                continue
            for token in (sorted(tokens)[0], ADDRESS):
                path = re.sub(r"\{(\w+)[^}]*\}", lambda name, token=token: known.get(name[1], token), route.template)
                for method in route.methods & {"GET", "POST", "PUT", "PATCH"}:
                    body = json.dumps({"address": ADDRESS, ADDRESS: ADDRESS}) if method != "GET" else None
                    kind = {"content-type": "application/json", "idempotency-key": ADDRESS}
                    await instance.http.request(
                        method,
                        f"{instance.url(service)}{path}?q={ADDRESS}",
                        headers=instance.headers | kind,
                        content=body,
                    )
    await instance.rest()
    await spans_of(collector, TRACE, done=0)

    secrets = {ADDRESS, instance.key, *tokens, COMMITMENT, "ministry.example", "/hooks/"}
    secrets |= {one["id"] for one in (*listed, *sent)} | {one["event_id"] for one in sent}
    secrets |= {one.replace("-", "") for one in secrets if re.fullmatch("[0-9a-f-]{36}", one)}
    told = b"".join(collector.received)
    assert len(collector.spans()) > 200
    assert {secret for secret in secrets if secret.encode() in told} == set()
    unsaid = {ADDRESS, instance.key, *tokens, "/hooks/"}
    for service in SERVICES:
        log = instance.fleet.log(service).read_text()
        metrics = (await instance.http.get(f"{instance.admin_url(service)}/metrics")).text
        assert {secret for secret in unsaid if secret in log or secret in metrics} == set(), service


@pytest.fixture
async def shown(furnished: LiveInstance) -> AsyncIterator[dict[str, set[str]]]:
    """The metrics that the services really show, with the labels of their series."""
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        text = (await furnished.http.get(f"{furnished.admin_url(service)}/metrics")).text
        for name in re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE):
            found.setdefault(name, set())
            if "histogram" in text.split(f"# TYPE {name} ")[1].partition("\n")[0]:
                for part in ("bucket", "sum", "count"):
                    found.setdefault(f"{name}_{part}", set())
        for name, labels in re.findall(r"^([a-z_]+)\{(.*)\} \S+$", text, re.MULTILINE):
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    yield found


async def test_every_metric_in_a_rule_and_on_a_dashboard_is_one_that_a_service_shows(
    shown: dict[str, set[str]],
) -> None:
    """
    And so is each label by which it is chosen, where the metric has a series yet.
    """
    asked = [rule["expr"] for rule in rules()] + expressions()
    names = {name for one in asked for name in re.findall(r"\b(?:pledgewire|process)_\w+", one)}
    chosen = [found for one in asked for found in re.findall(r"\b((?:pledgewire|process)_\w+)\{([^}]*)\}", one)]

    assert len(names) > 35
    assert names - shown.keys() == set()
    given = {"service", "instance", "job"}
    wrong = {
        (name, label)
        for name, matchers in chosen
        for label in re.findall(r"(\w+)\s*[=!]~?=?", matchers)
        if shown[name] and label not in shown[name] | given
    }
    assert wrong == set()
    assert (ALERTS / "prometheus.yaml").read_text().count("service: ") == len(SERVICES)
