"""A trial of the whole house: nobody else is told, through kills and restarts; going live tells each reader once."""

import asyncio
import json

import pytest

from tests.journeys.house import House, on
from tests.journeys.operating import pledgewire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

COAL = "nals-2021-coal-finance"


async def test_a_trial_holds_all_but_its_list_and_going_live_tells_the_rest_once(house: House) -> None:
    """
    A person gets what is held in one message, a system each event; nothing is lost or doubled, though the notifier is
    killed while it holds.
    """
    environment = {**house.stack.environment(), "PLEDGEWIRE_CLOCK_FILE": str(house.fleet.folder.parent / "clock")}

    async def run(*words: str) -> str:
        return await asyncio.to_thread(pledgewire, environment, *words)

    await house.begin(on(2022, 3, 1))
    await house.import_statement()
    await house.read_all()
    await run("trial", "begin", "--allow", "ana@ministry.example")
    await house.expect_metric("notifier", "pledgewire_trial", "", 1.0)
    for channel, name in (("email", "ana"), ("email", "ben"), ("webhook", "trial-hook")):
        await house.subscribe(channel, name, events=["status-changed"], commitments=[COAL])

    await house.tell_status(COAL, "in-progress")
    await house.rest()
    house.fleet.kill("notifier")
    house.fleet.revive()
    await asyncio.to_thread(house.fleet.wait_ready, "notifier")
    await house.tell_status(COAL, "at-risk")
    await house.at(on(2022, 3, 3))
    assert len(await house.read("ana")) == 2
    assert (await house.read("ben"), await house.read("trial-hook")) == ([], [])
    held = json.loads(await run("trial", "status", "--json"))["held"]
    assert held == {"deliveries": 4, "addresses": 2, "stale": 0}

    assert "live; 4 deliveries to 2 addresses held" in await run("go-live", "--yes")
    await house.expect_metric("notifier", "pledgewire_trial", "", 0.0)
    await house.rest()
    assert (len(await house.read("ben")), len(await house.read("trial-hook")), await house.read("ana")) == (1, 2, [])
    await house.assert_nothing_lost()
