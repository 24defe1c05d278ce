"""The reader of one message, and what stands in its placeholders for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from contracts.filters import Filters
from services.i18n.prose import Prose
from services.i18n.words import words_in
from services.notifier.rendering import placeholders
from services.notifier.rendering.footer_reason import Concern, MatchedEvent, footer_reason, joined_reasons
from services.notifier.rendering.page_links import PageLinks
from services.notifier.rendering.placeholders import PlaceholderValues


@dataclass(frozen=True)
class Reader:
    """Whom one delivery goes to. `zone` is their IANA zone, `filters` what they asked for; `address` is a secret."""

    delivery_id: UUID
    subscription_id: UUID
    address: str
    zone: str
    filters: Filters
    unsubscribe_url: str
    ladder_refused: bool = False
    """Whether their own ladder is not planned, so that the usual reminders come."""
    is_shared: bool = False
    """Whether it is a channel, in which everybody reads it."""

    def __repr__(self) -> str:
        return f"Reader({self.delivery_id})"


def reader_values(reader: Reader, event: MatchedEvent, language: str, links: PageLinks) -> PlaceholderValues:
    """What stands in each placeholder for this reader, not yet escaped."""
    return _values(
        reader, lambda: footer_reason(reader.filters, event, language, reader.ladder_refused), language, links
    )


def group_values(reader: Reader, concerns: Sequence[Concern], language: str, links: PageLinks) -> PlaceholderValues:
    """The same for a message about several events, or by several subscriptions of one reader, whose first it is."""
    return _values(reader, lambda: joined_reasons(concerns, language), language, links)


def _values(reader: Reader, reason: Callable[[], Prose], language: str, links: PageLinks) -> PlaceholderValues:

    def value(name: str) -> str:
        match name:
            case "delivery-id":
                return str(reader.delivery_id)
            case "reason":
                return reason()
            case "subscription-url":
                return links.subscription(reader.subscription_id, is_shared=reader.is_shared)
            case "unsubscribe-url":
                return reader.unsubscribe_url
        if (milestone_id := placeholders.milestone_in(name)) is not None:
            return links.on_it(reader.subscription_id, milestone_id, is_shared=reader.is_shared)
        return _moment(name, reader.zone, language)

    return value


@lru_cache(maxsize=8192)
def _moment(name: str, zone: str, language: str) -> str:
    kind, seconds, place = name.split("|")
    if kind != placeholders.MOMENT:
        raise AssertionError(name)
    return words_in(language).moment(placeholders.instant_in(seconds), zone, place or None, "medium")
