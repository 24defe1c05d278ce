"""What a channel is, by the transport that carries it: posted over HTTP, or mailed.

`T` is what a channel renders once for an event and a language, before it knows the reader.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from services.i18n.words import Words
from services.notifier.channels.mail_addresses import NamedAddress
from services.notifier.channels.outcomes import AttemptOutcome, read_http_answer
from services.notifier.channels.ssrf_guard import AllowList, checked_url
from services.notifier.events.published_event import LocalizedEvent, LocalizedGroup
from services.notifier.rendering.channel_notice import ChannelNotice
from services.notifier.rendering.group_message import GroupMessage
from services.notifier.rendering.message import EventMessage
from services.notifier.rendering.placeholders import PlaceholderValues, Template, inside_json
from services.notifier.rendering.reader import Reader

T = TypeVar("T")


class PostedChannel(ABC, Generic[T]):
    """A channel whose messages are posted to the subscription's own URL."""

    content_type: ClassVar[str] = "application/json"
    is_localized: ClassVar[bool] = True
    """Whether what is rendered depends on the language."""
    is_signed: ClassVar[bool] = False
    """Whether a subscription has a key that its posts are signed with."""
    is_for_people: ClassVar[bool] = True
    """Whether somebody reads it, who need not be told what newer news has overtaken. A system gets every event."""
    is_shared: ClassVar[bool] = False
    """Whether many read the same message, and hold the link in it."""

    def checked_address(self, address: str, allowed: AllowList) -> str:
        """The address in its normal form; raises `UndeliverableAddress`, which does not quote it."""
        return checked_url(address, allowed)

    def masked_address(self, address: str) -> str:
        """The address as people recognise it and nobody can use it: its host and its last four characters."""
        return f"{urlsplit(address).hostname}/…{address[-4:]}"

    def comparable_address(self, address: str) -> str:
        """Equal for addresses that mean the same receiver."""
        return address

    @abstractmethod
    def render(self, event: LocalizedEvent) -> T:
        """Lay an event out for all readers of one language."""

    @abstractmethod
    def body(self, rendered: T, value: PlaceholderValues) -> bytes:
        """What is posted for one reader; `value` gives what stands in the placeholders."""

    def headers(self, delivery_id: UUID, secret: str | None, body: bytes, at: datetime) -> list[str]:
        """The headers of a post as whole lines; `at` is the time by the machine's own clock, which receivers check."""
        return [f"content-type: {self.content_type}"]

    def read_answer(self, status: int, retry_after: str | None, body: bytes, now: datetime) -> AttemptOutcome:
        """What an answer means; `retry_after` is the header of that name, `now` the receiver's time."""
        return read_http_answer(status, retry_after, now)


class ChatChannel(PostedChannel[Template]):
    """A chat that takes a message as a JSON card, in which what others wrote has to be escaped."""

    is_shared = True
    escape: Callable[[str], str]
    """The text as the chat shows it and does not obey it: no links, no mentions, no formatting."""

    @abstractmethod
    def card(self, message: EventMessage, words: Words) -> str:
        """The message as JSON, within the chat's limits, with placeholders for the reader."""

    @abstractmethod
    def group_card(self, message: GroupMessage, words: Words) -> str:
        """The same of several events: a list that links to each, and to the page of all where there are too many."""

    @abstractmethod
    def notice_card(self, notice: ChannelNotice) -> str:
        """A notice to the whole channel as JSON; it has no placeholders."""

    def render(self, event: LocalizedEvent) -> Template:
        """The card."""
        return Template.parse(self.card(event.message, event.words))

    def render_group(self, group: LocalizedGroup) -> Template:
        """The card of several events."""
        return Template.parse(self.group_card(group.message, group.words))

    def body(self, rendered: Template, value: PlaceholderValues) -> bytes:
        """The card for one reader. Addresses of pages are ours and stay as they are: ids after a fixed path."""
        escape = self.escape

        def escaped(name: str) -> str:
            if name == "delivery-id":
                return value(name)
            if name.endswith("-url"):
                return inside_json(value(name))
            return _escaped_inside_json(value(name), escape)

        return rendered.fill(escaped).encode()


class MailedChannel(ABC, Generic[T]):
    """A channel whose messages are mailed through the operator's mail server."""

    is_localized: ClassVar[bool] = True
    is_signed: ClassVar[bool] = False
    is_for_people: ClassVar[bool] = True
    is_shared: ClassVar[bool] = False

    @abstractmethod
    def checked_address(self, address: str, allowed: AllowList) -> str:
        """The address in its normal form; raises `UndeliverableAddress`, which does not quote it."""

    @abstractmethod
    def masked_address(self, address: str) -> str:
        """The address as people recognise it and nobody can use it."""

    @abstractmethod
    def comparable_address(self, address: str) -> str:
        """Equal for addresses that mean the same receiver."""

    @abstractmethod
    def render(self, event: LocalizedEvent) -> T:
        """Lay an event out for all readers of one language."""

    @abstractmethod
    def render_group(self, group: LocalizedGroup) -> T:
        """Lay out several events that go out together."""

    @abstractmethod
    def mail(
        self, rendered: T, reader: Reader, value: PlaceholderValues, *, sender: NamedAddress, at: datetime
    ) -> bytes:
        """The mail for one reader as it goes over the wire; `at` is the time of the attempt."""

    @abstractmethod
    def read_reply(self, code: int, text: str = "", *, recipient: bool = False) -> AttemptOutcome:
        """What a mail server's reply means; `recipient` when it answered RCPT TO, so it is about the address."""


def card_json(card: dict[str, Any]) -> str:
    """A card as it is posted."""
    return json.dumps(card, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=8192)
def _escaped_inside_json(text: str, escape: Callable[[str], str]) -> str:
    return inside_json(escape(text))
