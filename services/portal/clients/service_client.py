"""Asking another service over HTTP: lists page by page, single things, and what an answer may be."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.open_lists import TOLERANT
from services.plumbing.tracing import thread_headers
from services.plumbing.transient_errors import Unavailable

M = TypeVar("M", bound=BaseModel)

TIMEOUT_SECONDS = 4.0


class ServiceAddresses(BaseSettings):
    """Where the other services answer."""

    model_config = SettingsConfigDict(env_prefix="")

    registry_url: str = "http://127.0.0.1:8001"
    scheduler_url: str = "http://127.0.0.1:8002"
    notifier_url: str = "http://127.0.0.1:8003"


class NoSuchResource(LookupError):
    """The other service knows no such thing."""


class LinkEnded(LookupError):
    """The link of a message was good once, and has ended."""


class ProblemView(BaseModel):
    """Why something was refused (RFC 9457)."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    detail: str = ""
    held_by: str = ""
    """Of an escalation that somebody else is on: who."""

    @property
    def name(self) -> str:
        """The last part of its type."""
        return self.type.rpartition("/")[2]


class ServiceAnswer(BaseModel):
    """An answer as far as pages show it."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True)
class ServiceReply:
    """What a service said to something that was to be changed, or to a question of which the tag counts."""

    status: int
    content: bytes
    etag: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def problem(self) -> ProblemView:
        """Why it was refused."""
        return read_answer(ProblemView, self.content)


class ListPage(BaseModel, Generic[M]):
    """One page of a list."""

    items: list[M]
    next_cursor: str | None = None


def http_client() -> httpx2.AsyncClient:
    """Connections that the clients of all services share; whoever makes it closes it."""
    return httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)


class ServiceClient:
    """Asks one service.

    `Unavailable` is raised for one that does not answer, answers with an error or with something else than promised.
    """

    def __init__(self, http: httpx2.AsyncClient, address: str) -> None:
        self._http = http
        self._address = address.rstrip("/")

    async def ask(self, path: str) -> ServiceReply:
        """A question of which the tag of the answer counts, or what was refused; raises `NoSuchResource`."""
        return await self.send("GET", path)

    async def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> ServiceReply:
        """Ask for something to be done, `body` in JSON; raises `NoSuchResource` for what there is not."""
        named = {"accept": "application/json", **thread_headers(), **(headers or {})}
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            named["content-type"] = "application/json"
        asked = "/" + path.split("/")[1]
        try:
            answer = await self._http.request(method, self._address + path, content=content, headers=named)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"{asked}: {type(error).__name__}: {error}") from error
        if answer.status_code == 404:
            raise NoSuchResource(asked)
        if answer.status_code >= 500:
            raise Unavailable(f"{asked}: answered {answer.status_code}")
        return ServiceReply(answer.status_code, answer.content, answer.headers.get("etag", ""))

    async def one(self, path: str, model: type[M]) -> M:
        """A single thing; raises `NoSuchResource` where there is none."""
        return read_answer(model, await self._get(path, {}))

    async def one_or_none(self, path: str, model: type[M]) -> M | None:
        """A single thing; None where there is none."""
        try:
            return await self.one(path, model)
        except NoSuchResource:
            return None

    async def all(
        self, path: str, model: type[M], parameters: Mapping[str, str], *, most_pages: int = 25, limit: int = 200
    ) -> list[M]:
        """A list, page by page; a longer one than `most_pages` of `limit` is cut rather than waited for."""
        found: list[M] = []
        cursor: str | None = None
        for _ in range(most_pages):
            more = {"cursor": cursor} if cursor else {}
            answer = await self._get(path, {**parameters, "limit": str(limit), **more})
            page = read_answer(ListPage[model], answer)  # type: ignore[valid-type]  # a model made at run time
            found += page.items
            cursor = page.next_cursor
            if not cursor:
                break
        return found

    async def check(self) -> str | None:
        """For `/readyz`: why the service does not answer, if it doesn't."""
        try:
            await self._get("/livez", {})
        except (Unavailable, NoSuchResource) as error:
            return str(error)
        return None

    async def _get(self, path: str, parameters: Mapping[str, str]) -> bytes:
        asked = "/" + path.split("/")[1]  # what follows may be a token, and logs tell the text of errors
        headers = {"accept": "application/json", **thread_headers()}
        try:
            answer = await self._http.get(self._address + path, params=dict(parameters), headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"{asked}: {type(error).__name__}: {error}") from error
        if answer.status_code == 404:
            raise NoSuchResource(asked)
        if answer.status_code != 200:
            raise Unavailable(f"{asked}: answered {answer.status_code}")
        return answer.content


def read_answer(model: type[M], answer: bytes) -> M:
    """The answer as far as we know it: what a later release of the service added is borne, at every depth."""
    try:
        return model.model_validate_json(answer, extra="ignore", context=TOLERANT)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise Unavailable(f"not the promised answer: {where}: {fault['msg']}") from error
