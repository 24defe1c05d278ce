"""Ids that we have signed: what stands in a link that acts, or shows something, without signing in.

A token is good for one purpose only. The link of a mail never ends, since a mail may be read a year later; one that
everybody in a channel holds has its last day in it. Keys rotate: the first signs, all of them verify.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from services.notifier.subscriptions.link_settings import LinkSettings


class SignedValues:
    """Makes and reads the tokens of one purpose; values are of JSON."""

    def __init__(self, settings: LinkSettings, purpose: str) -> None:
        keys = [key.get_secret_value() for key in reversed(settings.link_keys)]
        self._serializer = URLSafeSerializer(keys, salt=purpose)

    def token(self, value: Any) -> str:
        """The token of a value, fit for a path."""
        return str(self._serializer.dumps(value))

    def value(self, token: str) -> Any:
        """The value that a token was made for, or None where we did not make it for this purpose.

        It has to be the very text that we made, since whoever compares, blocks or counts tokens compares text.
        """
        try:
            return self._serializer.loads(token) if _is_as_made(token.rpartition(".")[2]) else None
        except (BadData, ValueError):
            return None


@dataclass(frozen=True)
class SignedId:
    """What a token says: which id, and until when; None for ever."""

    id: UUID
    last_day: date | None = None

    def has_ended(self, today: date) -> bool:
        """Whether the token's last day is over."""
        return self.last_day is not None and self.last_day < today


class SignedIds:
    """Makes and reads the tokens of one purpose that stand for an id alone, or for an id until a day."""

    def __init__(self, settings: LinkSettings, purpose: str) -> None:
        self._values = SignedValues(settings, purpose)
        self.token = lru_cache(maxsize=16_384)(self._token)

    def _token(self, id_: UUID, last_day: date | None = None) -> str:
        """The token of an id, good until the end of a day (UTC), fit for a path."""
        return self._values.token(id_.hex if last_day is None else [id_.hex, last_day.toordinal()])

    def read(self, token: str) -> SignedId | None:
        """What a token says, whether or not it has ended; None where we did not make it for this purpose."""
        value = self._values.value(token)
        try:
            if isinstance(value, list):
                id_, last_day = value
                return SignedId(UUID(hex=id_), date.fromordinal(last_day))
            return SignedId(UUID(hex=value))
        except (ValueError, TypeError, AttributeError, OverflowError):
            return None

    def subscription(self, token: str) -> UUID | None:
        """The subscription of a token that never ends, or None where we did not make it for this purpose."""
        found = self.read(token)
        return found.id if found and found.last_day is None else None


def _is_as_made(signature: str) -> bool:
    """Whether a signature, which signs all but itself, is written as we write it; raises BadData where it is no base64.

    Padding, spare bits and letters that decoders skip would make other texts of the same bytes (RFC 4648, 3).
    """
    return base64_encode(base64_decode(signature)).decode() == signature


def page_tokens(settings: LinkSettings) -> SignedIds:
    """Of the page of a subscription, which every message links to: who has it sees and changes what is asked for."""
    return SignedIds(settings, "subscription-page")
