"""Where the links in messages lead, and what signs them."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.plumbing.certificates import WatchedCertificate, of_url


class LinkSettings(BaseSettings):
    """Where the links in messages lead, and what signs them."""

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_")

    public_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^\s]+[^/\s]$")
    """Where this service's HTTP interface is reached from a mailbox, without a slash at its end."""
    portal_url: str = Field(default="http://127.0.0.1:8080", pattern=r"^https?://[^\s]+[^/\s]$")
    """Where the pages for people are, without a slash at its end."""
    link_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(min_length=1)
    """Secrets of 32 characters or more, separated by commas: the first signs, all of them verify."""

    def certificates(self) -> tuple[WatchedCertificate, ...]:
        """Those that readers of messages are shown behind their links; none where no TLS is."""
        found = {"notifier": of_url(self.public_url), "portal": of_url(self.portal_url)}
        return tuple(WatchedCertificate(of, ends) for of, ends in found.items() if ends)

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
