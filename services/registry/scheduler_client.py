"""The scheduler's HTTP interface, as far as the register needs it: to hold old schedules while a date moves."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

import httpx2
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.logs import log
from services.plumbing.sentences import Sentence
from services.plumbing.tracing import thread_headers
from services.registry.actions.holds import ScheduleHold, SchedulerUnavailable

LONGEST_HOLD = 2.0
"""Seconds that taking the holds of one move may last, all requests together."""
LARGEST_HOLD = 1000
"""Milestones in one request."""


class SchedulerClientSettings(BaseSettings):
    """Where the scheduler is; without an address no hold is taken, and the register stands alone."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULER_")

    url: str | None = None
    key: SecretStr | None = Field(default=None, validate_default=True)
    """An API key of ours with the role `holder`."""

    @field_validator("key")
    @classmethod
    def _whoever_asks_has_a_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("url") and not (key and key.get_secret_value()):
            raise ValueError("the scheduler takes no holds without a key of the role `holder`")
        return key


class SchedulerClient:
    """Takes holds at the scheduler over HTTP."""

    def __init__(self, client: httpx2.AsyncClient, url: str, key: str) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/holds"
        self._headers = {"Authorization": f"Bearer {key}"}

    async def take(self, holds: Sequence[ScheduleHold]) -> None:
        """Return when all are held; raises `SchedulerUnavailable` for any answer but 204, and for none in time."""
        try:
            async with asyncio.timeout(LONGEST_HOLD):
                for start in range(0, len(holds), LARGEST_HOLD):
                    await self._take(holds[start : start + LARGEST_HOLD])
        except (httpx2.HTTPError, OSError, TimeoutError) as error:
            log.warning("the scheduler does not hold", action="hold_missing", error=repr(error))
            raise SchedulerUnavailable(
                Sentence(
                    "The scheduler did not answer within %(longest_hold)s s; nothing was changed, ask again",
                    longest_hold=format(LONGEST_HOLD, ".0f"),
                )
            ) from error

    async def _take(self, holds: Sequence[ScheduleHold]) -> None:
        response = await self._client.post(
            self._url,
            json={"milestones": [asdict(hold) for hold in holds]},
            headers=self._headers | thread_headers(),
        )
        if response.status_code != 204:
            log.warning("the scheduler does not hold", action="hold_refused", status=response.status_code)
            raise SchedulerUnavailable(
                Sentence(
                    "The scheduler answered %(status_code)s; nothing was changed, ask again",
                    status_code=response.status_code,
                )
            )
