"""How many messages a second a platform takes at one address: a table, which a setting overrides.

Sources, looked up in November 2026. Slack: one a second for each incoming webhook
(https://docs.slack.dev/apis/web-api/rate-limits). Teams: four a second for each webhook
(https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using). Discord: 30 a
minute for each webhook's channel, five in two seconds. Google Chat: one a second for each space
(https://developers.google.com/workspace/chat/limits). Whoever isn't here has no known limit; what it says itself is
heeded all the same.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PER_SECOND: Mapping[str, float | None] = MappingProxyType(
    {
        "slack": 1.0,
        "teams": 4.0,
        "hooks.slack.com": 1.0,
        "webhook.office.com": 4.0,
        "logic.azure.com": 4.0,
        "powerplatform.com": 4.0,
        "discord.com": 0.5,
        "discordapp.com": 0.5,
        "chat.googleapis.com": 1.0,
    }
)
"""By channel, and by host and all hosts below it; the host counts more. Mail goes through one server: it has no row."""


class PaceSettings(BaseSettings):
    """Limits other than those of the table."""

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_")

    limits: Annotated[Mapping[str, float | None], NoDecode, Field(default={})]
    """`host=messages a second`, separated by commas, `none` for no limit: `hooks.slack.com=0.5,10.0.0.7:8080=none`.
    A name may be a host, a host with its port, or a channel."""

    @field_validator("limits", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = (part.strip().rpartition("=") for part in value.split(",") if part.strip())
        return {name.strip().lower(): None if rate.strip() == "none" else rate for name, _, rate in pairs}

    @field_validator("limits")
    @classmethod
    def _positive(cls, value: Mapping[str, float | None]) -> Mapping[str, float | None]:
        if "" in value or any(rate is not None and not 0.001 <= rate <= 10_000 for rate in value.values()):
            raise ValueError("each limit is `name=messages a second`, 0.001 to 10,000, or `name=none`")
        return value


class PlatformLimits:
    """The table with what overrides it, as `PaceSettings.limits` has it."""

    def __init__(self, overrides: Mapping[str, float | None] = MappingProxyType({})) -> None:
        self._limits = {**PER_SECOND, **overrides}
        self.of = lru_cache(maxsize=16_384)(self._of)

    def _of(self, channel: str, address: str) -> float | None:
        """Messages a second at an address, or None where no limit is known."""
        if "://" not in address:
            return None
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
        for name in (parts.netloc.rpartition("@")[2].lower(), *_above(host), channel):
            if name in self._limits:
                return self._limits[name]
        return None


def _above(host: str) -> list[str]:
    """The host and all domains above it, the nearest first."""
    labels = host.split(".")
    return [".".join(labels[at:]) for at in range(len(labels))]
