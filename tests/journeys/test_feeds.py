"""A calendar and its feed of events from the registry to somebody's calendar program, across the moves of a summit."""

import asyncio
from datetime import date
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import feedparser
import httpx2
import pytest

from tests.journeys.instance import LiveInstance, on
from tests.scheduler.feeds.scenes import days, parsed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NEXT_SUMMIT = "nals-2021-next-summit"


async def read(instance: LiveInstance, address: str) -> bytes:
    """What stands at an address, which is asked as it was given."""
    answer = await instance.http.get(address)
    assert answer.status_code == 200, answer.text
    return answer.content


async def events_of(instance: LiveInstance, address: str) -> list[Any]:
    found = feedparser.parse(await read(instance, address))
    assert not found.bozo
    return list(found.entries)


async def test_a_summit_moves_in_a_calendar(instance: LiveInstance) -> None:
    """
    From a year to a month to two days: each time one event of the calendar differs, and is the same by its UID.
    """
    await instance.begin(on(2021, 11, 18))
    await instance.import_statement()
    await instance.rest()
    form = {"name": "Cumbres", "language": "es", "zone": "America/Mexico_City"}
    answer = await instance.http.post(f"{instance.url('scheduler')}/feeds", json=form, headers=instance.headers)
    assert answer.status_code == 201, answer.text
    addresses = answer.json()["addresses"]
    assert urlsplit(addresses["calendar"]).netloc == urlsplit(instance.url("scheduler")).netloc

    seen = [parsed(await read(instance, addresses["calendar"]))]
    for when, edtf in ((on(2022, 6, 10), "2022-12"), (on(2022, 11, 18), "2023-01-09/2023-01-10")):
        await instance.at(when)
        await instance.move_anchor("nals-2022", edtf, source="gob.mx")
        await instance.rest()
        seen.append(parsed(await read(instance, addresses["calendar"])))

    year, month, exact = ([e for e in one.values() if NEXT_SUMMIT in e.url.value] for one in seen)
    assert [len(one) for one in (year, month, exact)] == [1, 1, 1]
    assert len({one[0].uid.value for one in (year, month, exact)}) == 1
    assert [one[0].sequence.value for one in (year, month, exact)] == ["0", "1", "2"]
    assert [one[0].status.value for one in (year, month, exact)] == ["TENTATIVE", "TENTATIVE", "CONFIRMED"]
    assert [days(one[0]) for one in (year, month, exact)] == [
        (date(2022, 1, 1), date(2022, 12, 31)),
        (date(2022, 12, 1), date(2022, 12, 31)),
        (date(2023, 1, 9), date(2023, 1, 10)),
    ]
    for before, after in pairwise(seen):
        assert before.keys() == after.keys()
        assert [u for u in before if before[u].serialize() != after[u].serialize()] == [year[0].uid.value]

    await instance.feeds_caught_up()
    titles: list[str] = []
    async with asyncio.timeout(30):  # reminders come to the feeds behind the tick
        while not any(title.startswith("Vence ") for title in titles):
            titles = [entry.title for entry in await events_of(instance, addresses["atom"])]
            await asyncio.sleep(0.1)
    assert titles[0].startswith("Nueva fecha: ")
    assert titles == [entry.title for entry in await events_of(instance, addresses["rss"])]


async def test_a_revoked_address_is_gone_and_no_log_ever_told_it(instance: LiveInstance) -> None:
    answer = await instance.http.post(f"{instance.url('scheduler')}/feeds", json={}, headers=instance.headers)
    made = answer.json()
    address = made["addresses"]["calendar"]
    await read(instance, address)

    gone = await instance.http.delete(f"{instance.url('scheduler')}/feeds/{made['id']}", headers=instance.headers)

    assert gone.status_code == 204
    after: httpx2.Response = await instance.http.get(address)
    assert after.status_code == 404
    token = urlsplit(address).path.split("/")[2]
    for name in instance.fleet.members:
        assert token not in instance.fleet.log(name).read_text(errors="replace")
