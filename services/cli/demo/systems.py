"""Other parties' systems, which know Pledgewire only by its contracts: one reads a topic, one writes its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.envelope import Envelope, from_record, to_record
from contracts.events import MilestoneDue, StatusReported
from contracts.topics import MILESTONE_DUE, ingest_topic
from services.plumbing.kafka.settings import KafkaSettings


class ReminderConsumer:
    """A system with a Kafka consumer of its own on `milestone-due`; it checks by `seq` that it misses nothing."""

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        self._settings = settings
        self._group = group
        self.received = 0
        self.gaps = 0
        self.repeats = 0
        self._last: dict[str, int] = {}

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator["ReminderConsumer"]:
        """Read the topic in the background."""
        consumer = AIOKafkaConsumer(
            MILESTONE_DUE.name,
            **self._settings.client_options(),
            group_id=self._group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        task = asyncio.create_task(self._read(consumer))
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            for batch in (await consumer.getmany(timeout_ms=1000)).values():
                for record in batch:
                    _, event = from_record(MilestoneDue, record.key, record.headers, record.value)
                    self._count(event)
            await consumer.commit()

    def _count(self, event: MilestoneDue) -> None:
        last = self._last.get(event.commitment.id, 0)
        if event.seq <= last:
            self.repeats += 1
            return
        self.gaps += event.seq - last - 1
        self._last[event.commitment.id] = event.seq
        self.received += 1


class MinistryReporter:
    """A ministry's system that reports on its own ingest topic."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._producer = AIOKafkaProducer(**settings.client_options(), acks="all", enable_idempotence=True)

    async def __aenter__(self) -> "MinistryReporter":
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def report(self, ministry: str, report: StatusReported, now: datetime) -> None:
        """Send a report and wait until Kafka has it."""
        topic = ingest_topic(ministry)
        record = to_record(report, Envelope(uuid4(), now, report.commitment_id), topic)
        await self._producer.send_and_wait(
            record.topic,
            record.value,
            key=record.key.encode(),
            headers=[(name, value.encode()) for name, value in record.headers.items()],
        )
