"""News that newer news overtakes while it waits: the reader's last message says what is true, and nothing is lost."""

import asyncio
import email
import email.policy
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from contracts.vocabulary import PartyCode, Status
from services.i18n.words import words_in
from services.notifier.channels.outcomes import Delivered, FailureReason, Refused
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import Attempt, Delivery, DeliveryResult, after_attempt, to_send
from services.notifier.delivery.fan_out import FanOut, IncomingEvent
from services.notifier.delivery.results import record_results
from services.notifier.delivery.turns import promote
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.published_event import LocalizedEvent, Telling
from services.notifier.rendering.message import SUBJECT_LENGTH
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.notifier.transport.smtp import SmtpPool, SmtpSettings
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.notifier.delivery.dispatching import SETTINGS, dispatch_at
from tests.notifier.scenes import MUCH_CAPACITY, NO_CAPACITY, NOW, incoming, states, subscribe

ONE_DAY = timedelta(days=1)


def status(was: Status, becomes: Status, seq: int, party: PartyCode = "MX") -> IncomingEvent:
    """A status that changes, and stays what it is told to be."""
    made = incoming(seq=seq)
    data = made.event.data.model_copy(  # type: ignore[attr-defined]
        update={"previous": was, "status": becomes, "overall": becomes, "note": None, "party": party}
    )
    value = data.model_dump_json().encode()
    event = type(made.event)(made.event.id, made.event.topic, NOW, value).already_read(data)
    kind = EVENT_TYPES[event.topic]
    return IncomingEvent(event, seq, None, kind.traits(data), data.cause, kind.collapse_key(data))


AT_RISK = (Status.IN_PROGRESS, Status.AT_RISK)
MET = (Status.AT_RISK, Status.MET)


class Notifier:
    """A process, by hand: it claims, and records what became of what it sent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._claims = DeliveryClaims(database, lease_seconds=60)
        self.fan_out = FanOut(database, lease_seconds=60)

    async def claim(self) -> tuple[list[Delivery], list[DeliveryResult]]:
        return to_send(await self._claims.claim(NOW + ONE_DAY, MUCH_CAPACITY), NOW + ONE_DAY)

    async def record(self, *results: DeliveryResult) -> None:
        async with self._database.transaction() as connection:
            await record_results(self._database, connection, results)
        await promote(self._database, {result.delivery.thread for result in results})

    async def fail(self, delivery: Delivery) -> None:
        refused = Refused(FailureReason.BUSY, 503, retryable=True)
        await self.record(after_attempt(delivery, Attempt(NOW, NOW, 1.0, refused), 0.5))

    async def deliver(self, delivery: Delivery) -> None:
        await self.record(after_attempt(delivery, Attempt(NOW, NOW, 1.0, Delivered(200)), 0.5))


@pytest.fixture
def notifier(database: Database) -> Notifier:
    return Notifier(database)


async def tried(notifier: Notifier, *events: IncomingEvent) -> None:
    """The first of these is tried in vain; the others come then."""
    first, *others = events
    (delivery,) = (await notifier.fan_out.apply([first], NOW, MUCH_CAPACITY)).claimed
    await notifier.fail(delivery)
    for event in others:
        await notifier.fan_out.apply([event], NOW, MUCH_CAPACITY)


async def test_what_was_tried_and_then_overtaken_is_not_told_and_what_overtook_it_says_so(
    database: Database, notifier: Notifier
):
    await subscribe(database, channel="slack")
    at_risk, met = status(*AT_RISK, 1), status(*MET, 2)
    await tried(notifier, at_risk, met)

    (sent,), (end,) = await notifier.claim()

    assert (end.delivery.event_id, end.state, end.reason) == (at_risk.event.id, "suppressed", "overtaken")
    assert (sent.event_id, sent.before, sent.is_overtaken) == (met.event.id, (at_risk.event.id,), False)
    await notifier.record(end)
    await notifier.record(DeliveryResult(sent, "pending", NOW))
    (again,), ends = await notifier.claim()
    assert (again.before, ends) == ((at_risk.event.id,), []), "it is known to whoever claims it next"
    await notifier.deliver(again)
    assert await states(database) == {"suppressed": 1, "delivered": 1}, "every event keeps its row"


async def test_what_has_been_said_once_is_not_said_again(database: Database, notifier: Notifier):
    await subscribe(database, channel="slack")
    await tried(notifier, status(*AT_RISK, 1), status(*MET, 2))
    (sent,), (end,) = await notifier.claim()
    await notifier.record(end)
    await notifier.deliver(sent)
    third, fourth = status(Status.MET, Status.PARTLY_MET, 3), status(Status.PARTLY_MET, Status.MET, 4)
    await tried(notifier, third, fourth)

    (sent,), _ = await notifier.claim()

    assert sent.before == (third.event.id,)


async def test_a_system_is_told_everything_in_order_and_unmarked(database: Database, notifier: Notifier):
    await subscribe(database, channel="webhook")
    events = [status(*AT_RISK, 1), status(*MET, 2)]
    await tried(notifier, *events)

    sent, ends = await notifier.claim()

    assert ([delivery.event_id for delivery in sent], ends) == ([event.event.id for event in events], [])


async def test_news_of_another_party_overtakes_nothing(database: Database, notifier: Notifier):
    await subscribe(database, channel="slack")
    events = [status(*AT_RISK, 1, "MX"), status(*MET, 2, "CA")]
    await tried(notifier, *events)

    sent, ends = await notifier.claim()

    assert ([d.event_id for d in sent], ends) == ([event.event.id for event in events], [])
    assert [d.is_overtaken for d in sent] == [False, False]


@pytest.mark.parametrize("capacity", [NO_CAPACITY, MUCH_CAPACITY])
async def test_a_burst_is_told_whole_and_in_order_and_what_is_overtaken_is_known(
    database: Database, notifier: Notifier, capacity: Any
):
    await subscribe(database, channel="teams")
    events = [status(*AT_RISK, 1), status(*MET, 2)]
    sent = (await notifier.fan_out.apply(events, NOW, capacity)).claimed or (await notifier.claim())[0]

    assert [(d.event_id, d.is_overtaken) for d in sent] == [(events[0].event.id, True), (events[1].event.id, False)]


class Mailbox:
    """Defers the first mails that come, and keeps the others."""

    def __init__(self, deferred: int) -> None:
        self.deferred = deferred
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        if self.deferred:
            self.deferred -= 1
            return "451 Not now, please"
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 Kept"


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box := Mailbox(deferred=1), hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.mark.parametrize(
    ("language", "before", "risk"), [("en", "before that", "at risk"), ("es", "antes de eso", "en riesgo")]
)
async def test_a_mailbox_that_defers_the_first_mail_hears_the_truth_last(
    database: Database, tmp_path: Any, mailbox: tuple[Mailbox, int], language: str, before: str, risk: str
):
    """It is told to come again with "at risk", and meanwhile the commitment is met."""
    box, port = mailbox
    clock = SharedClock(tmp_path / "clock")
    clock.set(NOW)
    await subscribe(database, "desk@example.org", channel="email", language=language)
    http = HttpClient(HttpClientSettings(), AllowList.of([]))
    pool = SmtpPool(SmtpSettings(host="127.0.0.1", port=port, tls="none"))
    stopping = asyncio.Event()
    # No process dies here, so no lease is to run out, however busy the machine is: the mail would be sent again.
    settings = SETTINGS.model_copy(update={"lease_seconds": 60.0})
    running = asyncio.create_task(dispatch_at(database, clock, http, pool, settings).run(stopping))
    fan_out = FanOut(database, lease_seconds=60)
    try:
        async with asyncio.timeout(30):
            await fan_out.apply([status(*AT_RISK, 1)], NOW, NO_CAPACITY)
            while box.deferred or await states(database) != {"pending": 1}:  # noqa: ASYNC110  rows
                await asyncio.sleep(0.02)
            await fan_out.apply([status(*MET, 2)], NOW, NO_CAPACITY)
            clock.set(NOW + ONE_DAY)
            while await states(database) != {"suppressed": 1, "delivered": 1}:  # noqa: ASYNC110  rows
                await asyncio.sleep(0.02)
    finally:
        stopping.set()
        await running
        await http.close()
        await pool.close()

    (mail,) = box.mails
    text = mail.get_body(("plain",)).get_content().casefold()
    assert before in text
    assert text.index(before) < text.index(risk, text.index(before))


def test_earlier_news_says_so_wherever_it_is_looked_at():
    """Subject, headline and first words: a chat may show any of them alone."""
    event = status(*AT_RISK, 1).event
    for language in ("en", "es", "fr"):
        words = words_in(language)
        news = LocalizedEvent(event, words, "https://p.example").message
        late = LocalizedEvent(event, words, "https://p.example", Telling(is_overtaken=True)).message
        assert late.subject != news.subject
        assert len(late.subject) <= SUBJECT_LENGTH
        assert news.headline.casefold() in late.headline.casefold()
        assert late.lead.endswith(news.lead)
        assert late.lead != news.lead
