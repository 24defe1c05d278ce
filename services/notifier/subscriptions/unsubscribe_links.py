"""Links that act for a reader without signing in: each mail's unsubscribe link, signed, bound to one subscription.

Source: RFC 8058 (one click); the token never expires, since a mail may be read a year later. Keys rotate: the first
signs, all of them verify.
"""

from functools import lru_cache
from typing import Annotated
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class LinkSettings(BaseSettings):
    """Where the links in messages lead, and what signs them."""

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_")

    public_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^\s]+[^/\s]$")
    """Where this service's HTTP interface is reached from a mailbox, without a slash at its end."""
    portal_url: str = Field(default="http://127.0.0.1:8080", pattern=r"^https?://[^\s]+[^/\s]$")
    """Where the pages for people are, without a slash at its end."""
    link_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(min_length=1)
    """Secrets of 32 characters or more, separated by commas: the first signs, all of them verify."""

    @field_validator("link_keys", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("link_keys")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < 32 for key in value):
            raise ValueError("a key has at least 32 characters")
        return value


class UnsubscribeLinks:
    """Makes and reads the tokens of unsubscribe links."""

    def __init__(self, settings: LinkSettings) -> None:
        keys = [key.get_secret_value() for key in reversed(settings.link_keys)]
        self._serializer = URLSafeSerializer(keys, salt="unsubscribe")
        self._base = settings.public_url
        self.url = lru_cache(maxsize=16_384)(self._url)

    def _url(self, subscription_id: UUID) -> str:
        """The link that ends a subscription: its page asks, a POST to it acts."""
        return f"{self._base}/unsubscribe/{self._serializer.dumps(subscription_id.hex)}"

    def subscription(self, token: str) -> UUID | None:
        """The subscription that a token was made for, or None where we did not make it."""
        try:
            return UUID(hex=self._serializer.loads(token))
        except (BadSignature, ValueError, TypeError, AttributeError):
            return None
