"""From an event to what goes out: rendered once for each channel and language, then filled for each delivery.

`render` is the expensive half and knows no reader; `for_delivery` joins strings. Neither reads a clock nor sends.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import cached_property, lru_cache
from typing import cast, get_args
from uuid import UUID

from contracts.events import MilestoneEscalated
from contracts.topics import BY_NAME
from contracts.vocabulary import Channel
from services.i18n.words import words_in
from services.notifier.channels import email, slack, teams, webhook
from services.notifier.rendering import placeholders as slots
from services.notifier.rendering.content import tell
from services.notifier.rendering.footer_reason import Subject, why
from services.notifier.subscriptions.matching import Filters, Notifiable, traits


class NothingToTell(ValueError):
    """People are told of what happens to commitments; this event is none of that."""


_TOLD = get_args(Notifiable)


@dataclass(frozen=True)
class EventView:
    """An event as the notifier keeps it; `kind` is its topic's name, `value` its JSON as on the topic."""

    id: UUID
    kind: str
    time: datetime
    value: bytes
    correlation_id: str | None = None
    traceparent: str | None = None

    @cached_property
    def data(self) -> Notifiable:
        """The event, read by its contract; raises `NothingToTell` or pydantic's `ValidationError`."""
        topic = BY_NAME.get(self.kind)
        if topic is None or topic.event not in _TOLD:
            raise NothingToTell(f"{self.kind} is no news for people")
        return cast(Notifiable, topic.event.model_validate_json(self.value))


@dataclass(frozen=True)
class Links:
    """Where the pages for people are; `portal` is an absolute address without a slash at its end."""

    portal: str

    def commitment(self, commitment_id: str) -> str:
        """The page of a commitment."""
        return f"{self.portal}/commitments/{commitment_id}"

    def subscription(self, subscription_id: UUID) -> str:
        """The page where a reader changes what they get."""
        return f"{self.portal}/subscriptions/{subscription_id}"


@dataclass(frozen=True)
class DeliveryView:
    """Whom one delivery goes to. `zone` is the reader's IANA zone, `filters` what they asked for."""

    id: UUID
    subscription_id: UUID
    subscriber: str
    address: str
    language: str
    zone: str
    filters: Filters
    unsubscribe_url: str


@dataclass(frozen=True)
class HttpMessage:
    """What is posted."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class MailMessage:
    """What is mailed."""

    email: EmailMessage


Message = HttpMessage | MailMessage


@dataclass(frozen=True)
class Rendered:
    """An event on one channel in one language, for any reader."""

    channel: Channel
    language: str
    content: bytes | slots.Slotted | email.Letter
    """The bytes of a webhook, the JSON of a chat card, or a mail."""
    subject: Subject
    links: Links


def render(event: EventView, channel: str, language: str, links: Links) -> Rendered:
    """Set an event for a channel in a language.

    Raises `NothingToTell` for an event that isn't for people, `ValueError` for a channel that there isn't, `KeyError`
    for a language that we don't speak.
    """
    told = event.data
    words, commitment = words_in(language), told.commitment
    content: bytes | slots.Slotted | email.Letter
    match channel:
        case "webhook":
            content = webhook.cloud_event(
                BY_NAME[event.kind],
                event.id,
                event.time,
                commitment.id,
                event.value,
                correlation_id=event.correlation_id,
                traceparent=event.traceparent,
            )
        case "slack":
            content = slack.card(tell(told, words, links.commitment(commitment.id)), words)
        case "teams":
            content = teams.card(tell(told, words, links.commitment(commitment.id)), words)
        case "email":
            news = tell(told, words, links.commitment(commitment.id))
            content = email.letter(news, words, commitment_id=commitment.id, event_id=event.id)
        case _:
            raise ValueError(f"there is no channel {channel}")
    subject = Subject(
        traits(event.kind, told), commitment, told.level_title if isinstance(told, MilestoneEscalated) else None
    )
    return Rendered(channel, words.language, content, subject, links)


def for_delivery(rendered: Rendered, delivery: DeliveryView, *, sender: str, attempted_at: datetime) -> Message:
    """The message for one reader; `sender` and `attempted_at` matter to mail alone."""
    match rendered.content:
        case bytes(body):
            return HttpMessage(webhook.CONTENT_TYPE, body)
        case slots.Slotted() as card:
            escape = slack.escape if rendered.channel == "slack" else teams.escape
            body = card.filled(_chat_values(rendered, delivery, escape)).encode()
            return HttpMessage("application/json", body)
        case email.Letter() as letter:
            mail = email.posted(
                letter,
                _values(rendered, delivery),
                sender=sender,
                address=delivery.address,
                delivery_id=delivery.id,
                unsubscribe_url=delivery.unsubscribe_url,
                at=attempted_at,
            )
            return MailMessage(mail)
    raise AssertionError(rendered.content)


Escape = Callable[[str], str]


def _values(rendered: Rendered, delivery: DeliveryView) -> Callable[[str], str]:
    """What stands in each slot for this reader, not yet escaped."""

    def value(slot: str) -> str:
        match slot:
            case "delivery-id":
                return str(delivery.id)
            case "reason":
                return why(delivery.filters, rendered.subject, rendered.language)
            case "subscription-url":
                return rendered.links.subscription(delivery.subscription_id)
            case "unsubscribe-url":
                return delivery.unsubscribe_url
        return _moment(slot, delivery.zone, rendered.language)

    return value


def _chat_values(rendered: Rendered, delivery: DeliveryView, escape: Escape) -> Callable[[str], str]:
    """The same inside a JSON string. Addresses of pages are ours and stay as they are: ids after a fixed path."""
    plain = _values(rendered, delivery)

    def value(slot: str) -> str:
        if slot == "delivery-id":
            return str(delivery.id)
        if slot.endswith("-url"):
            return slots.json_inside(plain(slot))
        return _escaped_inside(plain(slot), escape)

    return value


@lru_cache(maxsize=8192)
def _moment(slot: str, zone: str, language: str) -> str:
    kind, seconds, place = slot.split("|")
    if kind != slots.MOMENT:
        raise AssertionError(slot)
    return words_in(language).moment(slots.instant_in(seconds), zone, place or None, "medium")


@lru_cache(maxsize=8192)
def _escaped_inside(text: str, escape: Escape) -> str:
    return slots.json_inside(escape(text))
