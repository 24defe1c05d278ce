"""Who is told of an event: the rule. `delivery/fan_out.py` has it in SQL, too; a property test holds them together."""

from contracts.filters import matches
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.traits import NEWS, NOBODY, EventTraits, SubscriptionTraits


def is_told(subscription: SubscriptionTraits, event: EventTraits) -> bool:
    """Whether a subscription is told of an event with these traits: it asks for it, and it is meant for it."""
    return matches(subscription.filters, event) and EVENT_TYPES[event.event].audience.includes(subscription, event)


def left_out_by(subscription: SubscriptionTraits, event: EventTraits) -> tuple[str, ...]:
    """What leaves a subscription out: the names of its filters that the event does not fit, or of the event's audience.

    Empty for one that is told. Another property holds it against the rule.
    """
    filters = subscription.filters
    parts = (
        ("events", filters.events, frozenset({event.event})),
        ("parties", filters.parties, event.parties),
        ("themes", filters.themes, event.themes),
        ("sections", filters.sections, frozenset({event.section})),
        ("commitments", filters.commitments, frozenset({event.commitment})),
    )
    missed = tuple(name for name, asked, there in parts if asked and asked.isdisjoint(there))
    audience = EVENT_TYPES[event.event].audience
    if audience.includes(subscription, event):
        return missed
    return (*missed, NEWS.name if event.audience == NOBODY else audience.name)
