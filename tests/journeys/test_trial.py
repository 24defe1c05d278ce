"""A trial of the whole instance: nobody else is told, through kills and restarts; going live tells each reader once."""

import asyncio
import json

import pytest

from tests.journeys.instance import LiveInstance, on
from tests.journeys.operating import pledgewire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

COAL = "nals-2021-coal-finance"


async def test_a_trial_holds_all_but_its_list_and_going_live_tells_the_rest_once(instance: LiveInstance) -> None:
    """
    A person gets what is held in one message, a system each event; nothing is lost or doubled, though the notifier is
    killed while it holds.
    """
    environment = {**instance.stack.environment(), "PLEDGEWIRE_CLOCK_FILE": str(instance.fleet.folder.parent / "clock")}

    async def run(*words: str) -> str:
        return await asyncio.to_thread(pledgewire, environment, *words)

    await instance.begin(on(2022, 3, 1))
    await instance.import_statement()
    await instance.read_all()
    await run("trial", "begin", "--allow", "ana@ministry.example")
    await instance.expect_metric("notifier", "pledgewire_trial", "", 1.0)
    for channel, name in (("email", "ana"), ("email", "ben"), ("webhook", "trial-hook")):
        await instance.subscribe(channel, name, events=["status-changed"], commitments=[COAL])

    await instance.tell_status(COAL, "in-progress")
    await instance.rest()
    instance.fleet.kill("notifier")
    instance.fleet.revive()
    await asyncio.to_thread(instance.fleet.wait_ready, "notifier")
    await instance.tell_status(COAL, "at-risk")
    await instance.at(on(2022, 3, 3))
    assert len(await instance.read("ana")) == 2
    assert (await instance.read("ben"), await instance.read("trial-hook")) == ([], [])
    held = json.loads(await run("trial", "status", "--json"))["held"]
    assert held == {"deliveries": 4, "addresses": 2, "stale": 0}

    assert "live; 4 deliveries to 2 addresses held" in await run("go-live", "--yes")
    await instance.expect_metric("notifier", "pledgewire_trial", "", 0.0)
    await instance.rest()
    assert (len(await instance.read("ben")), len(await instance.read("trial-hook")), await instance.read("ana")) == (
        1,
        2,
        [],
    )
    await instance.assert_nothing_lost()
