"""Before a date moves, the scheduler is asked to hold: it then fires nothing of an older schedule version.

The hold is taken inside the transaction of the move, when the new versions are known and nothing is committed yet. So
from the moment of the 2xx on the old date never fires, and a move that can't be held does not happen.

A scheduler that held for a move that was never committed would keep silent for ever. It therefore asks which version
holds in the register, `RELEASED_AFTER` after the hold at the earliest, and goes on with that. So a transaction that has
taken a hold has to be over before then: the database ends it after `LONGEST_TRANSACTION`, whatever became of us.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import httpx2
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.database import Connection
from services.plumbing.failpoints import failpoint
from services.plumbing.logs import log
from services.registry.rules.errors import Refusal

RELEASED_AFTER = 10.0
"""Seconds after which the scheduler may ask whether the move has happened."""
LONGEST_TRANSACTION = 5.0
"""Seconds, by the database's clock, from just before the hold to the commit; half of `RELEASED_AFTER`."""
LONGEST_HOLD = 2.0
"""Seconds that taking the holds of one move may last, all requests together."""
LARGEST_HOLD = 1000
"""Milestones in one request."""


class HoldSettings(BaseSettings):
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


class SchedulerAway(Refusal):
    """The scheduler does not hold the old date now, so it is not moved."""

    kind = "scheduler-away"


@dataclass(frozen=True)
class Hold:
    """From now on nothing older than this version of a milestone's schedule may fire."""

    milestone_id: str
    schedule_version: int


class Holds(Protocol):
    """Whom we ask to hold."""

    async def take(self, holds: Sequence[Hold]) -> None:
        """Return when all are held; raises `SchedulerAway` otherwise, and then some of them may be."""
        ...


class SchedulerHolds:
    """Asks the scheduler over HTTP."""

    def __init__(self, client: httpx2.AsyncClient, url: str, key: str) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/holds"
        self._headers = {"Authorization": f"Bearer {key}"}

    async def take(self, holds: Sequence[Hold]) -> None:
        """Return when all are held; raises `SchedulerAway` for any answer but 204, and for none in time."""
        try:
            async with asyncio.timeout(LONGEST_HOLD):
                for start in range(0, len(holds), LARGEST_HOLD):
                    await self._take(holds[start : start + LARGEST_HOLD])
        except (httpx2.HTTPError, OSError, TimeoutError) as error:
            log.warning("the scheduler does not hold", action="hold_missing", error=repr(error))
            raise SchedulerAway(
                f"The scheduler did not answer within {LONGEST_HOLD:.0f} s; nothing was changed, ask again"
            ) from error

    async def _take(self, holds: Sequence[Hold]) -> None:
        response = await self._client.post(
            self._url, json={"milestones": [asdict(hold) for hold in holds]}, headers=self._headers
        )
        if response.status_code != 204:
            log.warning("the scheduler does not hold", action="hold_refused", status=response.status_code)
            raise SchedulerAway(f"The scheduler answered {response.status_code}; nothing was changed, ask again")


async def hold_old_schedules(connection: Connection, holds: Holds, versions: Sequence[Hold]) -> None:
    """Take the holds, and let the caller's transaction outlive them by no more than it may.

    Raises `SchedulerAway`. A process that is frozen between hold and commit finds its transaction ended: by
    `idle_in_transaction_session_timeout`, which every server has, and by `transaction_timeout` from PostgreSQL 17 on,
    which holds in the middle of a statement too.
    """
    limit = f"'{LONGEST_TRANSACTION * 1000:.0f}ms'"
    await connection.execute(f"set local idle_in_transaction_session_timeout = {limit}")
    if connection.get_server_version().major >= 17:
        await connection.execute(f"set local transaction_timeout = {limit}")
    await holds.take(versions)
    failpoint("registry-after-hold")
