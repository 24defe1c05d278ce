"""A second major version of an event beside the first, on the real broker: both written, and nobody is disturbed."""

import asyncio
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from contracts.envelope import from_record
from contracts.events import StatusChanged
from tests.journeys.instance import LiveInstance
from tests.journeys.second_major import SUNSET, V1, V2, second_major
from tests.journeys.test_rolling_upgrade import COMMITMENTS, dead_letters, report, run_release

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def by_release(instance: LiveInstance, code: Path, *arguments: str) -> None:
    """Run a command of this release against the instance."""
    settings = {**instance.stack.environment(), "ACCESS_FILE": str(instance.access_file), "PYTHONPATH": str(code)}
    command = [sys.executable, "-P", "-m", "services.cli.main", *arguments]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=code, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def headers_of(record: Any) -> dict[str, str]:
    return {name: content.decode() for name, content in record.headers}


def seqs(records: list[Any]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = defaultdict(list)
    for record in records:
        found[record.key].append(json.loads(record.value)["seq"])
    return found


async def test_both_majors_are_written_and_readers_of_the_first_go_on(instance: LiveInstance, tmp_path: Path) -> None:
    await instance.import_statement()
    await instance.subscribe("webhook", "first-major", events=["status-changed"])
    await report(instance, COMMITMENTS[0], "in-progress")
    before = {headers_of(one)["ce_id"] for one in await instance.read_topic(V1)}
    here, code = instance.fleet.members["registry"].code, second_major(tmp_path / "code")
    await by_release(instance, code, "topics", "apply")
    await by_release(instance, code, "access", "apply")

    await run_release(instance, code, "registry")
    await report(instance, COMMITMENTS[0], "at-risk")
    instance.fleet.kill("registry")
    instance.fleet.revive()
    await asyncio.to_thread(instance.fleet.wait_ready, "registry")
    for status in ("in-progress", "met"):
        await report(instance, COMMITMENTS[1], status)
    await instance.rest()

    first = [one for one in await instance.read_topic(V1) if headers_of(one)["ce_id"] not in before]
    second = await instance.read_topic(V2)
    said = {headers_of(one)["ce_id"]: one for one in second}
    assert {str(uuid5(UUID(headers_of(one)["ce_id"]), V2)) for one in first} == set(said)
    assert len(said) == 3
    assert all(found == list(range(1, len(found) + 1)) for found in seqs(second).values())
    for one in first:
        # As our readers of today, and as anybody who knows the first major alone.
        envelope, event = from_record(StatusChanged, one.key, one.headers, one.value)
        later = said[str(uuid5(envelope.id, V2))]
        told = json.loads(later.value)
        assert (later.key, told["statuses"]) == (one.key, [event.previous, event.status])
        assert told["cause"] == event.cause.model_dump(mode="json")
        assert headers_of(one)["ce_deprecated"] == "true"
        assert headers_of(one)["ce_deprecationsunset"] == f"{SUNSET}T00:00:00Z"
        assert headers_of(one)["ce_deprecationmigration"].endswith("/contracts/schemas/status-changed.v2.json")
        assert "ce_deprecated" not in headers_of(later)
    served = await instance.http.get(f"{instance.url('registry')}/contracts/schemas/status-changed.v1.json")
    assert (served.headers["sunset"], served.json()["x-sunset"]) == ("Fri, 30 Jun 2028 00:00:00 GMT", SUNSET)
    await by_release(instance, code, "verify")

    await run_release(instance, here, "registry")  # and back
    await report(instance, COMMITMENTS[2], "in-progress")
    await instance.rest()
    every = seqs(await instance.read_topic(V1))
    assert all(found == list(range(1, len(found) + 1)) for found in every.values())
    assert await dead_letters(instance) == {}
    await instance.assert_nothing_lost()
    told_to = {arrival.delivery_id for arrival in await instance.arrivals() if arrival.name == "first-major"}
    assert len(told_to) == len(before) + 4, "one message for each event, not for each major"
