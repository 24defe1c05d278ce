"""Parts of a page that another service gives: one that can't be had is missing, and the page is still shown."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from prometheus_client import Counter

from services.plumbing.logs import log
from services.plumbing.transient_errors import Unavailable
from services.portal.clients.service_client import NoSuchResource

P = TypeVar("P")

MISSING = Counter("pledgewire_portal_parts_missing_total", "Parts of pages that another service did not give", ["part"])


@dataclass(frozen=True)
class PagePart(Generic[P]):
    """A part of a page, or the fact that it could not be had."""

    value: P
    is_missing: bool = False


async def page_part(name: str, request: Awaitable[P], otherwise: P) -> PagePart[P]:
    """The answer to a request; where the other service is away the part is missing, and the log has the reason."""
    try:
        return PagePart(await request)
    except (Unavailable, NoSuchResource) as error:
        MISSING.labels(name).inc()
        log.warning("a part of a page is missing", action="part_missing", part=name, error=str(error))
        return PagePart(otherwise, is_missing=True)


async def page_parts(name: str, ids: Iterable[str], ask: Callable[[str], Awaitable[P | None]]) -> dict[str, P]:
    """What there is of some things by their ids; what can't be had is left out, and counted."""

    async def one(id_: str) -> tuple[str, P | None]:
        part: PagePart[P | None] = await page_part(name, ask(id_), None)
        return id_, part.value

    found = await asyncio.gather(*(one(id_) for id_ in sorted(ids)))
    return {id_: value for id_, value in found if value is not None}
