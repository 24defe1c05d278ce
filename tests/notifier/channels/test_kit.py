"""What every channel has to pass, whichever it is: the mapping says which there are."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from traceback import format_exception
from typing import Any, get_args
from uuid import UUID

import pytest

from contracts.filters import Filters
from contracts.vocabulary import Channel
from services.notifier.channels import CHANNELS, MAILED, AnyChannel
from services.notifier.channels.channel import MailedChannel, PostedChannel
from services.notifier.channels.outcomes import Accepted, Deferred, Delivered, FailureReason, Refused, Unknown
from services.notifier.channels.ssrf_guard import AllowList, UndeliverableAddress
from services.notifier.delivery.deliveries import Attempt, Delivery, DeliveryResult, Recipient
from services.notifier.delivery.messages import MessageRenderer
from services.notifier.delivery.senders import MailSender, PostSender, senders_for
from services.notifier.subscriptions.signing_keys import new_secret
from services.notifier.transport.transfers import PostFailed, Response
from services.plumbing.clock import SystemClock
from services.plumbing.database import Database
from tests.notifier.channels.checks import CHECKS
from tests.notifier.delivery.dispatching import links
from tests.notifier.rendering.material import GOLDEN, LANGUAGES, LINKS, ONE_OF_EACH_KIND, SENDER, reader, sent
from tests.notifier.scenes import subscribe

NOW = datetime(2023, 7, 24, 15, 30, tzinfo=UTC)
SECRET_PART = "very-secret-4711"
"""Of an address: what nobody may read anywhere but the transport."""
NO_ADDRESSES = {
    PostedChannel: [f"https://10.0.0.1/{SECRET_PART}", f"ftp://example.org/{SECRET_PART}", SECRET_PART],
    MailedChannel: [
        SECRET_PART,
        f"{SECRET_PART}@",
        f"{SECRET_PART}@a.example,b@c.example",
        f"a\r\nBcc: {SECRET_PART}@b",
    ],
}

every_channel = pytest.mark.parametrize("name", CHANNELS)


def kind_of(channel: AnyChannel) -> type[PostedChannel] | type[MailedChannel]:
    """The transport that a channel asks for."""
    return PostedChannel if isinstance(channel, PostedChannel) else MailedChannel


def address_of(name: str) -> str:
    """An address that the channel takes, most of which is a secret."""
    return {PostedChannel: f"https://hooks.example.org/{SECRET_PART}/x", MailedChannel: f"{SECRET_PART}@example.org"}[
        kind_of(CHANNELS[name])
    ]


def delivery_on(name: str) -> Delivery:
    """A claimed delivery of a golden event."""
    secret = new_secret() if CHANNELS[name].is_signed else None
    to = Recipient(UUID(int=1), "A desk", name, address_of(name), secret, "en", "UTC", Filters(), "active")
    return Delivery(UUID(int=2), EVENT.id, to, "coal", UUID(int=4), 0, NOW, None, UUID(int=3), 0.0)


EVENT = GOLDEN["status-changed.v1.canada-seul"]
RENDERER = MessageRenderer(LINKS, links())


def test_there_is_one_channel_for_each_name_in_the_contract():
    assert set(CHANNELS) == set(get_args(Channel))
    assert len({type(channel) for channel in CHANNELS.values()}) == len(CHANNELS)


def test_every_channel_has_its_check_and_only_those():
    assert set(CHECKS) == set(CHANNELS)


def test_every_channel_has_the_sender_that_its_type_asks_for():
    senders = senders_of(Post(None), Mail(None))

    asked = {PostedChannel: PostSender, MailedChannel: MailSender}
    assert {name: type(sender) for name, sender in senders.items()} == {
        name: asked[kind_of(channel)] for name, channel in CHANNELS.items()
    }
    assert {name for name, sender in senders.items() if isinstance(sender, MailSender)} == MAILED


@every_channel
async def test_the_table_takes_a_subscription_on_every_channel(database: Database, name: str):
    assert await subscribe(database, address_of(name), channel=name)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("topic", sorted(ONE_OF_EACH_KIND))
def test_every_event_fits_the_channel_and_pings_nobody(name: str, language: str, topic: str):
    CHECKS[name](sent(ONE_OF_EACH_KIND[topic], name, language), language)


@every_channel
@pytest.mark.parametrize("topic", sorted(ONE_OF_EACH_KIND))
def test_a_language_makes_a_difference_where_the_channel_says_so(name: str, topic: str):
    event = ONE_OF_EACH_KIND[topic]
    in_languages = {sent(event, name, language) for language in LANGUAGES}

    assert (len(in_languages) > 1) == CHANNELS[name].is_localized


@every_channel
def test_an_address_that_was_checked_passes_again_as_it_is(name: str):
    channel = CHANNELS[name]
    checked = channel.checked_address(address_of(name), AllowList())

    assert channel.checked_address(checked, AllowList()) == checked
    assert channel.comparable_address(checked) == channel.comparable_address(address_of(name))


@every_channel
def test_what_is_no_address_is_refused_without_being_quoted(name: str):
    for wrong in NO_ADDRESSES[kind_of(CHANNELS[name])]:
        with pytest.raises(UndeliverableAddress) as refused:
            CHANNELS[name].checked_address(wrong, AllowList())
        assert SECRET_PART not in str(refused.value)
        assert SECRET_PART not in "".join(format_exception(refused.value))


@every_channel
def test_no_text_about_a_delivery_tells_its_address(name: str):
    delivery = delivery_on(name)
    secrets = [SECRET_PART, *filter(None, [delivery.recipient.secret])]
    result = DeliveryResult(delivery, "failed", NOW, Attempt(NOW, NOW, 1.0, Unknown(FailureReason.TIMEOUT)))
    shown = [
        CHANNELS[name].masked_address(delivery.recipient.address),
        *(repr(one) for one in (delivery.recipient, delivery, result, reader(address=address_of(name)))),
    ]

    assert [text for text in shown for secret in secrets if secret in text] == []


class Post:
    """An HTTP client that answers so, or fails so; it remembers what was posted."""

    def __init__(self, answer: Response | Exception | None) -> None:
        self.answer = answer
        self.posts: list[tuple[str, list[str], bytes]] = []

    async def post(self, url: str, headers: list[str], body: bytes) -> Response:
        self.posts.append((url, headers, body))
        if isinstance(self.answer, Response):
            return self.answer
        raise self.answer or AssertionError("nothing is to be posted")


class Mail:
    """A mail server that replies with a code, or fails so."""

    def __init__(self, code: int | None) -> None:
        self.code = code

    async def send(self, mail: Any, sender: str, recipient: str, read_reply: Callable[..., Any]) -> Any:
        assert self.code is not None, "nothing is to be mailed"
        return read_reply(self.code)


ANSWERS: dict[type, list[tuple[int, str]]] = {
    PostedChannel: [
        *((status, "there") for status in (200, 201, 204)),
        *((status, "final") for status in (199, 302, 400, 401, 404, 413)),
        (410, "gone"),
        *((status, "again") for status in (408, 425, 500, 502, 503)),
        (429, "wait"),
    ],
    MailedChannel: [
        (250, "there"),
        *((code, "final") for code in (550, 552, 554)),
        *((code, "again") for code in (421, 450, 451, 452)),
    ],
}


@pytest.mark.parametrize(
    ("name", "code", "meaning"),
    [(name, code, meaning) for name, one in CHANNELS.items() for code, meaning in ANSWERS[kind_of(one)]],
)
async def test_which_answers_deliver_which_are_tried_again_and_which_are_final(name: str, code: int, meaning: str):
    outcome = await attempt(name, Post(Response(code, {}, b"")), Mail(code))

    match outcome:
        case Delivered() | Accepted():
            assert meaning == "there"
        case Refused(retryable=True, gone=False):
            assert meaning == "again"
        case Refused(retryable=False, gone=gone):
            assert meaning == ("gone" if gone else "final")
        case Deferred():
            assert meaning == "wait"
        case _:
            pytest.fail(f"an answer leaves nothing unknown: {outcome}")


@every_channel
async def test_a_send_that_fails_tells_no_address(name: str, caplog: pytest.LogCaptureFixture):
    failures = [PostFailed(reason, sent=sent) for reason in FailureReason for sent in (False, True)]

    with caplog.at_level(logging.DEBUG):
        outcomes = [await attempt(name, Post(failure), Mail(554)) for failure in failures]

    assert SECRET_PART not in f"{outcomes} {caplog.text} {failures}"
    assert {type(outcome) for outcome in outcomes} <= {Refused, Unknown}


@every_channel
def test_what_was_posted_twice_has_the_same_identity(name: str):
    """So that a receiver can tell a repeat, whatever the time of the attempt."""
    own = str(reader().delivery_id).encode()
    first, again = (sent(EVENT, name, "en") for _ in range(2))

    if CHANNELS[name].is_signed:
        at = datetime(2023, 7, 24, tzinfo=UTC)
        headers = CHANNELS[name].headers(reader().delivery_id, new_secret(), first, at)
        assert f"webhook-id: {reader().delivery_id}" in headers
        assert first == again
    else:
        assert own in first
        assert own in again


def senders_of(http: Post, mail: Mail) -> dict[str, Any]:
    """The senders over these transports."""
    clock, allowed = SystemClock(), AllowList()
    return senders_for(CHANNELS, http, mail, RENDERER, clock, mail_sender=SENDER, allowed=allowed)  # type: ignore[arg-type]


async def attempt(name: str, http: Post, mail: Mail) -> Any:
    """One attempt to send a golden event, over transports that only say how it went."""
    senders = senders_of(http, mail)
    return await senders[name].send(delivery_on(name), EVENT)
