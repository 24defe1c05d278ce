"""Ids of subscriptions that we have signed: what stands in a link that acts, or shows something, without signing in.

A token is good for one purpose only, and never expires, since a mail may be read a year later. Keys rotate: the first
signs, all of them verify.
"""

from functools import lru_cache
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from services.notifier.subscriptions.link_settings import LinkSettings


class SignedIds:
    """Makes and reads the tokens of one purpose."""

    def __init__(self, settings: LinkSettings, purpose: str) -> None:
        keys = [key.get_secret_value() for key in reversed(settings.link_keys)]
        self._serializer = URLSafeSerializer(keys, salt=purpose)
        self.token = lru_cache(maxsize=16_384)(self._token)

    def _token(self, subscription_id: UUID) -> str:
        """The token of a subscription, fit for a path."""
        return str(self._serializer.dumps(subscription_id.hex))

    def subscription(self, token: str) -> UUID | None:
        """The subscription that a token was made for, or None where we did not make it for this purpose.

        It has to be the very text that we made, since whoever compares, blocks or counts tokens compares text.
        """
        try:
            if not _is_as_made(token.rpartition(".")[2]):
                return None
            return UUID(hex=self._serializer.loads(token))
        except (BadData, ValueError, TypeError, AttributeError):
            return None


def _is_as_made(signature: str) -> bool:
    """Whether a signature, which signs all but itself, is written as we write it; raises BadData where it is no base64.

    Padding, spare bits and letters that decoders skip would make other texts of the same bytes (RFC 4648, 3).
    """
    return base64_encode(base64_decode(signature)).decode() == signature


def page_tokens(settings: LinkSettings) -> SignedIds:
    """Of the page of a subscription, which every message links to: whoever has the link may see what it asks for."""
    return SignedIds(settings, "subscription-page")
