"""Three brokers and three of each service: any of them is killed under load, the others go on, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from uuid import uuid4

import httpx2
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.cli.fleet import SERVICES
from services.cli.running_stack import RunningStack
from services.registry.catalogue.loading import load
from tests.journeys.instance import BOUND, LiveInstance, day
from tests.journeys.starting import instance_of, prepared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HOOKS = ("slack", "webhook")
PAUSE = 0.15
"""Seconds between two updates."""
STEP = timedelta(seconds=30)
"""By so much the clock goes on with each update."""
GOES_ON = 6
"""So many updates are accepted, and told to every receiver, while somebody is away."""
IN_HAND = 16
"""Messages that a notifier may have sent and not recorded when it is killed: at most so many come twice."""
DAYS = 12
"""The clock is moved on by so many before each kill, so that reminders are due when it falls."""


@dataclass
class Load:
    """Updates all the while, as from behind a load balancer: each registry in turn, the next one where one is away."""

    instance: LiveInstance
    commitments: Sequence[str]
    accepted: set[str] = field(default_factory=set)
    stopping: bool = False

    async def run(self) -> None:
        """Post until told to stop; what was begun is brought to its end."""
        registries = cycle([name for name in self.instance.fleet.members if name.startswith("registry")])
        async with asyncio.TaskGroup() as tasks:
            for commitment, status in zip(cycle(self.commitments), cycle(["in-progress", "at-risk"]), strict=False):
                if self.stopping:
                    return
                tasks.create_task(self._post(commitment, status, registries))
                self.instance.clock.set(
                    self.instance.now + STEP
                )  # what waits for more of its cause, or tries again, goes out
                await asyncio.sleep(PAUSE)

    async def _post(self, commitment: str, status: str, registries: Iterator[str]) -> None:
        key = str(uuid4())
        async with asyncio.timeout(120):
            while True:
                try:
                    response = await self.instance.http.post(
                        f"{self.instance.url(next(registries))}/commitments/{commitment}/status-updates",
                        json={"status": status, "party": BOUND[commitment][0], "note": f"Update {key}"},
                        headers=self.instance.headers | {"Idempotency-Key": key},
                    )
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
                    continue
                if response.status_code == 201:
                    self.accepted.add(response.json()["event_id"])
                    return
                assert response.status_code in (408, 409, 503), response.text
                await asyncio.sleep(0.2)

    async def goes_on(self) -> None:
        """Return when updates that came after this moment have been told to every receiver."""
        before = set(self.accepted)
        async with asyncio.timeout(90):
            while len(fresh := self.accepted - before) < GOES_ON:  # noqa: ASYNC110  until others have answered
                await asyncio.sleep(0.05)
            while await self._untold(fresh):  # noqa: ASYNC110  in other processes
                await asyncio.sleep(0.1)

    async def _untold(self, events: set[str]) -> int:
        """How many of these events some subscription still waits for."""
        return int(
            await self.instance.observer.connection.fetchval(
                "select count(*) from unnest($1::uuid[]) e where not exists (select from notifier.event where id = e)"
                " or exists (select from notifier.delivery where event_id = e and state in ('pending', 'sending'))",
                list(events),
            )
        )


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with prepared(tmp_path_factory.mktemp("three"), brokers=3) as started:
        for name in SERVICES:
            for number in (2, 3):
                started.fleet.add_twin(f"{name}-{number}", name)
        started.fleet.start(*(name for name in started.fleet.members if name[-1] in "23"))
        started.fleet.wait_ready(seconds=120)
        yield started


@pytest.fixture
async def instance(parts: RunningStack) -> AsyncIterator[LiveInstance]:
    async with instance_of(parts) as made:
        yield made


async def test_any_of_them_dies_under_load_and_nothing_is_lost(instance: LiveInstance) -> None:
    """
    Each broker, and each process of each service, is away once. Meanwhile updates are accepted and told; in the end
    every law holds, what was accepted is there, and no more came twice than notifiers had in hand.
    """
    for channel in HOOKS:
        await instance.subscribe(channel, "everything", events=["status-changed", "milestone-due"])
    await instance.import_statement()
    load_ = Load(instance, [one.id for one in load().commitments][:30])
    posting = asyncio.create_task(load_.run())
    await load_.goes_on()

    for number in range(3):
        instance.clock.set(day(DAYS * (2 * number + 1)))
        instance.stack.kill_broker(number)
        await load_.goes_on()
        await asyncio.to_thread(instance.stack.start_broker, number)

        instance.clock.set(day(DAYS * (2 * number + 2)))
        away = [name if number == 0 else f"{name}-{number + 1}" for name in SERVICES]
        for name in away:
            instance.fleet.kill(name)
        await load_.goes_on()
        instance.fleet.start(*away)
        await asyncio.to_thread(instance.fleet.wait_ready, *away, seconds=90)

    load_.stopping = True
    await posting
    await instance.rest(seconds=180)
    recorded = await instance.observer.connection.fetch("select event_id from registry.status_update")
    assert load_.accepted <= {str(row["event_id"]) for row in recorded}
    assert len(load_.accepted) > 6 * GOES_ON
    assert await instance.observer.connection.fetchval("select count(*) from scheduler.reminder where state = 'fired'")
    assert instance.fleet.revive() == [], "nobody died of another's death"
    await instance.assert_nothing_lost(doubles=3 * IN_HAND)


async def test_every_topic_outlives_a_broker(instance: LiveInstance) -> None:
    """
    Three replicas, two of which have a record before it counts; the groups' own topic likewise.
    """
    admin = AIOKafkaAdminClient(**instance.kafka.client_options())
    await admin.start()
    try:
        topics = await admin.describe_topics(await admin.list_topics())
    finally:
        await admin.close()
    replicas = {one["topic"]: {len(place["replicas"]) for place in one["partitions"]} for one in topics}

    assert "__consumer_offsets" in replicas and "status-changed" in replicas
    assert {name: count for name, count in replicas.items() if count != {3}} == {}
