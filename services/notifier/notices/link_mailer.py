"""Answers those who asked for their links, later and apart from the asking, so that no answer tells who is known."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.notifier.channels.email import Email
from services.notifier.channels.mail_addresses import NamedAddress
from services.notifier.channels.outcomes import Accepted, AttemptOutcome, Refused
from services.notifier.channels.ssrf_guard import AllowList, UndeliverableAddress
from services.notifier.notices.link_mail import LinkedSubscription, link_mail
from services.notifier.notices.link_requests import BETWEEN_MAILS, MOST_ATTEMPTS, LinkRequest, LinkRequests
from services.notifier.notices.permission import LOOK_AGAIN, MayTell, everybody
from services.notifier.transport.smtp import SmtpPool
from services.plumbing.clock import Clock
from services.plumbing.failpoints import failpoint
from services.plumbing.logs import log

_CHANNEL = Email()
_CHANNEL_NAME = "email"


class LinkMailer:
    """Sends each request one mail. A crash between mail and record sends it again, with the same Message-ID."""

    def __init__(
        self,
        requests: LinkRequests,
        pool: SmtpPool,
        link: Callable[[UUID], str],
        clock: Clock,
        *,
        sender: NamedAddress,
        allowed: AllowList,
        may_send: Callable[[], bool] = lambda: True,
        may_tell: MayTell = everybody,
    ) -> None:
        self._requests = requests
        self._pool = pool
        self._link = link
        self._clock = clock
        self._sender = sender
        self._allowed = allowed
        self._may_send = may_send
        self._may_tell = may_tell

    async def beat(self) -> None:
        """Answer what waits, while this process may send."""
        if not self._may_send():
            return
        now = self._clock.now()
        for request in await self._requests.claim(now):
            if await self._is_settled(request):
                await self._requests.done(request)
        await self._requests.forget(now)

    async def _is_settled(self, request: LinkRequest) -> bool:
        """Whether nothing more is to be done about a request; most of those that are not known end here."""
        rows = await self._requests.subscriptions(request)
        now = self._clock.now()
        if not rows or now - request.asked_at > BETWEEN_MAILS:
            return True
        if not any(self._may_tell(row["id"], _CHANNEL_NAME, row["address"]) for row in rows):
            await self._requests.hold(request, now + LOOK_AGAIN)
            return False
        outcome = await self._sent(request, rows)
        failpoint("link-mail-sent")
        is_final = outcome is None or (isinstance(outcome, Refused) and not outcome.retryable)
        if not isinstance(outcome, Accepted):
            log.warning("a mail with links was not taken", action="link_mail", attempt=request.attempt, final=is_final)
        return isinstance(outcome, Accepted) or is_final or request.attempt >= MOST_ATTEMPTS

    async def _sent(self, request: LinkRequest, rows: Sequence[Mapping[str, Any]]) -> AttemptOutcome | None:
        """The outcome of one attempt; None for an address that is kept and can't be written to."""
        try:
            address = _CHANNEL.checked_address(rows[0]["address"], self._allowed)
        except UndeliverableAddress:
            return None
        named = hashlib.sha256(request.destination + request.asked_at.isoformat().encode()).hexdigest()[:32]
        mail = link_mail(
            [LinkedSubscription(row["id"], row["subscriber"], row["language"], row["state"]) for row in rows],
            address,
            self._link,
            sender=self._sender,
            message_id=f"links.{named}",
            at=self._clock.now(),
        )
        return await self._pool.send(mail, self._sender.address, address, _CHANNEL.read_reply)
