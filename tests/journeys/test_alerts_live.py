"""Real faults in a real instance, seen by a real Prometheus: the alert of each fires, and ends when it is mended.

`PLEDGEWIRE_ALERTS_AS_SHIPPED=1` lets it wait as long as it does at an operator's, and prints how long each took.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.cli.fleet import SERVICES
from services.registry.catalogue.loading import load
from tests.journeys.instance import LiveInstance, day
from tests.journeys.live_prometheus import LivePrometheus, live_prometheus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

AS_SHIPPED = bool(os.environ.get("PLEDGEWIRE_ALERTS_AS_SHIPPED"))
LONGEST = 900.0 if AS_SHIPPED else 120.0
PLAIN = [one.id for one in load().commitments if not one.milestones]


@pytest.fixture
async def watched(instance: LiveInstance, tmp_path: Path) -> AsyncIterator[tuple[LiveInstance, LivePrometheus]]:
    """An instance with two receivers, one of which is gone and the other broken, and a Prometheus that asks it."""
    await instance.import_statement()
    await instance.subscribe("webhook", "broken", events=["status-changed"])
    await instance.subscribe("slack", "gone", events=["status-changed"])
    await instance.behave("webhook", "broken", fail_first=None, status=500)
    await instance.behave("slack", "gone", fail_first=None, status=410)
    await instance.begin(day(1))
    addresses = {name: instance.admin_url(name).removeprefix("http://") for name in SERVICES}
    async with live_prometheus(tmp_path, addresses, instance.http, haste=not AS_SHIPPED) as prometheus:
        yield instance, prometheus


async def test_each_of_six_faults_is_seen_by_its_alert_and_the_mended_ones_end(
    watched: tuple[LiveInstance, LivePrometheus], capsys: Any
) -> None:
    instance, prometheus = watched
    await asyncio.sleep(3)
    assert {alert for alert, _ in await prometheus.firing()} == set()
    took: dict[str, float] = {}

    async def fires(alert: str, about: str) -> None:
        took[alert] = await prometheus.fires(alert, about, seconds=LONGEST)

    # A record that nobody can read, receivers that fail, a process that is gone, and a switch that was forgotten.
    await instance.produce("status-changed", PLAIN[0].encode(), b"{ this is no JSON", {"ce_id": "nonsense"})
    for commitment in PLAIN[:12]:
        await instance.tell_status(commitment, "in-progress")
    destination = await instance.observer.connection.fetchval(
        "select encode(destination, 'hex') from notifier.subscription where channel = 'webhook'"
    )
    instance.fleet.kill("portal")
    stopped = await instance.http.post(
        f"{instance.url('notifier')}/sending/stop", json={"reason": "a drill"}, headers=instance.headers
    )
    assert stopped.status_code < 300, stopped.text
    await asyncio.gather(
        fires("PledgewireDeadLetters", "status-changed-dead"),
        fires("PledgewireDeliveriesGivenUp", "slack"),
        fires("PledgewireDestinationFailing", destination[:12]),
        fires("PledgewireServiceDown", "portal"),
        fires("PledgewireSendingStopped", "notifier"),
    )
    instance.fleet.revive()
    await instance.http.post(f"{instance.url('notifier')}/sending/start", headers=instance.headers)

    # A Kafka that answers nobody: nothing fails, it only stands still.
    kafka = instance.stack.processes()["kafka-0"]
    os.kill(kafka, signal.SIGSTOP)
    try:
        frozen = time.monotonic()
        assert (await instance.post_status(PLAIN[20], "in-progress")).status_code == 201
        await asyncio.gather(
            fires("PledgewireEventsNotPublished", "registry"), fires("PledgewireFiguresUnknown", "registry")
        )
        assert time.monotonic() - frozen >= 30
    finally:
        os.kill(kafka, signal.SIGCONT)
    await instance.rest(seconds=120)
    for alert, about in (
        ("PledgewireServiceDown", "portal"),
        ("PledgewireSendingStopped", "notifier"),
        ("PledgewireEventsNotPublished", "registry"),
        ("PledgewireFiguresUnknown", "registry"),
    ):
        await prometheus.ends(alert, about, seconds=LONGEST)

    if AS_SHIPPED:
        with capsys.disabled():
            print("".join(f"\n{alert:32} {seconds:6.0f} s" for alert, seconds in took.items()))
