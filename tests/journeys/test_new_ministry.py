"""A ministry that nobody knew this morning: entered, let in and heard, while everything runs on."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from contracts.envelope import Envelope, from_record, to_record
from contracts.events import StatusChanged, StatusReported
from contracts.topics import ingest_topic, rejected_topic
from contracts.vocabulary import Status
from services.plumbing.kafka.settings import KafkaSettings
from tests.journeys.instance import LiveInstance
from tests.journeys.operating import pledgewire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COAL = "nals-2021-coal-finance"
CODE = "mx-semarnat"
NAME = {"es": "Secretaría de Medio Ambiente y Recursos Naturales"}


async def test_a_new_ministry_is_heard_without_a_start_anew(instance: LiveInstance) -> None:
    """
    Its topics and its user come from one command, and the registry reads them within seconds.
    """
    await instance.import_statement()
    pids = instance.fleet.pids()
    entered = await instance.http.post(
        f"{instance.url('registry')}/ministries",
        json={"code": CODE, "party": "MX", "name": NAME},
        headers=instance.headers | {"Idempotency-Key": str(uuid4())},
    )
    assert entered.status_code == 201, entered.text
    environment = {**instance.stack.environment(), "ACCESS_FILE": str(instance.access_file)}
    granted = await asyncio.to_thread(
        pledgewire, environment, "access", "grant", "ministry", CODE, "--read", "status-changed", "--report", "--json"
    )
    ministry: KafkaSettings = instance.kafka.model_copy(
        update={"sasl_username": CODE, "sasl_password": SecretStr(json.loads(granted)["password"])}
    )

    event_id = await replace(instance, kafka=ministry).report_over_kafka(CODE, COAL, "in-progress")
    async with asyncio.timeout(30):
        while not (await instance.status_of(COAL))["status_updates"]:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.2)

    (record,) = await replace(instance, kafka=ministry).read_topic("status-changed")
    _, told = from_record(StatusChanged, record.key, record.headers, record.value)
    assert told.reported_by.ministry == CODE
    assert told.reported_by.ministry_name and told.reported_by.ministry_name.root == NAME
    assert event_id
    assert (told.party, told.current) == ("MX", True)
    await _everything_of_before(instance, ministry)
    assert instance.fleet.pids() == pids
    await instance.assert_nothing_lost()


async def _everything_of_before(instance: LiveInstance, ministry: KafkaSettings) -> None:
    """It sends its whole state once more, under its quota: each report is answered once, and the next is heard soon."""
    before = instance.now - timedelta(days=400)
    stale = {uuid4(): COAL if n % 2 else "nals-2021-no-such" for n in range(1600)}
    began = time.monotonic()
    producer = AIOKafkaProducer(**ministry.client_options(), acks="all", enable_idempotence=True)
    async with producer:
        for number, (report_id, commitment) in enumerate(stale.items()):
            await producer.send(**_record(report_id, commitment, before + timedelta(minutes=number)))
        await producer.flush()
        good = uuid4()
        await producer.send_and_wait(**_record(good, COAL, instance.now))
    sent = time.monotonic() - began  # tells what the machine can do besides just now: sending takes it a second or two
    async with asyncio.timeout(max(5, 3 * sent)):
        while not await instance.observer.registry_has_read(good):  # noqa: ASYNC110  another process
            await asyncio.sleep(0.05)
    await instance.rest()

    own = replace(instance, kafka=ministry)
    refused = [json.loads(one.value) for one in await own.read_topic(rejected_topic(CODE).name)]
    changed = [json.loads(one.value) for one in await own.read_topic("status-changed")]
    answers = Counter(UUID(one["report_id"]) for one in [*refused, *changed[1:]])
    assert answers == Counter([*stale, good])
    assert {one["reason"] for one in refused} == {"not-found"}
    assert [one["current"] for one in changed[1:]] == [False] * 800 + [True]
    assert len({(one["partition"], one["offset"]) for one in refused}) == 800


def _record(report_id: UUID, commitment: str, said: datetime) -> dict[str, Any]:
    report = StatusReported(
        report_id=report_id, commitment_id=commitment, status=Status.AT_RISK, note=str(report_id), reported_at=said
    )
    record = to_record(report, Envelope(report_id, said, commitment), ingest_topic(CODE))
    return {
        "topic": record.topic,
        "value": record.value,
        "key": record.key.encode(),
        "headers": [(name, text.encode()) for name, text in record.headers.items()],
    }
