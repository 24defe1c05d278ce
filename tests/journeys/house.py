"""The whole house as processes, on a clock that the test sets, told as a timetable.

Every line says when, and every wait is for rest (nothing under way until the clock moves), never for a time.
"""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.envelope import Envelope, to_record
from contracts.events import StatusReported
from contracts.topics import BY_NAME
from contracts.vocabulary import Status
from deploy.embedded.stack import EmbeddedStack
from services.cli.databases import upgrade_all
from services.cli.fleet import Fleet, free_port
from services.cli.observing import Observer
from services.cli.platform import add_key
from services.cli.topics import apply_topics
from services.plumbing.clock import SharedClock
from services.plumbing.kafka.settings import KafkaSettings

SIGNING_SECRET = "whsec_am91cm5leXMtc2VjcmV0LWpvdXJuZXlz"
FIRST_DAY = date(2021, 11, 18)


def day(number: int) -> datetime:
    """So many days after the statement, at 18:00 UTC: noon in Mexico City, past nine in all three capitals."""
    return datetime.combine(FIRST_DAY + timedelta(days=number), time(18), UTC)


def on(year: int, month: int, dayofmonth: int) -> datetime:
    """The same hour of a day of the calendar."""
    return datetime.combine(date(year, month, dayofmonth), time(18), UTC)


@dataclass(frozen=True)
class Arrival:
    """One message as a receiver got it."""

    delivery_id: str
    kind: str
    name: str
    at: float


@dataclass(frozen=True)
class Message:
    """One message as its receiver reads it."""

    number: int
    kind: str
    name: str
    title: str
    """A mail's subject, the heading of a card, type and subject of an event."""
    delivery_id: str
    commitment_id: str
    headers: Mapping[str, str]
    """By their names in lower case; a mail's own, or those of the HTTP request."""
    text: str
    """A mail's text part, with its lines joined; every text of a card; a webhook's JSON."""
    links: tuple[str, ...]

    @property
    def event(self) -> dict[str, Any]:
        """What a webhook carries: the CloudEvent."""
        found: dict[str, Any] = json.loads(self.text)
        return found


@dataclass
class House:
    """Everything that runs, and the hands to do things to it."""

    stack: EmbeddedStack
    fleet: Fleet
    clock: SharedClock
    observer: Observer
    http: httpx2.AsyncClient
    key: str
    kafka: KafkaSettings
    database_url: str
    inbox_url: str
    doubled_before: int = 0
    """Repeats that earlier tests in this house have explained."""
    _unread: list[dict[str, Any]] = field(default_factory=list)
    _read_to: int = 0

    def url(self, name: str) -> str:
        return self.fleet.members[name].url

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def at(self, instant: datetime) -> "House":
        """Move the clock there and wait for rest."""
        self.clock.set(instant)
        await self.rest()
        return self

    async def begin(self, instant: datetime) -> "House":
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

        `thread` are headers that say which work it belongs to.
        """
        return await self.http.post(
            f"{self.url('registry')}/commitments/{commitment}/status-updates",
            json={"status": status, **more},
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
        record = to_record(report, Envelope(event_id, self.now, commitment), BY_NAME[f"status-reported-{ministry}"])
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

    async def arrivals(self) -> list[Arrival]:
        """Everything that receivers have got, oldest first."""
        response = await self.http.get(f"{self.inbox_url}/dev/inbox/arrivals")
        return [Arrival(*row) for row in response.json()]

    async def messages(self, kind: str, name: str) -> list[dict[str, Any]]:
        """What one receiver has got, newest first, as the inbox lists it."""
        response = await self.http.get(
            f"{self.inbox_url}/dev/inbox/messages", params={"kind": kind, "name": name, "limit": 500}
        )
        found: Any = response.json()
        return found["messages"] if isinstance(found, dict) else found

    async def read_all(self) -> None:
        """Take no more notice of what has come so far."""
        await self._collect()
        self._unread = []

    async def read(self, name: str) -> list[Message]:
        """What one receiver has got and nobody has read yet, oldest first."""
        await self._collect()
        taken = [m["number"] for m in self._unread if _short(m) == name]
        self._unread = [m for m in self._unread if _short(m) != name]
        return [await self._whole(number) for number in taken]

    async def expect_mail(self, *, to: str, subject: str) -> Message:
        """One mail has come, and no other of that subject; `to` is the part before the @."""
        return await self._expect("email", to, subject, lambda message: message.title)

    async def expect_card(self, name: str, words: str, *, channel: str = "slack") -> Message:
        """One card has come, and no other with these words."""
        return await self._expect(channel, name, words, lambda message: message.text)

    async def expect_event(self, name: str, topic: str, commitment: str, **facts: Any) -> dict[str, Any]:
        """One webhook of this topic about this commitment has come, and no other; it has these facts. Its data."""
        title = f"org.pledgewire.{topic}.v1: {commitment}"
        event = (await self._expect("webhook", name, title, lambda message: message.title)).event
        data: dict[str, Any] = event["data"]
        assert {fact: data[fact] for fact in facts} == facts
        return data

    async def expect_nothing(self, *names: str, about: str | None = None) -> None:
        """These receivers have got nothing but what was expected, about anything or one commitment."""
        await self._collect()
        more = [m for m in self._unread if _short(m) in names and about in (None, m["commitment_id"])]
        assert [(m["kind"], m["name"], m["title"]) for m in more] == []

    async def _expect(self, kind: str, name: str, words: str, part: Callable[[Message], str]) -> Message:
        await self._collect()
        here = [await self._whole(m["number"]) for m in self._unread if (m["kind"], _short(m)) == (kind, name)]
        found = [message for message in here if words in part(message)]
        assert len(found) == 1, f"{len(found)} for {name} with {words!r} among {[part(m) for m in here]}"
        self._unread = [m for m in self._unread if m["number"] != found[0].number]
        return found[0]

    async def _collect(self) -> None:
        while True:
            response = await self.http.get(
                f"{self.inbox_url}/dev/inbox/messages", params={"after": self._read_to, "limit": 1000}
            )
            found = response.json()["messages"]
            if not found:
                return
            self._read_to = found[-1]["number"]
            self._unread += found

    async def _whole(self, number: int) -> Message:
        found = (await self.http.get(f"{self.inbox_url}/dev/inbox/messages/{number}")).json()
        mail = found.get("mail")
        match found["kind"]:
            case "email":
                text = " ".join(mail["text"].split())
            case "webhook":
                text = found["body"]
            case _:
                text = " ".join(_texts(json.loads(found["body"])))
        return Message(
            number=number,
            kind=found["kind"],
            name=found["name"],
            title=found["title"],
            delivery_id=found["delivery_id"],
            commitment_id=found["commitment_id"],
            headers={key.lower(): value for key, value in (mail or found)["headers"]},
            text=text,
            links=tuple(mail["links"]) if mail else (),
        )

    async def assert_nothing_lost(self, *, doubles: int = 0) -> None:
        """The conservation laws hold, what counts as delivered has arrived, no more is doubled than is explained."""
        await self.rest()
        broken = [check for check in await self.observer.conservation() if not check.ok]
        assert broken == []
        arrived = {arrival.delivery_id for arrival in await self.arrivals()}
        assert await self.observer.delivered() - arrived == set()
        assert await self.doubled() - self.doubled_before <= doubles

    async def doubled(self) -> int:
        """How many messages have arrived beyond the first of their delivery."""
        copies = Counter(arrival.delivery_id for arrival in await self.arrivals())
        return sum(copies.values()) - len(copies)

    async def refuse_once(self, kind: str, name: str) -> None:
        """Let one receiver answer 503 to its next message."""
        await self.behave(kind, name, fail_first=1, status=503)

    async def behave(self, kind: str, name: str, **behaviour: Any) -> None:
        """Let a receiver fail: `fail_first` so many messages (None: all) with this `status`."""
        response = await self.http.put(f"{self.inbox_url}/dev/inbox/behaviour/{kind}/{name}", json=behaviour)
        assert response.status_code < 300, response.text

    async def refusals(self, name: str) -> list[dict[str, Any]]:
        """What a receiver has turned away, oldest first."""
        response = await self.http.get(f"{self.inbox_url}/dev/inbox/refusals")
        return [refusal for refusal in reversed(response.json()) if refusal["name"] == name]

    async def heard(self, report_id: UUID) -> None:
        """Wait until the registry has taken in a ministry's report, and everybody has been told."""
        for _ in range(1000):
            if await self.observer.heard_by_registry(report_id):
                return await self.rest()
            await asyncio.sleep(0.02)
        raise AssertionError("the report has not been heard in twenty seconds")

    async def unanswered(self, count: int) -> None:
        """Wait until so many messages have got no answer, and nothing else is under way."""
        for _ in range(1500):
            work = await self.observer.pending_work(self.now)
            if work.only_unanswered and work.deliveries_unanswered == count:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"not without an answer in thirty seconds: {work}")

    async def reminders_ahead(self, commitment: str) -> int:
        """How many reminders of it the scheduler still means to send."""
        response = await self.http.get(f"{self.url('scheduler')}/reminders", params={"commitment": commitment})
        return len(response.json()["items"])

    async def status_of(self, commitment: str) -> dict[str, Any]:
        response = await self.http.get(f"{self.url('registry')}/commitments/{commitment}")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found


def _short(brief: Mapping[str, Any]) -> str:
    """A receiver's name as subscriptions here give it."""
    return str(brief["name"]).partition("@")[0]


def _texts(card: Any) -> Iterator[str]:
    """Every text in a card, wherever it stands."""
    if isinstance(card, dict):
        for key, value in card.items():
            if key in ("text", "value", "title") and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(card, list):
        for value in card:
            yield from _texts(value)


def kafka_settings(environment: Mapping[str, str]) -> KafkaSettings:
    """The settings that these environment variables would give."""
    named = {name.removeprefix("KAFKA_").lower(): value for name, value in environment.items() if name[:6] == "KAFKA_"}
    return KafkaSettings.model_validate({k: v for k, v in named.items() if k in KafkaSettings.model_fields})


@contextmanager
def prepared(folder: Path, *, brokers: int = 1) -> Iterator[tuple[EmbeddedStack, Fleet, SharedClock, str, str]]:
    """The parts and the processes, up and ready."""
    with EmbeddedStack(folder / "stack", brokers=brokers) as stack:
        environment = stack.environment()
        settings = kafka_settings(environment)

        async def prepare() -> None:
            await apply_topics(settings)
            await upgrade_all(environment["DATABASE_URL"])

        asyncio.run(prepare())
        clock = SharedClock(folder / "clock")
        clock.set(day(0))
        key = add_key(folder / "api-keys.json", "tests", ["editor", "reporter", "subscriber", "operator"], None)
        holder_key = add_key(folder / "api-keys.json", "registry", ["holder"], None)
        smtp = free_port()
        inbox = free_port()
        fleet = Fleet(
            folder / "fleet",
            environment
            | {
                "PLEDGEWIRE_CLOCK_FILE": str(folder / "clock"),
                "API_KEYS_FILE": str(folder / "api-keys.json"),
                "SCHEDULER_TICK_SECONDS": "0.05",
                "OUTBOX_LEASE_SECONDS": "2",
                "KAFKA_SESSION_TIMEOUT_MS": "2000",
                "SMTP_HOST": "127.0.0.1",
                "SMTP_PORT": str(smtp),
                "SMTP_TLS": "none",
                "NOTIFIER_ALLOW_HOSTS": "127.0.0.1",
                # An attempt is cut early, so that the lease of a killed notifier may be short.
                "NOTIFIER_LEASE_SECONDS": "5",
                "NOTIFIER_HTTP_DEADLINE": "2",
                "SMTP_DEADLINE": "2",
                "NOTIFIER_HOLD_SECONDS": "1",
                "NOTIFIER_SWEEP_SECONDS": "1",
                "INBOX_SMTP_PORT": str(smtp),
                "INBOX_WEBHOOK_SECRETS": json.dumps({}),
                "PORTAL_SECRET": secrets.token_hex(16),
            },
        )
        fleet.add_services(holder_key=holder_key)
        fleet.add("inbox", "deploy.embedded.inbox", port=inbox)
        fleet.start()
        try:
            fleet.wait_ready()
            yield stack, fleet, clock, key, f"http://127.0.0.1:{inbox}"
        finally:
            fleet.stop()


@asynccontextmanager
async def house_of(
    parts: tuple[EmbeddedStack, Fleet, SharedClock, str, str],
) -> Any:
    """Hands for a test, in its own event loop."""
    stack, fleet, clock, key, inbox_url = parts
    environment = stack.environment()
    settings = kafka_settings(environment)
    url = environment["DATABASE_URL"]
    async with Observer(url) as observer, httpx2.AsyncClient(timeout=30, trust_env=False) as http:
        yield House(stack, fleet, clock, observer, http, key, settings, url, inbox_url)
