"""Who reports: so many status updates a second, over HTTP and over Kafka in turn, each until it is accepted."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import httpx2
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts.envelope import Envelope, to_record
from contracts.events import EnteredEvidence, StatusReported
from contracts.topics import ingest_topic
from contracts.vocabulary import Status
from services.plumbing.kafka.settings import KafkaSettings
from services.registry.actions.events import report_event_id

MINISTRY, PARTY = "mx-sre", "MX"
PROOF = {"url": "https://example.org/a", "title": "The record", "retrieved_on": "2022-01-01"}
STATUSES = (Status.IN_PROGRESS, Status.AT_RISK, Status.MET, Status.PARTLY_MET)
"""Each may follow on each, and on itself, where a note says why and a page shows it."""


@dataclass(frozen=True, slots=True)
class Update:
    """A status update that was accepted: answered with 201, or acknowledged by the broker."""

    event_id: UUID
    commitment_id: str
    status: str
    way: str
    accepted_at: float


@dataclass
class Poster:
    """Reports in a random order of commitments and statuses; all it needs is in its arguments."""

    random: Random
    rate: float
    commitments: Sequence[str]
    registry_url: str
    key: str
    kafka: KafkaSettings
    accepted: list[Update] = field(default_factory=list)
    tried_again: int = 0

    def __post_init__(self) -> None:
        self._posting: set[asyncio.Task[None]] = set()
        self._over_http: set[asyncio.Task[None]] = set()
        self._may_post = asyncio.Event()
        self._may_post.set()

    async def run(self, seconds: float) -> None:
        """Report for so long; returns when everything is accepted."""
        options = self.kafka.client_options() | {"metadata_max_age_ms": 2000}  # so that added partitions are written to
        producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True)
        await producer.start()
        try:
            async with httpx2.AsyncClient(timeout=30, trust_env=False) as http, asyncio.TaskGroup() as tasks:
                begun = time.monotonic()
                for number in range(int(seconds * self.rate)):
                    await asyncio.sleep(begun + number / self.rate - time.monotonic())
                    commitment, status = self.random.choice(self.commitments), self.random.choice(STATUSES)
                    id_ = UUID(int=self.random.getrandbits(128), version=4)
                    if number % 2:
                        tasks.create_task(self._over_kafka(producer, id_, commitment, status))
                    else:
                        task = tasks.create_task(self._over_the_api(http, id_, commitment, status))
                        self._over_http.add(task)
                        task.add_done_callback(self._over_http.discard)
        finally:
            await producer.stop()

    async def stop_posting(self) -> None:
        """Post nothing more over HTTP until `go_on`; returns when all that was begun has its answer."""
        self._may_post.clear()
        begun = [task for task in self._over_http if task.get_name() == _BEGUN]
        if begun:
            await asyncio.wait(begun)

    def go_on(self) -> None:
        """Post again."""
        self._may_post.set()

    async def _over_the_api(self, http: httpx2.AsyncClient, key: UUID, commitment: str, status: Status) -> None:
        await self._may_post.wait()
        current = asyncio.current_task()
        assert current
        current.set_name(_BEGUN)
        while True:
            try:
                response = await http.post(
                    f"{self.registry_url}/commitments/{commitment}/status-updates",
                    json={"status": status, "party": PARTY, "note": f"Update {key}", "evidence": PROOF},
                    headers={"Authorization": f"Bearer {self.key}", "Idempotency-Key": str(key)},
                )
            except httpx2.TransportError:
                response = None
            if response is not None and response.status_code == 201:
                event_id = UUID(response.json()["event_id"])
                self.accepted.append(Update(event_id, commitment, status, "http", time.time()))
                return
            assert response is None or response.status_code in (408, 409, 503), response.text
            self.tried_again += 1
            await asyncio.sleep(0.3)

    async def _over_kafka(self, producer: AIOKafkaProducer, id_: UUID, commitment: str, status: Status) -> None:
        now = datetime.now(UTC)
        report = StatusReported(
            report_id=id_,
            commitment_id=commitment,
            status=status,
            reported_at=now,
            note=f"Update {id_}",
            evidence=EnteredEvidence.model_validate_json(json.dumps(PROOF)),
        )
        record = to_record(report, Envelope(id_, now, commitment), ingest_topic(MINISTRY))
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        while True:
            try:
                await producer.send_and_wait(record.topic, record.value, key=record.key.encode(), headers=headers)
            except KafkaError:
                self.tried_again += 1
                await asyncio.sleep(0.3)
                continue
            event_id = report_event_id(MINISTRY, id_)
            self.accepted.append(Update(event_id, commitment, status, "kafka", time.time()))
            return


_BEGUN = "begun"
