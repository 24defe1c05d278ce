"""Where feeds are reached, where their links lead, and what makes the ids of calendar entries ours."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FeedSettings(BaseSettings):
    """Where addresses and links lead, and what makes the ids of calendar entries ours."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULER_")

    public_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^\s]+[^/\s]$")
    """Where this service's HTTP interface is reached from a calendar program, without a slash at its end."""
    portal_url: str = Field(default="http://127.0.0.1:8080", pattern=r"^https?://[^\s]+[^/\s]$")
    """Where the pages for people are, without a slash at its end."""
    uid_domain: str = Field(default="pledgewire", pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=100)
    """The part of a calendar entry's UID behind its @; never to be changed, since calendars know entries by it."""
