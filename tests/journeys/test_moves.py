"""From the moment of a move's 2xx the old date never fires; and what can't be held does not move."""

import asyncio
from uuid import uuid4

import httpx2
import pytest

from tests.journeys.instance import LiveInstance, on

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MOVED, UNMOVED = "nals-2021-next-summit-meeting", "nals-2021-summit-of-the-americas-participation"
ANCHOR_OF = {MOVED: "nals-2022", UNMOVED: "summit-of-the-americas-2022"}


async def move(instance: LiveInstance, milestone: str, edtf: str, key: str | None = None) -> httpx2.Response:
    """Ask for another date; its answer is not judged."""
    return await instance.http.put(
        f"{instance.url('registry')}/anchors/{ANCHOR_OF[milestone]}",
        json={"edtf": edtf, "source": {"text": "What the hosts said"}, "known_on": instance.now.date().isoformat()},
        headers=instance.headers | {"Idempotency-Key": key or str(uuid4())},
    )


async def told(instance: LiveInstance, milestone: str) -> list[int]:
    """The schedule versions of the reminders of it that have fired, in their order."""
    rows = await instance.observer.connection.fetch(
        "select (due ->> 'schedule_version')::int as version from"
        " (select id, convert_from(value, 'UTF8')::json as due from scheduler.outbox where topic = 'milestone-due') o"
        " where due -> 'milestone' ->> 'id' = $1 order by id",
        milestone,
    )
    return [row["version"] for row in rows]


async def test_the_old_date_is_silent_while_kafka_has_not_told_the_new_one(instance: LiveInstance) -> None:
    """The tick goes on without Kafka, and tells of another milestone with the same date in the same minute."""
    await instance.import_statement()
    await instance.at(on(2022, 1, 10))
    for milestone in ANCHOR_OF:
        assert (await move(instance, milestone, "2022-03-01")).status_code == 200
    await instance.rest()
    before = {milestone: await told(instance, milestone) for milestone in ANCHOR_OF}

    instance.stack.kill_broker()
    assert (await move(instance, MOVED, "2022-08-01")).status_code == 200
    instance.clock.set(on(2022, 2, 22))
    for _ in range(600):
        if await told(instance, UNMOVED) != before[UNMOVED]:
            break
        await asyncio.sleep(0.05)
    assert len(await told(instance, UNMOVED)) == len(before[UNMOVED]) + 1
    assert await told(instance, MOVED) == before[MOVED]

    await asyncio.to_thread(instance.stack.start_broker)
    await instance.rest(seconds=120)
    await instance.at(on(2022, 7, 25))
    assert set((await told(instance, MOVED))[len(before[MOVED]) :]) == {3}
    await instance.assert_nothing_lost()


async def test_a_date_that_can_not_be_held_does_not_move(instance: LiveInstance) -> None:
    """While the scheduler is away a move is put off, and everything else goes on."""
    instance.fleet.stop("scheduler")
    held = await instance.http.get(f"{instance.url('registry')}/milestones/{MOVED}/schedule-version")
    refused = await move(instance, MOVED, "2022-09-01", key="put off")
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/scheduler-away")
    assert refused.headers["retry-after"] == "1"
    assert (await instance.post_status("nals-2021-coal-finance", "in-progress")).status_code == 201
    now = await instance.http.get(f"{instance.url('registry')}/milestones/{MOVED}/schedule-version")
    assert now.json() == held.json()

    instance.fleet.start("scheduler")
    await asyncio.to_thread(instance.fleet.wait_ready, "scheduler")
    assert (await move(instance, MOVED, "2022-09-01", key="put off")).status_code == 200
    await instance.rest()
    await instance.assert_nothing_lost()
