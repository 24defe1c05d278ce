"""Who lost the link asks for it by mail: over HTTP on a real PostgreSQL, and a mail server that really listens."""

from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage

import httpx2 as httpx
import pytest

from services.notifier.channels.email import POLICY
from services.notifier.channels.mail_addresses import NamedAddress
from services.notifier.channels.outcomes import Accepted, AttemptOutcome, FailureReason, Refused
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.notices.link_mailer import LinkMailer
from services.notifier.notices.link_requests import BETWEEN_MAILS, MOST_ATTEMPTS, LinkRequests
from services.notifier.notices.permission import LOOK_AGAIN, MayTell, everybody
from services.plumbing.database import Database
from tests.notifier.scenes import DESTINATIONS, NOW, PAGES, TOKENS, Filters, subscribe

NOBODY = {"authorization": ""}


class Mails:
    """Stands in for the pool of connections to a mail server: it keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, EmailMessage]] = []
        self.answer: AttemptOutcome = Accepted(250)

    async def send(self, mail: bytes, sender: str, recipient: str, read_reply: object) -> AttemptOutcome:
        self.sent.append((recipient, message_from_bytes(mail, policy=POLICY)))  # type: ignore[arg-type]  # the policy says which class
        return self.answer


class Clocked:
    """A clock that a test moves."""

    settable = True

    def __init__(self) -> None:
        self.at = NOW

    def now(self):
        return self.at


@pytest.fixture
async def asked(database: Database) -> AsyncIterator[None]:
    async with database.connection() as connection:
        await connection.execute("delete from link_request")
    yield


def mailer(
    database: Database, mails: Mails, clock: Clocked, *, may_send: bool = True, may_tell: MayTell = everybody
) -> LinkMailer:
    return LinkMailer(
        LinkRequests(database, DESTINATIONS),
        mails,  # type: ignore[arg-type]  # it stands in
        PAGES.subscription,
        clock,  # type: ignore[arg-type]  # likewise
        sender=NamedAddress("Pledgewire", "notices@pledgewire.example"),
        allowed=AllowList(mail=True),
        may_send=lambda: may_send,
        may_tell=may_tell,
    )


async def ask(http: httpx.AsyncClient, address: str) -> httpx.Response:
    return await http.post("/link-requests", json={"address": address}, headers=NOBODY)


async def test_all_links_of_an_address_come_in_one_mail_in_their_languages(
    http: httpx.AsyncClient, database: Database, asked: None
) -> None:
    mine = [
        await subscribe(
            database, "Ana@sre.example", channel="email", language=language, filters=Filters(themes=(theme,))
        )
        for language, theme in (("es", "climate"), ("fr", "trade"), ("es", "health"))
    ]
    ended = await subscribe(database, "ana@sre.example", channel="email", state="ended")
    other = await subscribe(database, "luis@sre.example", channel="email")
    mails = Mails()
    await ask(http, "ana@SRE.example")
    await mailer(database, mails, Clocked()).beat()

    [(recipient, mail)] = mails.sent
    text = mail.get_content()
    assert (recipient, mail["subject"]) == ("Ana@sre.example", "Los enlaces de sus suscripciones")
    assert mail["content-language"] == "es, fr" and "Quelqu’un, probablement vous" in text
    assert all(f"https://portal.example/subscriptions/{TOKENS.token(id_)}" in text for id_ in mine)
    assert not any(TOKENS.token(id_) in text for id_ in (ended, other))


async def test_the_answer_and_what_is_written_are_the_same_for_every_address(
    http: httpx.AsyncClient, database: Database, asked: None
) -> None:
    """
    Known, unknown, ended, asked for already: one status, no body, one statement; nothing is sent by the request.
    """
    await subscribe(database, "known@sre.example", channel="email")
    await subscribe(database, "gone@sre.example", channel="email", state="ended")
    addresses = ["known@sre.example", "nobody@sre.example", "gone@sre.example", "known@sre.example"]
    answers = [await ask(http, address) for address in addresses]
    async with database.connection() as connection:
        rows = await connection.fetch("select * from link_request")

    assert {(one.status_code, one.content, one.headers.get("content-type")) for one in answers} == {(202, b"", None)}
    assert len(rows) == 3 and {row["state"] for row in rows} == {"waiting"}
    assert "sre.example" not in str([dict(row) for row in rows])


async def test_an_address_gets_one_mail_in_24_hours_whoever_asks_how_often(
    http: httpx.AsyncClient, database: Database, asked: None
) -> None:
    await subscribe(database, "ana@sre.example", channel="email")
    mails, clock = Mails(), Clocked()
    requests = LinkRequests(database, DESTINATIONS)
    for hours in (0, 1, 12, 23):
        clock.at = NOW + timedelta(hours=hours)
        await requests.ask("ana@sre.example", clock.now())
        await mailer(database, mails, clock).beat()
    assert len(mails.sent) == 1
    clock.at = NOW + timedelta(hours=24)
    await requests.ask("ana@sre.example", clock.now())
    await mailer(database, mails, clock).beat()
    assert len(mails.sent) == 2
    assert mails.sent[0][1]["message-id"] != mails.sent[1][1]["message-id"]


async def test_a_mail_that_was_not_taken_is_tried_again_and_not_for_ever(database: Database, asked: None) -> None:
    await subscribe(database, "ana@sre.example", channel="email")
    mails, clock = Mails(), Clocked()
    mails.answer = Refused(FailureReason.BUSY, 451, retryable=True)
    await LinkRequests(database, DESTINATIONS).ask("ana@sre.example", NOW)
    for _ in range(10):
        await mailer(database, mails, clock).beat()
        clock.at += timedelta(hours=1)

    assert len(mails.sent) == MOST_ATTEMPTS
    assert len({mail["message-id"] for _, mail in mails.sent}) == 1, "a second copy is known by its id"


async def test_nothing_is_sent_while_nothing_may_be(database: Database, asked: None) -> None:
    await subscribe(database, "ana@sre.example", channel="email")
    mails = Mails()
    await LinkRequests(database, DESTINATIONS).ask("ana@sre.example", NOW)
    await mailer(database, mails, Clocked(), may_send=False).beat()
    assert mails.sent == []
    await mailer(database, mails, Clocked()).beat()
    assert len(mails.sent) == 1


@pytest.mark.parametrize("address", ["", "ana", "a@b@c", "a b@c.example", "a@c\n.example", "x" * 250 + "@sre.example"])
async def test_what_is_no_address_is_refused_alike(http: httpx.AsyncClient, asked: None, address: str) -> None:
    assert (await ask(http, address)).status_code == 422


async def test_who_asks_without_end_is_told_to_wait(http: httpx.AsyncClient, asked: None) -> None:
    answers = [await ask(http, f"a{n}@sre.example") for n in range(70)]
    late = answers[-1]
    assert (answers[0].status_code, late.status_code, late.json()["type"]) == (202, 429, "/problems/too-many-requests")
    assert int(late.headers["retry-after"]) >= 1


async def test_who_may_not_be_told_yet_is_answered_as_soon_as_they_may_and_not_a_day_later(
    http: httpx.AsyncClient, database: Database, asked: None
) -> None:
    """
    A trial holds this mail as it holds deliveries; holding it back is no attempt.
    """
    for name in ("ana", "ben"):
        await subscribe(database, f"{name}@sre.example", channel="email")
        await ask(http, f"{name}@sre.example")
    clock, mails, allowed = Clocked(), Mails(), {"ana@sre.example"}
    held = mailer(database, mails, clock, may_tell=lambda _, __, address: address in allowed)
    for _ in range(MOST_ATTEMPTS + 2):
        await held.beat()
        clock.at += LOOK_AGAIN
    assert [to for to, _ in mails.sent] == ["ana@sre.example"]
    allowed.add("ben@sre.example")
    await held.beat()
    assert [to for to, _ in mails.sent] == ["ana@sre.example", "ben@sre.example"]

    await subscribe(database, "eva@sre.example", channel="email")
    await ask(http, "eva@sre.example")
    await held.beat()
    allowed.add("eva@sre.example")
    clock.at += BETWEEN_MAILS + LOOK_AGAIN
    await held.beat()
    assert len(mails.sent) == 2
