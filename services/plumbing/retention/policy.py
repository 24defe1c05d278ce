"""The policy: for each table or topic how long its rows are kept. Data, with defaults and least times, and settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

FOR_EVER = "forever"


@dataclass(frozen=True)
class KeptRows:
    """Rows that are pruned once they are older than so many days: a table's, or a topic's in an outbox."""

    name: str
    """By which settings know it."""
    what: str
    """For people, from when on the days are counted."""
    days: int
    """Unless a setting says otherwise."""
    least: int
    """Days; a setting may not say fewer, since then something would go wrong: `why`."""
    why: str

    def kept_for(self, settings: "RetentionSettings") -> timedelta | None:
        """How long they are kept; None for ever. Raises `ValidationError` for less than the least."""
        days = settings.days.get(self.name, self.days)
        if days is not None and days < self.least:
            fault = PydanticCustomError(
                "too_short",
                "{name} is kept for {least} days at least: {why}",
                {"name": self.name, "least": self.least, "why": self.why},
            )
            raise ValidationError.from_exception_data(
                RetentionSettings.__name__, [InitErrorDetails(type=fault, loc=("days",), input=days)]
            )
        return None if days is None else timedelta(days=days)


class RetentionSettings(BaseSettings):
    """How long rows are kept where the defaults don't fit, and how much of the database's time pruning may take."""

    model_config = SettingsConfigDict(env_prefix="RETENTION_", env_ignore_empty=True)

    days: Annotated[Mapping[str, int | None], NoDecode] = Field(default={})
    """`delivery=200,milestone-due=forever`: days by the name of a table or topic; each service heeds its own."""
    share: float = Field(default=0.05, gt=0, le=1)
    """Of the time of one connection that pruning takes while there is something to prune, by all processes together."""
    rows: int = Field(default=500, ge=10, le=10_000)
    """Looked at in one step, which is one transaction."""
    every_seconds: float = Field(default=3600.0, ge=1)
    """From the end of one round through the tables to the next."""

    @field_validator("days", mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found: dict[str, int | None] = {}
        for part in filter(None, (part.strip() for part in value.split(","))):
            name, equals, days = (word.strip() for word in part.partition("="))
            if not (name and equals and (days == FOR_EVER or (days.isascii() and days.isdigit() and len(days) < 7))):
                raise ValueError(f"write NAME=DAYS or NAME={FOR_EVER}, separated by commas")
            found[name] = None if days == FOR_EVER else int(days)
        return found


def written_days(days: Mapping[str, int | None]) -> str:
    """Days by name as the setting takes them."""
    return ",".join(f"{name}={FOR_EVER if one is None else one}" for name, one in days.items())


def periods(kept: Iterable[KeptRows], settings: RetentionSettings) -> dict[str, timedelta]:
    """How long each is kept, without those that are kept for ever; raises `ValidationError`."""
    found = {one.name: one.kept_for(settings) for one in kept}
    return {name: period for name, period in found.items() if period is not None}
