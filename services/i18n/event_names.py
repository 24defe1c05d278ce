"""What events, and what happened to a date, are called where people read."""

from services.i18n.catalogue import N_
from services.i18n.names import name_in, word_in
from services.i18n.words import Words

EVENTS = {
    "commitment-created": N_("New commitment"),
    "milestone-scheduled": N_("Date"),
    "milestone-due": N_("Reminder"),
    "milestone-escalated": N_("Escalation"),
    "status-changed": N_("Status"),
    "commitment-assessed": N_("Assessment"),
    "consistency-flagged": N_("Does not agree"),
    "delivery-settled": N_("People told"),
}
"""By their topics."""

FOLLOWED_EVENTS = {
    "commitment-created": (N_("new commitments"), N_("new commitments")),
    "milestone-scheduled": (N_("dates"), N_("dates that are set or moved")),
    "milestone-due": (N_("reminders"), N_("reminders of what is due")),
    "milestone-escalated": (N_("escalations"), N_("what is overdue and owned by nobody")),
    "status-changed": (N_("changes of status"), N_("changes of status")),
    "consistency-flagged": (
        N_("what does not agree in the register"),
        N_("what does not agree in the register"),
    ),
}
"""What a subscription asks for, by the event's topic: in a word for the end of a message, and for its page."""

DATE_CHANGES = {
    "first": N_("first date"),
    "moved": N_("moved"),
    "more-precise": N_("more precise"),
    "cancelled": N_("Cancelled"),
    "held": N_("took place"),
}
"""What a new schedule of a milestone changed."""


def event_name(topic: str, words: Words) -> str:
    """An event in a word or two."""
    return name_in(EVENTS, topic, words)


def followed_event(topic: str, words: Words) -> str:
    """What a subscription to an event asks for, in a word or two: `reminders`. Raises `KeyError`."""
    return words.gettext(FOLLOWED_EVENTS[topic][0])


def followed_event_in_full(topic: str, words: Words) -> str:
    """What a subscription to an event asks for: `reminders of what is due`."""
    return words.gettext(FOLLOWED_EVENTS[topic][1]) if topic in FOLLOWED_EVENTS else event_name(topic, words)


def date_change(change: str, words: Words) -> str:
    """What happened to a date."""
    return word_in(DATE_CHANGES, change, words)


def last_reminder(words: Words) -> str:
    """What a milestone's last reminder says of itself."""
    return words.gettext("This is the last reminder of it; from now on only digests may list it.")
