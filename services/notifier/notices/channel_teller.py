"""Tells channels what was changed by the link that everybody there holds."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.i18n.languages import nearest_language
from services.i18n.words import words_in
from services.notifier.channels import CHANNELS
from services.notifier.channels.channel import ChatChannel
from services.notifier.channels.outcomes import Accepted, Delivered, Refused
from services.notifier.notices.permission import LOOK_AGAIN, MayTell, everybody
from services.notifier.notices.shared_changes import MOST_ATTEMPTS, SharedChanges
from services.notifier.rendering.channel_notice import changed_notice
from services.notifier.transport.http_client import HttpClient
from services.notifier.transport.transfers import PostFailed
from services.plumbing.clock import MACHINE_CLOCK, Clock
from services.plumbing.failpoints import failpoint


class ChannelTeller:
    """Posts a notice for each change; a crash between post and record posts it again."""

    def __init__(
        self,
        changes: SharedChanges,
        http: HttpClient,
        undo_link: Callable[[UUID], str],
        clock: Clock,
        *,
        may_send: Callable[[], bool] = lambda: True,
        may_tell: MayTell = everybody,
    ) -> None:
        self._changes = changes
        self._http = http
        self._undo_link = undo_link
        self._clock = clock
        self._may_send = may_send
        self._may_tell = may_tell

    async def beat(self) -> None:
        """Tell what waits, while this process may send."""
        if not self._may_send():
            return
        now = self._clock.now()
        for change in await self._changes.claim(now):
            if not self._may_tell(change["subscription_id"], change["channel"], change["address"]):
                await self._changes.hold(change["id"], now + LOOK_AGAIN)
                continue
            state = await self._told(change)
            failpoint("channel-told")
            if state:
                await self._changes.settle(change["id"], state)

    async def _told(self, change: Mapping[str, Any]) -> str | None:
        """How it ended; None where it is tried again."""
        channel: Any = CHANNELS[change["channel"]]
        if not isinstance(channel, ChatChannel):
            return "failed"
        words = words_in(nearest_language(change["language"]))
        url = self._undo_link(change["id"])
        notice = changed_notice(change["subscriber"], change["before"], change["after"], words, url)
        last = "failed" if change["attempts"] >= MOST_ATTEMPTS else None
        try:
            answer = await self._http.post(
                change["address"], [f"content-type: {channel.content_type}"], channel.notice_card(notice).encode()
            )
        except PostFailed as failure:
            return last if failure.reason.is_transient else "failed"
        outcome = channel.read_answer(
            answer.status, answer.headers.get("retry-after"), answer.body, MACHINE_CLOCK.now()
        )
        if isinstance(outcome, Accepted | Delivered):
            return "told"
        return "failed" if isinstance(outcome, Refused) and not outcome.retryable else last
