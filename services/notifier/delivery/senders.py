"""From a claimed delivery to the outcome of one attempt, for each kind of channel. Nothing here retries or records."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from standardwebhooks import Webhook

from services.notifier.delivery.deliveries import Delivery
from services.notifier.rendering.render import (
    DeliveryView,
    EventView,
    HttpMessage,
    Links,
    MailMessage,
    Message,
    Rendered,
    for_delivery,
    render,
)
from services.notifier.subscriptions.unsubscribe_links import UnsubscribeLinks
from services.notifier.transport.http_client import HttpClient, PostFailed
from services.notifier.transport.outcomes import Outcome, Refused, Unknown, of_response
from services.notifier.transport.smtp import SmtpPool
from services.plumbing.clock import Clock

_RENDERED_KEPT = 4096


class Sender(Protocol):
    """Makes one attempt."""

    async def send(self, delivery: Delivery, event: EventView) -> Outcome:
        """Send and say what happened; raises only for faults of ours."""
        ...


@dataclass
class Desk:
    """Renders each event once for each channel and language, and addresses the message to its reader.

    What is kept is bounded: the latest few thousand renderings.
    """

    links: Links
    unsubscribing: UnsubscribeLinks
    clock: Clock
    mail_sender: str

    def __post_init__(self) -> None:
        self._rendered: OrderedDict[tuple[UUID, str, str], Rendered] = OrderedDict()

    def message(self, delivery: Delivery, event: EventView) -> Message:
        """The message of one delivery."""
        to = delivery.subscription
        key = (event.id, to.channel, "" if to.channel == "webhook" else to.language)
        rendered = self._rendered.get(key)
        if rendered is None:
            rendered = self._rendered[key] = render(event, to.channel, to.language, self.links)
            if len(self._rendered) > _RENDERED_KEPT:
                self._rendered.popitem(last=False)
        view = DeliveryView(
            delivery.id,
            to.id,
            to.subscriber,
            to.address,
            to.language,
            to.zone,
            to.filters,
            self.unsubscribing.url(to.id),
        )
        return for_delivery(rendered, view, sender=self.mail_sender, attempted_at=self.clock.now())


class HttpSender:
    """Posts to Slack, Teams and generic webhooks; the last are signed by Standard Webhooks.

    Receivers compare a signature's time with their own clock, so `wall` is the machine's, whatever the business time.
    """

    def __init__(self, http: HttpClient, desk: Desk, clock: Clock, wall: Callable[[], float] = time.time) -> None:
        self._http = http
        self._desk = desk
        self._clock = clock
        self._wall = wall
        self._signer = lru_cache(maxsize=16_384)(Webhook)

    async def send(self, delivery: Delivery, event: EventView) -> Outcome:
        """Post once."""
        message = self._desk.message(delivery, event)
        if not isinstance(message, HttpMessage):
            raise TypeError(f"{delivery.subscription.channel} is not posted")
        to = delivery.subscription
        try:
            response = await self._http.post(to.address, self._headers(delivery, message), message.body)
        except PostFailed as failure:
            if failure.sent:
                return Unknown(failure.reason)
            return Refused(failure.reason, retryable=failure.reason.passes)
        return of_response(
            to.channel, response.status, response.headers.get("retry-after"), response.body, self._clock.now()
        )

    def _headers(self, delivery: Delivery, message: HttpMessage) -> list[str]:
        headers = [f"content-type: {message.content_type}"]
        secret = delivery.subscription.secret
        if delivery.subscription.channel == "webhook" and secret:
            name, at = str(delivery.id), datetime.fromtimestamp(self._wall(), UTC)
            signature = self._signer(secret).sign(name, at, message.body.decode())
            headers += [
                f"webhook-id: {name}",
                f"webhook-timestamp: {int(at.timestamp())}",
                f"webhook-signature: {signature}",
            ]
        return headers


class MailSender:
    """Mails."""

    def __init__(self, pool: SmtpPool, desk: Desk) -> None:
        self._pool = pool
        self._desk = desk
        self._from = parseaddr(desk.mail_sender)[1]

    async def send(self, delivery: Delivery, event: EventView) -> Outcome:
        """Mail once."""
        message = self._desk.message(delivery, event)
        if not isinstance(message, MailMessage):
            raise TypeError(f"{delivery.subscription.channel} is not mailed")
        return await self._pool.send(message.email, self._from, delivery.subscription.address)
