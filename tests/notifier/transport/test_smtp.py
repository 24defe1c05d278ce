"""Mail against a server that listens: what is accepted, what is refused for whom, and what nobody knows."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.notifier.channels.email import Email
from services.notifier.channels.outcomes import Accepted, FailureReason, Refused, Unknown
from services.notifier.transport.smtp import SmtpPool, SmtpSettings

FROM = "notices@pledgewire.example"
READ_REPLY = Email().read_reply


class Mailbox:
    """Takes mail, and answers by the recipient's name."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.sessions: set[int] = set()

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        name = address.split("@")[0]
        if name.isdigit():
            return f"{name} as you wish"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        name = envelope.rcpt_tos[0].split("@")[0]
        self.sessions.add(id(session))
        if name.startswith("data"):
            return f"{name[4:]} as you wish"
        if name == "hangup":
            server.transport.abort()
        if name == "silence":
            await asyncio.sleep(5)
        self.mails.append(envelope.content or b"")
        return "250 taken"


@contextlib.contextmanager
def listening(box: Mailbox, *, smtputf8: bool) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port, enable_SMTPUTF8=smtputf8)
    controller.start()
    yield port
    controller.stop()


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    with listening(box, smtputf8=False) as port:
        yield box, port


@contextlib.asynccontextmanager
async def pool(port: int, **changes: object) -> AsyncIterator[SmtpPool]:
    settings = SmtpSettings(**({"host": "127.0.0.1", "port": port, "tls": "none", "deadline": 1.0} | changes))  # type: ignore[arg-type]
    made = SmtpPool(settings)
    yield made
    await made.close()


def mail(text: str = "The coal commitment is due in 7 days.\n.\n.. dots\n") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = FROM, "desk@example.org", "Échéance"
    message.set_content(text)
    return message.as_bytes(policy=SMTP_POLICY)


async def test_a_mail_arrives_as_it_was_written(mailbox: tuple[Mailbox, int]):
    box, port = mailbox
    async with pool(port) as out:
        assert await out.send(mail(), FROM, "desk@example.org", READ_REPLY) == Accepted(250)

    (taken,) = box.mails
    assert b"\r\n.\r\n.. dots" in taken
    assert b"\n" not in taken.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "text",
    [
        "before\n.\nMAIL FROM:<e@x.example>\nRCPT TO:<v@x.example>\nDATA\nafter",
        "before\r.\rMAIL FROM:<e@x.example>\rafter",
        "before\r\n.\rafter\n.\r\nafter",
        "..\n.\n...\n",
        "a" * 100_000 + "\n.\n",
    ],
)
async def test_no_line_of_a_mail_ends_it_or_begins_another(mailbox: tuple[Mailbox, int], text: str):
    """
    S41: however its lines end and whatever they hold, it is one mail, in lines that end as SMTP has it (RFC 5321, 4.5.2
    and 4.5.3.1.6).
    """
    box, port = mailbox
    async with pool(port) as out:
        assert await out.send(mail(text), FROM, "desk@example.org", READ_REPLY) == Accepted(250)
        assert await out.send(mail("the next\n"), FROM, "desk@example.org", READ_REPLY) == Accepted(250)

    taken, following = box.mails
    assert b"the next" in following and b"the next" not in taken
    assert not set(b"\r\n") & set(taken.replace(b"\r\n", b""))
    assert max(map(len, taken.split(b"\r\n"))) <= 998


async def test_connections_are_few_and_used_again(mailbox: tuple[Mailbox, int]):
    box, port = mailbox
    async with pool(port, connections=2, mails_per_connection=5) as out:
        outcomes = await asyncio.gather(*(out.send(mail(), FROM, "desk@example.org", READ_REPLY) for _ in range(20)))

    assert set(outcomes) == {Accepted(250)}
    assert 2 <= len(box.sessions) <= 4 + 1


@pytest.mark.parametrize(
    ("recipient", "outcome"),
    [
        ("550", Refused(FailureReason.RECIPIENT, 550)),
        ("450", Refused(FailureReason.BUSY, 450, retryable=True)),
        ("data451", Refused(FailureReason.BUSY, 451, retryable=True)),
        ("data554", Refused(FailureReason.REFUSED, 554)),
    ],
)
async def test_codes_are_about_the_recipient_or_the_mail(
    mailbox: tuple[Mailbox, int], recipient: str, outcome: Refused
):
    _, port = mailbox
    async with pool(port, connections=1) as out:
        assert await out.send(mail(), FROM, f"{recipient}@example.org", READ_REPLY) == outcome
        assert await out.send(mail(), FROM, "desk@example.org", READ_REPLY) == Accepted(250), (
            "the next mail is not harmed"
        )


@pytest.mark.parametrize(("recipient", "reason"), [("hangup", FailureReason.RESET), ("silence", FailureReason.TIMEOUT)])
async def test_no_answer_to_the_mail_itself_is_unknown(
    mailbox: tuple[Mailbox, int], recipient: str, reason: FailureReason
):
    _, port = mailbox
    async with pool(port) as out:
        assert await out.send(mail(), FROM, f"{recipient}@example.org", READ_REPLY) == Unknown(reason)
        assert await out.send(mail(), FROM, "desk@example.org", READ_REPLY) == Accepted(250)


async def test_a_server_that_is_away_costs_a_retry(mailbox: tuple[Mailbox, int]):
    async with pool(1) as out:
        assert await out.send(mail(), FROM, "desk@example.org", READ_REPLY) == Refused(
            FailureReason.CONNECTION, retryable=True
        )


async def test_without_starttls_no_mail_is_sent(mailbox: tuple[Mailbox, int]):
    box, port = mailbox
    async with pool(port, tls="starttls") as out:
        outcome = await out.send(mail(), FROM, "desk@example.org", READ_REPLY)

    assert isinstance(outcome, Refused)
    assert outcome.retryable
    assert box.mails == []


async def test_a_connection_that_died_while_idle_is_replaced(mailbox: tuple[Mailbox, int]):
    box, port = mailbox
    async with pool(port, connections=1, idle_seconds=0.01) as out:
        await out.send(mail(), FROM, "desk@example.org", READ_REPLY)
        out._free[0].client.transport.abort()  # type: ignore[union-attr]
        await asyncio.sleep(0.05)
        assert await out.send(mail(), FROM, "desk@example.org", READ_REPLY) == Accepted(250)

    assert len(box.mails) == 2


async def test_an_address_beyond_ascii_goes_to_a_server_that_takes_it():
    box = Mailbox()
    with listening(box, smtputf8=True) as port:
        async with pool(port, smtputf8=True) as out:
            assert await out.send(mail(), FROM, "jörg@example.org", READ_REPLY) == Accepted(250)
            assert await out.send(mail(), FROM, "desk@example.org", READ_REPLY) == Accepted(250)

    assert len(box.mails) == 2


async def test_an_address_beyond_ascii_waits_where_the_server_does_not_take_it_after_all(mailbox: tuple[Mailbox, int]):
    box, port = mailbox
    async with pool(port, smtputf8=True) as out:
        outcome = await out.send(mail(), FROM, "jörg@example.org", READ_REPLY)
        assert await out.send(mail(), FROM, "desk@example.org", READ_REPLY) == Accepted(250), "the connection is good"

    assert outcome == Refused(FailureReason.FAULT, retryable=True)
    assert len(box.mails) == 1
