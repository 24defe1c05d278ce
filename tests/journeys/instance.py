"""The whole instance as processes, on a clock that the test sets, told as a timetable.

Every line says when, and every wait is for rest (nothing under way until the clock moves), never for a time.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.envelope import Envelope, to_record
from contracts.events import StatusReported
from contracts.topics import ingest_topic, topic_named
from contracts.vocabulary import Status
from deploy.embedded.stack import EmbeddedStack
from services.cli.fleet import Fleet
from services.cli.observing import Observer
from services.cli.topic_check import check_topics
from services.plumbing.clock import SharedClock
from services.plumbing.kafka.settings import KafkaSettings
from services.registry.catalogue.loading import load
from tests.journeys.inbox_reader import InboxReader
from tests.journeys.metrics import Metrics

SIGNING_SECRET = "whsec_am91cm5leXMtc2VjcmV0LWpvdXJuZXlz"
FIRST_DAY = date(2021, 11, 18)
_CATALOGUE = load()
BOUND = {one.id: one.parties or _CATALOGUE.statement.parties for one in _CATALOGUE.commitments}
"""Whom each commitment binds."""


def day(number: int) -> datetime:
    """So many days after the statement, at 18:00 UTC: noon in Mexico City, past nine in all three capitals."""
    return datetime.combine(FIRST_DAY + timedelta(days=number), time(18), UTC)


def on(year: int, month: int, dayofmonth: int) -> datetime:
    """The same hour of a day of the calendar."""
    return datetime.combine(date(year, month, dayofmonth), time(18), UTC)


@dataclass(kw_only=True)
class LiveInstance(InboxReader):
    """Everything that runs, what may be done to it, and what its receivers have got."""

    stack: EmbeddedStack
    fleet: Fleet
    clock: SharedClock
    observer: Observer
    key: str
    kafka: KafkaSettings
    database_url: str
    access_file: Path
    """Who may do what on Kafka."""
    doubled_before: int = 0
    """Repeats that earlier tests in this instance have explained."""
    strange: Counter[str] = field(default_factory=Counter)
    """By topic, records that tests have written onto topics which are our services' alone."""

    def url(self, name: str) -> str:
        return self.fleet.members[name].url

    def admin_url(self, name: str) -> str:
        return self.fleet.members[name].admin_url

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def at(self, instant: datetime) -> "LiveInstance":
        """Move the clock there and wait for rest."""
        self.clock.set(instant)
        await self.rest()
        return self

    async def begin(self, instant: datetime) -> "LiveInstance":
        """Move the clock there; what has been told up to then is no matter of this test."""
        await self.at(instant)
        await self.read_all()
        return self

    async def rest(self, seconds: float = 60.0) -> None:
        await self.observer.rest(self.clock, seconds=seconds)

    async def import_statement(self) -> httpx2.Response:
        response = await self.http.post(
            f"{self.url('registry')}/statements/import",
            json={"catalogue": "nals-2021"},
            headers=self.headers | {"Idempotency-Key": str(uuid4())},
        )
        assert response.status_code in (200, 201), response.text
        await self.rest()
        return response

    async def subscribe(self, channel: str, name: str, *, language: str = "en", **filters: list[str]) -> dict[str, Any]:
        """A subscription to the inbox; its name is that of the hook or the part before the @."""
        address = f"{name}@ministry.example" if channel == "email" else f"{self.inbox_url}/hooks/{channel}/{name}"
        body: dict[str, Any] = {
            "subscriber": f"Ministry of {name}",
            "channel": channel,
            "address": address,
            "language": language,
            "zone": "America/Mexico_City",
            "filters": filters,
        }
        if channel == "webhook":
            body["secret"] = SIGNING_SECRET
            await self.http.put(f"{self.inbox_url}/dev/inbox/secrets/{name}", json={"secret": SIGNING_SECRET})
        response = await self.http.post(f"{self.url('notifier')}/subscriptions", json=body, headers=self.headers)
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    async def post_status(
        self,
        commitment: str,
        status: str,
        *,
        key: str | None = None,
        thread: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """Post a status update over HTTP; not waited for, and its answer not judged.

        An editor speaks, of the first party that is bound where none is named; what is met is shown. `thread` are
        headers that say which work it belongs to.
        """
        party = more.pop("party", None) or BOUND[commitment][0]
        if status == "met":
            more = {"evidence": {"url": "https://example.org/a", "title": "A", "retrieved_on": "2021-11-18"}} | more
        return await self.http.post(
            f"{self.url('registry')}/commitments/{commitment}/status-updates",
            json={"status": status, "party": party, **more},
            headers=self.headers | {"Idempotency-Key": key or str(uuid4())} | dict(thread or {}),
        )

    async def tell_status(self, commitment: str, status: str, **more: Any) -> dict[str, Any]:
        """Post a status update, which has to be taken, and wait until everybody has been told."""
        response = await self.post_status(commitment, status, **more)
        assert response.status_code == 201, response.text
        await self.rest()
        answer: dict[str, Any] = response.json()
        return answer

    async def move_anchor(self, anchor: str, edtf: str | None, *, source: str) -> dict[str, Any]:
        """Give an anchor a date that became known today, and wait until everybody has been told."""
        response = await self.http.put(
            f"{self.url('registry')}/anchors/{anchor}",
            json={"edtf": edtf, "source": {"text": source}, "known_on": self.now.date().isoformat()},
            headers=self.headers | {"Idempotency-Key": str(uuid4())},
        )
        assert response.status_code == 200, response.text
        await self.rest()
        answer: dict[str, Any] = response.json()
        return answer

    async def insist_on_status(self, commitment: str, status: str, **more: Any) -> dict[str, Any]:
        """Post as a careful client does: the same key until there is an answer."""
        key = str(uuid4())
        return await self._insist(lambda: self.post_status(commitment, status, key=key, **more))

    async def insist_on_statuses(self, commitments: Sequence[str], status: str) -> dict[str, Any]:
        """The same of several in one request, which is one cause."""
        reports = [
            {"report_id": str(uuid4()), "commitment_id": one, "status": status, "party": BOUND[one][0]}
            for one in commitments
        ]
        return await self._insist(
            lambda: self.http.post(
                f"{self.url('registry')}/status-updates", json={"reports": reports}, headers=self.headers
            )
        )

    async def insist_on_move(self, anchor: str, edtf: str, *, source: str) -> dict[str, Any]:
        """Move an anchor as a careful client does."""
        key = str(uuid4())
        return await self._insist(
            lambda: self.http.put(
                f"{self.url('registry')}/anchors/{anchor}",
                json={"edtf": edtf, "source": {"text": source}, "known_on": self.now.date().isoformat()},
                headers=self.headers | {"Idempotency-Key": key},
            )
        )

    async def _insist(self, ask: Callable[[], Awaitable[httpx2.Response]]) -> dict[str, Any]:
        for _ in range(600):
            try:
                response = await ask()
            except httpx2.TransportError:
                self.fleet.revive()
                await asyncio.sleep(0.1)
                continue
            if response.status_code < 300:
                answer: dict[str, Any] = response.json()
                return answer
            assert response.status_code in (503, 409), response.text
            await asyncio.sleep(0.1)
        raise AssertionError("no answer in a minute")

    async def report_over_kafka(
        self, ministry: str, commitment: str, status: str, *, report_id: UUID | None = None, **more: Any
    ) -> UUID:
        """Send a report to the ministry's topic; the id of its event."""
        report = StatusReported(
            report_id=report_id or uuid4(),
            commitment_id=commitment,
            status=Status(status),
            reported_at=self.now,
            **more,  # type: ignore[arg-type]
        )
        event_id = uuid4()
        record = to_record(report, Envelope(event_id, self.now, commitment), ingest_topic(ministry))
        await self.produce(record.topic, record.key.encode(), record.value, record.headers)
        return event_id

    async def produce(self, topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, str]) -> None:
        """Put a record on a topic, whatever it is."""
        producer = AIOKafkaProducer(**self.kafka.client_options(), acks="all", enable_idempotence=True)
        await producer.start()
        try:
            await producer.send_and_wait(topic, value, key=key, headers=[(k, v.encode()) for k, v in headers.items()])
        finally:
            await producer.stop()
        if not topic_named(topic).is_ingest:
            self.strange[topic] += 1

    async def read_topic(self, topic: str) -> list[Any]:
        """All records of a topic, as they stand now."""
        consumer = AIOKafkaConsumer(**self.kafka.client_options(), auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.subscribe([topic])
            await consumer.getmany(timeout_ms=200)
            partitions = list(consumer.assignment())
            ends = await consumer.end_offsets(partitions)
            for partition in partitions:
                consumer.seek(partition, 0)
            records: list[Any] = []
            while sum(ends.values()) > len(records):
                for batch in (await consumer.getmany(timeout_ms=1000)).values():
                    records += batch
            return records
        finally:
            await consumer.stop()

    async def assert_nothing_lost(self, *, doubles: int = 0) -> None:
        """The conservation laws hold, what counts as delivered has arrived, no more is doubled than is explained."""
        await self.rest()
        checks = await self.observer.conservation() + await check_topics(self.observer.connection, self.kafka)
        told = (
            f"0 absent, 0 different, {self.strange.total()} unknown"  # what was written past our services, and no more
        )
        broken = [check for check in checks if not check.ok and not (self.strange and check.found.endswith(told))]
        assert broken == [], repr(broken)
        arrived = {arrival.delivery_id for arrival in await self.arrivals()}
        assert await self.observer.delivered() - arrived == set()
        assert await self.doubled() - self.doubled_before <= doubles

    async def doubled(self) -> int:
        """How many messages have arrived beyond the first of their delivery."""
        copies = Counter(arrival.delivery_id for arrival in await self.arrivals())
        return sum(copies.values()) - len(copies)

    async def logs_told(self) -> None:
        """Wait until every entry of the audit logs is linked, and stands behind a head that is published."""
        untold = " or ".join(
            f"exists (select from {service}.audit_pending)"
            f" or (select position from {service}.audit_head)"
            f" < (select coalesce(max(position), 0) from {service}.audit_entry)"
            f" or exists (select from {service}.outbox where published_at is null)"
            for service in ("registry", "scheduler", "notifier")
        )
        async with asyncio.timeout(60):
            while await self.observer.connection.fetchval(f"select {untold}"):  # noqa: ASYNC110  other processes
                await asyncio.sleep(0.1)

    async def report_taken_in(self, report_id: UUID) -> None:
        """Wait until the registry has taken in a ministry's report, and everybody has been told."""
        for _ in range(1000):
            if await self.observer.registry_has_read(report_id):
                return await self.rest()
            await asyncio.sleep(0.02)
        raise AssertionError("the report has not been heard in twenty seconds")

    async def feeds_caught_up(self) -> None:
        """Wait until the feeds have taken up every reminder of the last weeks; they do so behind the tick."""
        for _ in range(1500):
            if not await self.observer.connection.fetchval(
                "select exists (select from scheduler.outbox o where topic = 'milestone-due' and created_at > $1"
                " and not exists (select from scheduler.feed_event e where e.event_id = o.event_id))",
                self.now - timedelta(days=30),
            ):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the feeds have not taken up all reminders in thirty seconds")

    async def unanswered(self, count: int) -> None:
        """Wait until so many messages have got no answer, and nothing else is under way."""
        for _ in range(1500):
            work = await self.observer.pending_work(self.now)
            if work.only_unanswered and work.deliveries_unanswered == count:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"not without an answer in thirty seconds: {work}")

    async def troubles(self, service: str) -> dict[str, str]:
        """What a service names as the reason why it is not ready; nothing where it is."""
        answer = await self.http.get(f"{self.admin_url(service)}/readyz")
        body = answer.json()
        wrong = {name: what for name, what in body["checks"].items() if what != "ok"}
        assert (answer.status_code, body["status"]) == ((503, "waiting") if wrong else (200, "ready"))
        return wrong

    async def troubles_if_up(self, service: str) -> dict[str, str]:
        """The same of a service that has only been started: nothing while it does not answer."""
        try:
            return await self.troubles(service)
        except httpx2.TransportError:
            return {}

    async def expect_troubles(self, check: str | None, *services: str) -> None:
        """Wait until this check fails in each of the services, or none does: Kafka's silence is noticed late."""

        def is_so(troubles: Mapping[str, str]) -> bool:
            return check in troubles if check else not troubles

        found: dict[str, dict[str, str]] = {}
        try:
            async with asyncio.timeout(60):
                for service in services:
                    while not is_so(found.setdefault(service, await self.troubles(service))):
                        del found[service]
                        await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(
                f"instead of {check}: {[await self.troubles(service) for service in services]}"
            ) from None

    async def metrics(self, service: str) -> Metrics:
        """The metrics of a service as they are now."""
        return Metrics.read((await self.http.get(f"{self.admin_url(service)}/metrics")).text)

    async def expect_metric(self, service: str, name: str, labels: str, value: float) -> None:
        """Wait until a series has this value: some are measured only now and then."""
        async with asyncio.timeout(60):
            while (await self.metrics(service)).values[name].get(labels) != value:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.1)

    async def reminders_ahead(self, commitment: str) -> int:
        """How many reminders of it the scheduler still means to send."""
        response = await self.http.get(f"{self.url('scheduler')}/reminders", params={"commitment": commitment})
        return len(response.json()["items"])

    async def status_of(self, commitment: str) -> dict[str, Any]:
        response = await self.http.get(f"{self.url('registry')}/commitments/{commitment}")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found
