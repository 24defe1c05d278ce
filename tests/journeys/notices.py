"""What is sent beside the deliveries: links that somebody has asked for, and changes by a link that a channel holds."""

import asyncio
import re
from collections.abc import Mapping

from tests.journeys.inbox_reader import Arrival
from tests.journeys.instance import LiveInstance

ASKED = "link_request"
CHANGED = "shared_change"
"""The tables of those who asked, and of the changes."""
_DONE: Mapping[str, str] = {ASKED: "done", CHANGED: "told"}
LINKS = "links."
"""So begins what a mail with links has in the place of a delivery's id."""


async def asks_for_links(instance: LiveInstance, address: str) -> None:
    """Somebody has lost their links, and asks for them by mail."""
    response = await instance.http.post(f"{instance.url('notifier')}/link-requests", json={"address": address})
    assert response.status_code == 202, response.text


async def changes_by_link(instance: LiveInstance, channel: str, name: str, **changes: object) -> None:
    """Somebody in a channel changes what it gets by the link in its newest message."""
    newest = (await instance.messages(channel, name))[-1]["number"]
    card = (await instance.http.get(f"{instance.inbox_url}/dev/inbox/messages/{newest}")).json()["body"]
    (token, *_) = re.findall(r"/subscriptions/([A-Za-z0-9_.-]+)", card)
    response = await instance.http.patch(f"{instance.url('notifier')}/subscription-links/{token}", json=changes)
    assert response.status_code == 200, response.text


async def notices_told(instance: LiveInstance, table: str) -> None:
    """Wait until everybody there has been told, which is on record."""
    waiting = f"select array_agg(distinct state) from notifier.{table}"
    async with asyncio.timeout(60):
        while await instance.observer.connection.fetchval(waiting) != [_DONE[table]]:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.1)


async def notices_that_came(instance: LiveInstance, table: str) -> list[Arrival]:
    """Those that have arrived, repeats too; a channel's are the only messages that are of nothing with a name."""
    arrivals = await instance.arrivals()
    if table == ASKED:
        return [one for one in arrivals if (one.delivery_id or "").startswith(LINKS)]
    return [one for one in arrivals if one.delivery_id is None]
