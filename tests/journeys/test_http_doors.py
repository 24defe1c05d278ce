"""The doors of the whole instance: API keys that are revoked everywhere at once, and requests that act once.

`PLEDGEWIRE_POSTED_KEYS=1000 PLEDGEWIRE_POSTED_KILLS=10` is the full size of the second (P2).
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.registry.catalogue.loading import load
from tests.journeys.instance import LiveInstance
from tests.stand_ins.cutting_proxy import CuttingProxy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

POSTED_KEYS = int(os.environ.get("PLEDGEWIRE_POSTED_KEYS", "25"))
POSTED_KILLS = int(os.environ.get("PLEDGEWIRE_POSTED_KILLS", "2"))
POSTS = 20
"""With each idempotency key, at once."""
PLACES = {"registry": "/keys", "scheduler": "/escalations", "notifier": "/subscriptions"}
"""What each service shows to an operator and admin, and to nobody else."""
LONGEST = 5.0
"""Seconds until a revoked key is refused everywhere: what we promise (S23)."""


@pytest.fixture
async def doors(instance: LiveInstance) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
    """A connection to each service that stays open all the while."""
    async with AsyncExitStack() as closing:
        limits = httpx2.Limits(max_connections=1, keepalive_expiry=600)
        yield {
            service: await closing.enter_async_context(
                httpx2.AsyncClient(base_url=instance.url(service), limits=limits, timeout=30, trust_env=False)
            )
            for service in PLACES
        }


async def made(instance: LiveInstance, **form: Any) -> dict[str, Any]:
    body = {"client": f"client-{uuid4().hex[:8]}", "roles": ["operator", "admin"]} | form
    headers = instance.headers | {"Idempotency-Key": uuid4().hex}
    answer = await instance.http.post(f"{instance.url('registry')}/keys", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def revoked(instance: LiveInstance, key_id: str) -> None:
    headers = instance.headers | {"Idempotency-Key": uuid4().hex}
    answer = await instance.http.delete(f"{instance.url('registry')}/keys/{key_id}", headers=headers)
    assert answer.status_code == 200, answer.text


async def status(doors: dict[str, httpx2.AsyncClient], service: str, key: str) -> int:
    answer = await doors[service].get(PLACES[service], headers={"Authorization": f"Bearer {key}"})
    return answer.status_code


async def become(doors: dict[str, httpx2.AsyncClient], service: str, key: str, wanted: int) -> None:
    """Return once the service answers so; raises TimeoutError after as long as we promise."""
    async with asyncio.timeout(LONGEST):
        while await status(doors, service, key) != wanted:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.02)


async def test_a_key_is_known_and_a_revoked_one_refused_within_five_seconds_everywhere(
    instance: LiveInstance, doors: dict[str, httpx2.AsyncClient]
) -> None:
    """
    On connections that were open before, too.
    """
    for _ in range(3):
        key = await made(instance)
        await asyncio.gather(*(become(doors, service, key["key"], 200) for service in PLACES))
        await revoked(instance, key["key_id"])
        await asyncio.gather(*(become(doors, service, key["key"], 401) for service in PLACES))


async def test_a_process_knows_all_keys_before_it_is_ready(
    instance: LiveInstance, doors: dict[str, httpx2.AsyncClient]
) -> None:
    live, ended = await made(instance), await made(instance)
    for service in PLACES:
        await become(doors, service, ended["key"], 200)
    await revoked(instance, ended["key_id"])
    await instance.rest()
    for service in PLACES:
        await asyncio.to_thread(instance.fleet.stop, service)
        instance.fleet.start(service)
        await asyncio.to_thread(instance.fleet.wait_ready, service)
        assert (await status(doors, service, live["key"]), await status(doors, service, ended["key"])) == (200, 401)


async def test_while_kafka_is_away_known_keys_hold_and_the_registry_goes_on(
    instance: LiveInstance, doors: dict[str, httpx2.AsyncClient]
) -> None:
    """
    The registry makes and revokes; scheduler and notifier go by what they knew, say how old that is, and hear of all
    that was missed when Kafka is back. One that is started meanwhile lets nobody in by a key: 503, not 401.
    """
    before, gone = await made(instance), await made(instance)
    for service in PLACES:
        await become(doors, service, before["key"], 200)
        await become(doors, service, gone["key"], 200)
    instance.stack.kill_broker()
    try:
        await revoked(instance, gone["key_id"])
        new = await made(instance)
        assert [await status(doors, "registry", one["key"]) for one in (before, gone, new)] == [200, 401, 200]
        for service in ("scheduler", "notifier"):
            assert [await status(doors, service, one["key"]) for one in (before, gone, new)] == [200, 200, 401]
        await instance.expect_troubles("keys", "scheduler", "notifier")
        await asyncio.to_thread(instance.fleet.stop, "scheduler")
        instance.fleet.start("scheduler")
        async with asyncio.timeout(30):
            while not await instance.troubles_if_up("scheduler"):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.1)
        assert await status(doors, "scheduler", before["key"]) == 503
    finally:
        await asyncio.to_thread(instance.stack.start_broker)
    await instance.expect_troubles(None, *PLACES)
    for service in PLACES:
        for one, wanted in ((before, 200), (gone, 401), (new, 200)):
            await become(doors, service, one["key"], wanted)


async def insist(http: httpx2.AsyncClient, url: str, key: str, party: str, headers: dict[str, str]) -> bytes:
    """Post until there is a whole answer that is no "later"; its body."""
    body = {"status": "in-progress", "party": party, "note": f"Said with the key {key}"}
    while True:
        try:
            answer = await http.post(url, json=body, headers=headers | {"Idempotency-Key": key, "Connection": "close"})
        except httpx2.TransportError:
            await asyncio.sleep(0.05)  # it was cut, or nobody is there
            continue
        if answer.status_code == 201:
            return answer.content
        assert answer.status_code in (409, 503), answer.text
        if answer.status_code == 409:
            assert answer.json()["type"] == "/problems/request-in-flight"
        await asyncio.sleep(0.05)


async def test_twenty_posts_with_one_key_are_one_event_though_half_of_the_answers_are_cut(
    instance: LiveInstance,
) -> None:
    """
    P2, with kills of the registry (SIGKILL) in between: as many events as keys, and one answer to all who used one.
    """
    await instance.import_statement()
    commitments = [commitment for commitment in load().commitments if not commitment.milestones]
    keys = [f"posted-{number}" for number in range(POSTED_KEYS)]
    posted = asyncio.Event()

    async def kill() -> None:
        done = 0
        while done < POSTED_KILLS and not posted.is_set():
            instance.fleet.kill("registry")
            instance.fleet.start("registry")
            await asyncio.to_thread(instance.fleet.wait_ready, "registry")
            done += 1
            await asyncio.sleep(0.5)
        assert done == POSTED_KILLS, "all was answered before the last kill: give it more keys"

    before = await instance.observer.connection.fetchval("select count(*) from registry.status_update")
    limits = httpx2.Limits(max_connections=40)
    async with (
        CuttingProxy(instance.fleet.members["registry"].port, seed=7) as proxy,
        httpx2.AsyncClient(timeout=30, trust_env=False, limits=limits) as http,
        asyncio.TaskGroup() as group,
    ):
        killing = group.create_task(kill())
        answers = await asyncio.gather(
            *(
                insist(
                    http,
                    f"{proxy.url}/commitments/{commitment.id}/status-updates",
                    key,
                    commitment.parties[0],
                    instance.headers,
                )
                for key, commitment in zip(keys, cycle(commitments), strict=False)
                for _ in range(POSTS)
            )
        )
        posted.set()
        await killing
    await instance.rest(seconds=120)

    of_key = [
        {json.loads(answer)["event_id"] for answer in answers[n * POSTS : (n + 1) * POSTS]} for n in range(len(keys))
    ]
    assert [len(ids) for ids in of_key] == [1] * len(keys)
    assert len(set.union(*of_key)) == len(keys)
    assert len(set(answers)) == len(keys)  # byte by byte
    rows = await instance.observer.connection.fetch("select event_id::text, note from registry.status_update")
    said = [row for row in rows if (row["note"] or "").startswith("Said with the key")]
    assert len(rows) - before == len(said) == len(keys)
    assert {row["event_id"] for row in said} == set.union(*of_key)
    assert proxy.cut > proxy.asked / 4
    await instance.assert_nothing_lost()
