"""What the scheduler asks the notifier: for whom, and to what, who has the link of an escalation may answer."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.open_lists import TOLERANT
from contracts.vocabulary import LanguageTag, MinistryCode, Slug
from services.plumbing.tracing import thread_headers
from services.plumbing.transient_errors import Unavailable

_ASKED = "/acknowledgement-links"


class NotifierSettings(BaseSettings):
    """Where the notifier answers."""

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_")

    url: str | None = None
    """Without it no link is good, and who is on something says so with a key."""
    deadline: float = Field(default=2.0, gt=0)
    """Seconds for one question."""


class LinkHolder(BaseModel):
    """Who has the link of an escalation, and to what they may answer."""

    model_config = ConfigDict(frozen=True)

    milestone_id: Slug
    subscription_id: UUID
    subscriber: str
    is_shared: bool
    language: LanguageTag
    zone: str
    ministry: MinistryCode | None = None
    """For which the owner of the subscription speaks; a notifier of the release before doesn't say it."""


class LinkOver(LookupError):
    """The link was good, and has ended."""


class NotifierClient:
    """The notifier's HTTP interface."""

    def __init__(self, url: str, deadline: float) -> None:
        self._url = url.rstrip("/")
        self._client = httpx2.AsyncClient(timeout=deadline, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def link_holder(self, token: str) -> LinkHolder | None:
        """Who has this link; None where the notifier made no such link.

        Raises `LinkOver` for one that has ended, and `Unavailable` for any other answer: rather nobody than anybody.
        """
        headers = {"accept": "application/json", **thread_headers()}
        try:
            answer = await self._client.get(f"{self._url}{_ASKED}/{quote(token, safe='')}", headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"{_ASKED}: {type(error).__name__}") from error  # its text has the token
        match answer.status_code:
            case 404:
                return None
            case 410:
                raise LinkOver
            case 200:
                return _holder(answer)
        raise Unavailable(f"{_ASKED}: answered {answer.status_code}")


def _holder(answer: httpx2.Response) -> LinkHolder:
    try:
        body: Any = answer.content
        return LinkHolder.model_validate_json(body, extra="ignore", context=TOLERANT)
    except ValidationError as error:
        raise Unavailable(f"{_ASKED}: not the promised answer") from error
