"""Somebody with the link of a message, and a real notifier behind the portal: what the tests of the links' pages share.

A form is sent as a browser without JavaScript sends it: the fields of the page, and the cookie that came with it.
"""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.notifier.application import http_app
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.migrations import VERSIONS
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from services.portal.clients.notifier import NotifierApi
from services.portal.clients.service_client import ServiceClient, http_client
from tests.conftest import FreshDatabase
from tests.notifier.delivery.dispatching import links
from tests.notifier.scenes import (
    ACKNOWLEDGEMENT_TOKENS,
    DESTINATIONS,
    NOW,
    PAGES,
    TOKENS,
    UNDO_TOKENS,
    database_at,
    empty,
    subscribe,
)
from tests.portal.conftest import ServedPortal
from tests.portal.serving import Served
from tests.stand_ins.known_keys import known_keys

FORM = {"content-type": "application/x-www-form-urlencoded"}


class Reader:
    """Somebody with the link of a message, and a browser that knows no script."""

    def __init__(self, portal: ServedPortal, database: Database) -> None:
        self.database = database
        self._url = portal.url
        self.browser = httpx2.AsyncClient(
            base_url=portal.url, headers={"accept": "text/html"}, follow_redirects=False, timeout=60
        )

    async def subscribed(self, channel: str = "email", **changes: Any) -> tuple[UUID, str]:
        """A subscription, and the address of its page."""
        id_ = await subscribe(self.database, "reader@example.org", channel=channel, **changes)
        return id_, f"/subscriptions/{TOKENS.token(id_)}"

    async def open(self, path: str) -> str:
        page = await self.browser.get(path)
        assert page.status_code == 200, page.text
        return page.text

    async def send(self, path: str, page: str, **entered: Any) -> httpx2.Response:
        """Post the first form of a page with these fields entered otherwise."""
        return await self.browser.post(path, data=fields(page) | entered, headers=FORM)

    async def row(self, id_: UUID) -> Any:
        """Its row, without what is made from the others."""
        async with self.database.connection() as connection:
            row = await connection.fetchrow("select * from subscription where id = $1", id_)
        return {name: value for name, value in row.items() if name != "fingerprint"}


def fields(page: str) -> dict[str, Any]:
    """What the first form of a page would send as it stands."""
    form = re.search(r'<form class="(?:settings|offers)".*?</form>|<form method="post".*?</form>', page, re.S)
    assert form
    found: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[0]):
        found[name] = unescape(value)
    for name, options in re.findall(r'<select id="[^"]+" name="([^"]+)"[^>]*>(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(
            r'<option value="([^"]*)"', options
        )
        found[name] = chosen[1] if chosen else ""
    for name, value in re.findall(r'<input id="[^"]+" name="([^"]+)"[^>]* value="([^"]*)"', form[0]):
        found[name] = unescape(value)
    for name, value in re.findall(
        r'<input type="(?:checkbox|radio)" [^>]*name="([^"]+)" value="([^"]+)" checked>', form[0]
    ):
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture(scope="module")
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database({"notifier": VERSIONS})


@pytest.fixture
async def reader(portal: ServedPortal, url: str, tmp_path: Path) -> AsyncIterator[Reader]:
    clock = SharedClock(tmp_path / "clock")  # the portal's, too
    clock.set(NOW)
    theirs, ours = database_at(url), database_at(url)
    app = http_app(
        theirs,
        clock,
        known_keys({}).keys,
        {},
        links=links(),
        pages=PAGES,
        tokens=TOKENS,
        acknowledgement_tokens=ACKNOWLEDGEMENT_TOKENS,
        undo_tokens=UNDO_TOKENS,
        destinations=DESTINATIONS,
        allowed=AllowList.of([]),
    )
    await ours.open()
    await empty(ours)
    async with ours.connection() as connection:
        await connection.execute("delete from audit_pending")
    with Served(app) as served:
        served.run(theirs.open())
        client = http_client()
        portal.use_notifier(NotifierApi(ServiceClient(client, served.url)))
        person = Reader(portal, ours)
        yield person
        await person.browser.aclose()
        served.run(theirs.close())
    await ours.close()
