"""From an event to what a channel sends: rendered once for each channel and language, then filled for each delivery."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.i18n.languages import nearest_language
from services.i18n.words import words_in
from services.notifier.channels import CHANNELS
from services.notifier.channels.channel import ChatChannel, MailedChannel
from services.notifier.delivery.deliveries import Delivery, Recipient
from services.notifier.events.published_event import AS_NEWS, LocalizedEvent, LocalizedGroup, PublishedEvent, Telling
from services.notifier.rendering.footer_reason import Concern, MatchedEvent
from services.notifier.rendering.group_message import GroupKind, Rhythm
from services.notifier.rendering.page_links import PageLinks
from services.notifier.rendering.placeholders import PlaceholderValues
from services.notifier.rendering.reader import Reader, group_values, reader_values
from services.notifier.subscriptions.unsubscribe_links import UnsubscribeLinks
from services.plumbing.failpoints import failpoint

_MOST = 4096
"""Renderings that are kept."""

Together = Sequence[tuple[PublishedEvent, Telling]]
"""What one message tells, in the order in which it happened, each event once."""


@dataclass(frozen=True)
class RenderedEvent:
    """An event on one channel in one language, for any reader; `template` is of the channel's own kind."""

    template: Any
    language: str
    matched: MatchedEvent
    links: PageLinks

    def values_for(self, reader: Reader) -> PlaceholderValues:
        """What stands in the placeholders for this reader."""
        return reader_values(reader, self.matched, self.language, self.links)


@dataclass(frozen=True)
class RenderedGroup:
    """Several events on one channel in one language, for any reader; `template` is of the channel's own kind."""

    template: Any
    language: str
    links: PageLinks

    def values_for(self, reader: Reader, concerns: Sequence[Concern]) -> PlaceholderValues:
        """What stands in the placeholders for this reader, who is told by these subscriptions of theirs."""
        return group_values(reader, concerns, self.language, self.links)


def render_group(
    events: Sequence[tuple[PublishedEvent, Telling]],
    channel: str,
    language: str,
    links: PageLinks,
    kind: GroupKind = "window",
    rhythm: Rhythm | None = None,
) -> RenderedGroup:
    """Lay out several events, which stand in the order in which they happened, for a channel that people read.

    Raises `UnsupportedEvent` where none of them is for people, `ValueError` for a channel that takes no groups.
    """
    words = words_in(nearest_language(language))
    group = LocalizedGroup(tuple(events), words, links, kind, rhythm)
    match CHANNELS.get(channel):
        case ChatChannel() | MailedChannel() as renderer:
            return RenderedGroup(renderer.render_group(group), words.language, links)
        case _:
            raise ValueError(f"{channel} takes every event by itself")


def render_event(
    event: PublishedEvent, channel: str, language: str, links: PageLinks, telling: Telling = AS_NEWS
) -> RenderedEvent:
    """Lay an event out for a channel in a language: the expensive half, which knows no reader.

    A language that a later release has added is the nearest of ours. Raises `UnsupportedEvent` for an event that isn't
    for people, `ValueError` for a channel that there isn't.
    """
    if channel not in CHANNELS:
        raise ValueError(f"there is no channel {channel}")
    words, commitment = words_in(nearest_language(language)), event.data.commitment
    template = CHANNELS[channel].render(LocalizedEvent(event, words, links.commitment(commitment.id), telling))
    return RenderedEvent(template, words.language, matched_by(event), links)


def matched_by(event: PublishedEvent) -> MatchedEvent:
    """What of an event a subscription may have met."""
    traits = event.traits
    return MatchedEvent(
        event.told_as, traits.parties, event.data.commitment, traits.audience is not None, traits.level_title
    )


@dataclass(frozen=True)
class RenderedMessage:
    """What one message says, for its one reader; `template` is of the channel's own kind."""

    template: Any
    values_for: Callable[[Reader], PlaceholderValues]
    """What stands in the placeholders."""


def group_kind(rule: str | None) -> GroupKind:
    """As what several events are told, by the rule that let them wait."""
    match rule:
        case None | "window":
            return "window"
        case "digest":
            return "digest"
        case _:
            return "deferred"


def concerns_of(delivery: Delivery, together: Together) -> list[Concern]:
    """Every subscription that a message tells something, in the order of what it tells, and what of it that met."""
    matched: dict[UUID, MatchedEvent] = {}
    for event, _ in together:
        with suppress(ValueError):  # of an older contract, which can't be told either
            matched[event.id] = matched_by(event)
    found: dict[UUID, tuple[Recipient, list[MatchedEvent]]] = {}
    for member in delivery.members:
        if member.event_id in matched:
            found.setdefault(member.recipient.id, (member.recipient, []))[1].append(matched[member.event_id])
    return [Concern(to.filters, tuple(events), to.ladder_refused) for to, events in found.values()]


def _rhythm(to: Recipient) -> Rhythm | None:
    kind = to.timing.rhythm.kind if to.timing else "immediate"
    return None if kind == "immediate" else kind


class MessageRenderer:
    """Renders, and keeps the latest few thousand renderings."""

    def __init__(self, links: PageLinks, unsubscribe_links: UnsubscribeLinks) -> None:
        self._links = links
        self._unsubscribe_links = unsubscribe_links
        self._rendered: OrderedDict[Hashable, RenderedEvent] = OrderedDict()

    def rendered(self, event: PublishedEvent, channel: str, language: str, telling: Telling) -> RenderedEvent:
        """An event on a channel, in a language and told in a way where those make a difference."""
        key: Hashable = (event.id, channel)
        if CHANNELS[channel].is_localized:
            how = (telling.is_overtaken, telling.is_deferred, *(earlier.id for earlier in telling.before))
            key = (event.id, channel, language, *how)
        rendered = self._rendered.get(key)
        if rendered is None:
            rendered = self._rendered[key] = render_event(event, channel, language, self._links, telling)
            if len(self._rendered) > _MOST:
                self._rendered.popitem(last=False)
        return rendered

    def message(
        self, delivery: Delivery, event: PublishedEvent, telling: Telling, together: Together
    ) -> RenderedEvent | RenderedMessage:
        """What a delivery's message says: its own event, or all that it leads."""
        to, kind = delivery.recipient, group_kind(delivery.rule)
        if not together:
            told = telling if kind == "window" else replace(telling, is_deferred=True)
            return self.rendered(event, to.channel, to.language, told)
        concerns = concerns_of(delivery, together)
        if len(together) == 1:
            template = self.rendered(together[0][0], to.channel, to.language, together[0][1]).template
            group = RenderedGroup(template, nearest_language(to.language), self._links)
        else:
            group = render_group(together, to.channel, to.language, self._links, kind, _rhythm(to))
        failpoint("notifier-after-render")
        return RenderedMessage(group.template, lambda reader: group.values_for(reader, concerns))

    def reader(self, delivery: Delivery) -> Reader:
        """Whom a delivery goes to."""
        to = delivery.recipient
        told_for = dict.fromkeys((to.id, *(member.recipient.id for member in delivery.members)))
        unsubscribe, is_shared = self._unsubscribe_links.url(tuple(told_for)), CHANNELS[to.channel].is_shared
        return Reader(delivery.id, to.id, to.address, to.zone, to.filters, unsubscribe, to.ladder_refused, is_shared)
