"""Who is told of an event: the rule. `delivery/fan_out.py` has it in SQL, too; a property test holds them together."""

from contracts.filters import matches
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.traits import EventTraits, SubscriptionTraits


def is_told(subscription: SubscriptionTraits, event: EventTraits) -> bool:
    """Whether a subscription is told of an event with these traits: it asks for it, and it is meant for it."""
    return matches(subscription.filters, event) and EVENT_TYPES[event.event].audience.includes(subscription, event)
