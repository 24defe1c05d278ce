"""Whose subscriptions, and what was sent to them, a caller sees and changes."""

from services.plumbing.http.api_keys import Caller

OPERATOR = "operator"
READERS = ("subscriber", OPERATOR)
"""Roles that read: a subscriber what is its own, an operator everything."""


def owner_for(caller: Caller) -> str | None:
    """The owner whose subscriptions a caller sees and, as a subscriber, may change; None for all of them."""
    return None if OPERATOR in caller.roles else caller.client
