"""What the scheduler asks the registry: which schedule of a milestone was really written."""

from typing import Any
from urllib.parse import quote

import httpx2
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.tracing import thread_headers
from services.plumbing.transient_errors import Unavailable


class RegistrySettings(BaseSettings):
    """Where the registry answers."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_")

    url: str | None = None
    """Without it nobody is asked, and a hold ends only when its schedule has come."""
    deadline: float = Field(default=2.0, gt=0)
    """Seconds for one question."""


class RegistryClient:
    """The registry's HTTP interface."""

    def __init__(self, url: str, deadline: float) -> None:
        self._url = url.rstrip("/")
        self._client = httpx2.AsyncClient(timeout=deadline, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def version_of(self, milestone_id: str) -> int:
        """The newest schedule version that was committed; raises `Unavailable` for any answer that does not say it.

        A milestone that the registry does not know is no answer either: rather silent than wrong.
        """
        headers = {"accept": "application/json", **thread_headers()}
        path = f"/milestones/{quote(milestone_id, safe='')}/schedule-version"
        try:
            answer = await self._client.get(self._url + path, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"{path}: {type(error).__name__}: {error}") from error
        if answer.status_code != 200:
            raise Unavailable(f"{path}: answered {answer.status_code}")
        return _version(path, answer)


def _version(path: str, answer: httpx2.Response) -> int:
    try:
        body: Any = answer.json()
    except ValueError as error:
        raise Unavailable(f"{path}: no JSON") from error
    version = body.get("schedule_version") if isinstance(body, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise Unavailable(f"{path}: not the promised answer")
    return version
