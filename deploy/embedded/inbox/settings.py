"""Where the inbox listens and how much it keeps."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class InboxHttpSettings(BaseSettings):
    """HTTP_HOST and HTTP_PORT; port 0 takes a free one."""

    model_config = SettingsConfigDict(env_prefix="HTTP_")

    host: str = "127.0.0.1"
    port: int = Field(default=8025, ge=0, le=65535)


class InboxSettings(BaseSettings):
    """INBOX_SMTP_HOST, INBOX_SMTP_PORT (0: a free one), INBOX_KEEP_… and INBOX_WEBHOOK_SECRETS (JSON by name)."""

    model_config = SettingsConfigDict(env_prefix="INBOX_")

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=1025, ge=0, le=65535)
    keep_messages: int = Field(default=20_000, ge=1)
    keep_megabytes: int = Field(default=256, ge=1)
    """Of bodies; whichever limit comes first lets the oldest messages go."""
    keep_arrivals: int = Field(default=500_000, ge=1)
    """Who got what and when is remembered far longer than the messages, so that a count over a long run comes out."""
    webhook_secrets: dict[str, str] = Field(default_factory=dict)
