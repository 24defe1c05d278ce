"""Asks the links of a mail whether they lead somewhere; only when a person wishes it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

MOST = 50
"""Links that are asked."""


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """What a link said: a status, or why there is none."""

    url: str
    status: int | None
    detail: str

    @property
    def good(self) -> bool:
        """Whether a reader would get somewhere."""
        return self.status is not None and self.status < 400


async def ask(urls: Sequence[str]) -> list[LinkAnswer]:
    """Ask each web address with HEAD, or with GET where that isn't known; follow nothing."""
    wanted = [url for url in urls if url.startswith(("https://", "http://"))][:MOST]
    async with httpx2.AsyncClient(timeout=5, trust_env=False, limits=httpx2.Limits(max_connections=8)) as client:
        return list(await asyncio.gather(*(_ask(client, url) for url in wanted)))


async def _ask(client: httpx2.AsyncClient, url: str) -> LinkAnswer:
    try:
        response = await client.head(url)
        if response.status_code in (405, 501):
            async with client.stream("GET", url) as response:
                pass
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        return LinkAnswer(url, None, str(error)[:200] or type(error).__name__)
    return LinkAnswer(url, response.status_code, response.headers.get("location", ""))
