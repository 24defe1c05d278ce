"""The link of each mail that ends what it was sent for without signing in (RFC 8058, one click)."""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from services.notifier.subscriptions.link_settings import LinkSettings
from services.notifier.subscriptions.signed_ids import SignedValues

MOST_ENDED = 12
"""Subscriptions that one link ends: a header is one line, and a line of a mail has 998 characters (RFC 5322, 2.1.1)."""


class UnsubscribeLinks:
    """Makes and reads unsubscribe links; each is bound to the subscriptions that a message was sent for."""

    def __init__(self, settings: LinkSettings) -> None:
        self._values = SignedValues(settings, "unsubscribe")
        self._base = settings.public_url
        self._token = lru_cache(maxsize=16_384)(self._signed)

    def url(self, subscriptions: Sequence[UUID]) -> str:
        """The link that ends the first `MOST_ENDED` of these (at least one): its page asks, a POST to it acts."""
        return f"{self._base}/unsubscribe/{self._token(tuple(subscriptions[:MOST_ENDED]))}"

    def subscriptions(self, token: str) -> tuple[UUID, ...]:
        """The subscriptions that a token ends; none where we did not make it for this purpose."""
        value = self._values.value(token)
        try:
            return tuple(UUID(hex=one) for one in (value if isinstance(value, list) else [value]))
        except (ValueError, TypeError, AttributeError):
            return ()

    def _signed(self, subscriptions: tuple[UUID, ...]) -> str:
        named = [one.hex for one in subscriptions]
        return self._values.token(named if len(named) > 1 else named[0])
