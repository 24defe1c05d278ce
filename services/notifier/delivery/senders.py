"""From a claimed delivery to the outcome of one attempt, for each kind of channel. Nothing here retries or records."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, assert_never

from services.notifier.channels import AnyChannel
from services.notifier.channels.channel import MailedChannel, PostedChannel
from services.notifier.channels.mail_addresses import NamedAddress
from services.notifier.channels.outcomes import AttemptOutcome, Refused, Unknown
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.deliveries import Delivery
from services.notifier.delivery.messages import MessageRenderer, Together
from services.notifier.events.published_event import AS_NEWS, PublishedEvent, Telling
from services.notifier.transport.http_client import HttpClient
from services.notifier.transport.smtp import SmtpPool
from services.notifier.transport.transfers import PostFailed
from services.plumbing.clock import Clock
from services.plumbing.transient_errors import is_transient


class CanNotRender(Exception):
    """Of this event, or for this reader, no message can be made, now or later; the cause may hold an address."""


class Sender(Protocol):
    """Makes one attempt."""

    async def send(
        self, delivery: Delivery, event: PublishedEvent, telling: Telling = AS_NEWS, together: Together = ()
    ) -> AttemptOutcome:
        """Send and say what happened; raises `CanNotRender`, and anything else only for faults of ours.

        `together`: all that the message tells, this event among it, where it leads others.
        """
        ...


class _Rendering:
    """Whatever breaks in here would break in the next attempt, too: it is a function of what is stored."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Exception) and not is_transient(error):
            raise CanNotRender(type(error).__name__) from error


_RENDERING = _Rendering()


class PostSender:
    """Posts to one channel.

    Receivers compare a signature's time with their own clock, and ask to wait until a time by it, so `wall` is the
    machine's, whatever the business time.
    """

    def __init__(
        self,
        channel: PostedChannel[Any],
        http: HttpClient,
        renderer: MessageRenderer,
        clock: Clock,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._channel = channel
        self._http = http
        self._renderer = renderer
        self._clock = clock
        self._wall = wall

    async def send(
        self, delivery: Delivery, event: PublishedEvent, telling: Telling = AS_NEWS, together: Together = ()
    ) -> AttemptOutcome:
        """Post once."""
        channel, to = self._channel, delivery.recipient
        with _RENDERING:
            rendered = self._renderer.message(delivery, event, telling, together)
            body = channel.body(rendered.template, rendered.values_for(self._renderer.reader(delivery)))
            headers = channel.headers(delivery.id, to.secret, body, datetime.fromtimestamp(self._wall(), UTC))
        try:
            answer = await self._http.post(to.address, headers, body)
        except PostFailed as failure:
            if failure.sent:
                return Unknown(failure.reason)
            return Refused(failure.reason, retryable=failure.reason.is_transient)
        retry_after, now = answer.headers.get("retry-after"), datetime.fromtimestamp(self._wall(), UTC)
        if retry_after is not None:
            now = _stated_time(answer.headers.get("date")) or now
        return channel.read_answer(answer.status, retry_after, answer.body, now)


def _stated_time(date: str | None) -> datetime | None:
    """The time by the receiver's own clock, to which the date of a `Retry-After` belongs (RFC 9110, 6.6.1)."""
    try:
        at = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class MailSender:
    """Mails for one channel; `sender` is the From of every mail, and its address also the envelope's."""

    def __init__(
        self,
        channel: MailedChannel[Any],
        pool: SmtpPool,
        renderer: MessageRenderer,
        clock: Clock,
        sender: NamedAddress,
        allowed: AllowList,
    ) -> None:
        self._channel = channel
        self._pool = pool
        self._renderer = renderer
        self._clock = clock
        self._sender = sender
        self._allowed = allowed

    async def send(
        self, delivery: Delivery, event: PublishedEvent, telling: Telling = AS_NEWS, together: Together = ()
    ) -> AttemptOutcome:
        """Mail once."""
        channel, to = self._channel, delivery.recipient
        with _RENDERING:
            rendered = self._renderer.message(delivery, event, telling, together)
            # Rows from before the rule may hold an address that is sent to in another form, or can't be.
            address = channel.checked_address(to.address, self._allowed)
            reader = replace(self._renderer.reader(delivery), address=address)
            values = rendered.values_for(reader)
            mail = channel.mail(rendered.template, reader, values, sender=self._sender, at=self._clock.now())
        return await self._pool.send(mail, self._sender.address, address, channel.read_reply)


def senders_for(
    channels: Mapping[str, AnyChannel],
    http: HttpClient,
    mail: SmtpPool,
    renderer: MessageRenderer,
    clock: Clock,
    *,
    mail_sender: NamedAddress,
    allowed: AllowList,
) -> dict[str, Sender]:
    """A sender for every channel, by the transport that its type asks for."""

    def sender_for(channel: AnyChannel) -> Sender:
        match channel:
            case PostedChannel():
                return PostSender(channel, http, renderer, clock)
            case MailedChannel():
                return MailSender(channel, mail, renderer, clock, mail_sender, allowed)
        assert_never(channel)

    return {name: sender_for(channel) for name, channel in channels.items()}
