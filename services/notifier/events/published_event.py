"""An event as it was published and is kept, and the same event in a reader's language."""

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Self, cast
from uuid import UUID

from services.i18n.words import Words
from services.notifier.events.event_types import EVENT_TYPES, TOLD_AS, CommitmentEvent
from services.notifier.events.traits import EventTraits
from services.notifier.rendering.group_message import GroupKind, GroupMessage, Rhythm, group_message
from services.notifier.rendering.message import EventMessage
from services.notifier.rendering.page_links import PageLinks
from services.notifier.rendering.retelling import after_what_was_not_told, as_earlier_news, as_told_later


class UnsupportedEvent(ValueError):
    """People are told of what happens to commitments; this event is none of that."""


@dataclass(frozen=True)
class PublishedEvent:
    """An event of a topic; `value` is its JSON as it stands there."""

    id: UUID
    topic: str
    time: datetime
    value: bytes
    correlation_id: str | None = None
    traceparent: str | None = None

    def already_read(self, data: CommitmentEvent) -> Self:
        """The same event with what was just read from its value, so that it need not be read again."""
        self.__dict__["data"] = data  # where the cached property looks first
        return self

    @cached_property
    def data(self) -> CommitmentEvent:
        """The event, read by its contract; raises `UnsupportedEvent` or pydantic's `ValidationError`."""
        kind = EVENT_TYPES.get(self.topic)
        if kind is None:
            raise UnsupportedEvent(f"people are not told of {self.topic}")
        return cast(CommitmentEvent, kind.topic.event.as_read(self.value))

    @property
    def told_as(self) -> str:
        """The name of the event that people know it by, which is that of a public topic."""
        return TOLD_AS.get(self.topic, self.topic)

    @property
    def traits(self) -> EventTraits:
        """What it is about, as filters see it; raises like `data`."""
        data = self.data
        return EVENT_TYPES[self.topic].traits(data)


@dataclass(frozen=True)
class Telling:
    """How an event is told to somebody: as the latest news or as what newer news has overtaken, and after what else.

    `before` are events that it overtook, and that were not told because of it; the oldest first. `is_deferred` says
    that it is told a while after it happened, so that a day which was near may have come.
    """

    is_overtaken: bool = False
    before: tuple[PublishedEvent, ...] = ()
    is_deferred: bool = False


AS_NEWS = Telling()


@dataclass(frozen=True)
class LocalizedEvent:
    """An event for readers of one language; `url` is the commitment's page.

    The message is composed when a channel asks for it first: a webhook never does.
    """

    event: PublishedEvent
    words: Words
    url: str
    telling: Telling = AS_NEWS

    @cached_property
    def message(self) -> EventMessage:
        """What people are told."""
        message = self._of(self.event)
        untold = []
        for earlier in self.telling.before:
            with contextlib.suppress(ValueError):  # a row of an older contract must not stop what came after it
                untold.append((self._of(earlier), earlier.time))
        if self.telling.is_deferred:
            message = as_told_later(message, self.words)
        message = after_what_was_not_told(message, self.words, untold)
        return as_earlier_news(message, self.words, self.event.time) if self.telling.is_overtaken else message

    def _of(self, event: PublishedEvent) -> EventMessage:
        return EVENT_TYPES[event.topic].content(event.data, self.words, self.url)


@dataclass(frozen=True)
class LocalizedGroup:
    """What goes out together, for readers of one language: what happened first stands first.

    `rhythm` is how often a digest comes, where that is known. An event that can't be told, of an older contract, stops
    none of the others.
    """

    events: tuple[tuple[PublishedEvent, Telling], ...]
    words: Words
    links: PageLinks
    kind: GroupKind = "window"
    rhythm: Rhythm | None = None

    @cached_property
    def message(self) -> GroupMessage:
        """What people are told; raises `UnsupportedEvent` where none of the events is one that people are told of."""
        told = []
        for event, telling in self.events:
            with contextlib.suppress(ValueError):
                url = self.links.commitment(event.data.commitment.id)
                told.append(LocalizedEvent(event, self.words, url, self._as_told_now(telling)).message)
        if not told:
            raise UnsupportedEvent("people are told of none of these events")
        return group_message(told, self.words, self.links, self.kind, self.rhythm)

    def _as_told_now(self, telling: Telling) -> Telling:
        return telling if self.kind == "window" else replace(telling, is_deferred=True)

    @property
    def event(self) -> PublishedEvent:
        """The event that stands for all where there is room for one."""
        return self.events[0][0]
