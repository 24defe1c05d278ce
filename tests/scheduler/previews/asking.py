"""Somebody who asks for previews over HTTP."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import httpx2 as httpx

from tests.scheduler.running import COAL, Scheduler
from tests.scheduler.scenes import milestone

DUE = milestone(date(2021, 12, 31))


TORONTO = "America/Toronto"


@dataclass
class Preview:
    """Somebody who asks the scheduler over HTTP."""

    http: httpx.AsyncClient

    async def get(self, path: str, status: int = 200, **wanted: Any) -> Any:
        answer = await self.http.get(path, params={k: str(v) for k, v in wanted.items()})
        assert status == answer.status_code, answer.text
        return answer.json()

    async def of(self, commitment: str = COAL, **wanted: Any) -> dict[str, dict[str, Any]]:
        """The milestones of a preview, by their ids."""
        seen = await self.get("/schedule/preview", commitment=commitment, **wanted)
        return {one["milestone_id"]: one for one in seen["milestones"]}

    async def explain(self, id_: int, **wanted: Any) -> Any:
        return await self.get(f"/reminders/{id_}/explanation", **wanted)


async def ids(scheduler: Scheduler) -> dict[tuple[str, int], int]:
    """Reminders by step and version."""
    rows = await scheduler.rows("select id, step, schedule_version from reminder order by id")
    return {(row["step"], row["schedule_version"]): row["id"] for row in rows}


def at(moment: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(moment["due_at"])
