"""Who may see how a subscription is reminded by a ladder of its own; what the book asks for is everybody's."""

from collections.abc import Collection

from services.scheduler.ladders.subscription_ladder import SubscriptionLadder

OPERATOR = "operator"
READERS = ("subscriber", OPERATOR)
"""Roles of a key that asks for a subscription's own reminders."""


def may_see(ladder: SubscriptionLadder | None, client: str, roles: Collection[str]) -> bool:
    """Whether a client is an operator, or the owner of a ladder; None is one that is not known, or is given up."""
    return OPERATOR in roles or (ladder is not None and ladder.owner == client)
