"""Two releases side by side: the later one writes what this one doesn't know, and back again; nothing is put aside."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.topics import OWN, ingest_topic
from tests.journeys.instance import BOUND, LiveInstance, day, on
from tests.journeys.last_release import last_release
from tests.journeys.later_release import FIELD, WORD, later_release
from tests.journeys.operating import pledgewire
from tests.journeys.steady_load import under_load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

COMMITMENTS = ("nals-2021-coal-finance", "nals-2021-conserve-30-percent", "nals-2021-make-democracy-deliver")
ALSO = ("nals-2021-develop-smes", "nals-2021-raise-standards")
"""Those of the second test: both have one instance, and its clock goes on."""
SERVICES = ("registry", "scheduler", "notifier", "portal")


async def upgrade_schemas(code: Path, database_url: str) -> None:
    """Bring every schema to the newest revision that this code knows."""
    command = [sys.executable, "-P", "-m", "services.cli.main", "db", "upgrade"]
    settings = {**os.environ, "DATABASE_URL": database_url, "PYTHONPATH": str(code)}
    done = await asyncio.to_thread(subprocess.run, command, cwd=code, env=settings, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


async def run_release(instance: LiveInstance, code: Path, *names: str, python: str = sys.executable) -> None:
    """Stop these processes and start them again from another release's code."""
    await asyncio.to_thread(instance.fleet.stop, *names)
    for name in names:
        instance.fleet.members[name].code, instance.fleet.members[name].python = code, python
    instance.fleet.start(*names)
    await asyncio.to_thread(instance.fleet.wait_ready, *names)


async def report(instance: LiveInstance, commitment: str, status: str, **more: Any) -> dict[str, Any]:
    answer = await instance.post_status(commitment, status, **more)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def dead_letters(instance: LiveInstance) -> dict[str, int]:
    """How many records lie in each topic of dead letters that holds any."""
    topics = [*OWN, ingest_topic("mx-sre")]
    found = {topic.dead: len(await instance.read_topic(topic.dead)) for topic in topics}
    return {name: count for name, count in found.items() if count}


async def test_up_and_back_under_load(instance: LiveInstance, tmp_path: Path) -> None:
    """
    From the last release on its own schemas to this one and back, while editors report without a pause: every update
    that was taken is told once, nothing is put aside, and no one is answered otherwise than "not now".
    """
    # The first here: what the later release of another test adds to the schemas, this code could not take back.
    await instance.import_statement()
    await instance.subscribe("webhook", "load", events=["status-changed"])
    here = instance.fleet.members["registry"].code
    last = last_release(tmp_path / "last")
    environment = {"DATABASE_URL": instance.database_url}
    await asyncio.to_thread(instance.fleet.stop, *SERVICES)
    await asyncio.to_thread(pledgewire, environment, "db", "downgrade", last.release.version, "--yes")
    await run_release(instance, last.folder, *SERVICES, python=last.python)
    told_before = len(await instance.read_topic("status-changed"))

    async with under_load(instance, sorted(set(BOUND) - {*COMMITMENTS, *ALSO})[:9]) as load:
        await asyncio.sleep(1)
        await asyncio.to_thread(pledgewire, environment, "db", "upgrade")  # beside the last release at work
        for name in SERVICES:
            await run_release(instance, here, name)
        above = load.answered
        for name in reversed(SERVICES):
            await run_release(instance, last.folder, name, python=last.python)
    for name in SERVICES:
        await run_release(instance, here, name)

    await instance.rest(120)
    assert load.refused == []
    assert 0 < above < load.answered
    assert len(await instance.read_topic("status-changed")) == told_before + load.answered
    assert await dead_letters(instance) == {}
    await instance.assert_nothing_lost()


async def test_a_later_release_beside_this_one_and_back(instance: LiveInstance, tmp_path: Path) -> None:
    """
    A field, a word of an open list and a column more: events flow both ways, and no one is put aside.
    """
    await instance.import_statement()
    for channel in ("email", "slack", "teams", "webhook"):
        await instance.subscribe(channel, f"roll-{channel}")
    here = instance.fleet.members["registry"].code
    later = later_release(tmp_path / "later")
    await upgrade_schemas(later, instance.database_url)
    await report(instance, COMMITMENTS[0], "in-progress")  # this release on the later schema

    for name in SERVICES:  # one after the other, news between
        await run_release(instance, later, name)
        await report(instance, COMMITMENTS[1], "at-risk" if name in ("registry", "notifier") else "in-progress")
        if name == "registry":
            for party in BOUND[COMMITMENTS[2]]:  # of each: the whole stands at a later word where nobody has another
                await report(instance, COMMITMENTS[2], WORD, party=party)
        await instance.at(day(2 + SERVICES.index(name)))
    await instance.at(on(2022, 1, 2))
    for name in reversed(SERVICES):  # and back, the registry last: it wrote the later words
        await run_release(instance, here, name)
        await report(instance, COMMITMENTS[1], "at-risk" if name in ("portal", "scheduler") else "in-progress")
    await instance.at(on(2022, 2, 1))

    events = await instance.read_topic("status-changed")
    assert any(b'"%s"' % WORD.encode() in event.value for event in events)
    assert any(b'"%s"' % FIELD.encode() in event.value for event in events)
    assert await dead_letters(instance) == {}
    record = (await instance.http.get(f"{instance.url('registry')}/commitments/{COMMITMENTS[2]}")).json()
    assert record["status"] == WORD
    assert {one["status"] for one in record["party_statuses"]} == {WORD}
    for language, word in (("en", "Other"), ("es", "Otro"), ("fr", "Autre")):
        page = await instance.http.get(f"{instance.url('portal')}/commitments/{COMMITMENTS[2]}?lang={language}")
        assert page.status_code == 200
        assert word in page.text
    await instance.assert_nothing_lost()


async def test_the_last_release_beside_this_one_and_on_again(instance: LiveInstance, tmp_path: Path) -> None:
    """Back to the code that was released, on this one's schemas, and on again: events flow both ways meanwhile."""
    await instance.import_statement()
    for channel in ("email", "slack", "teams", "webhook"):
        await instance.subscribe(channel, f"released-{channel}")
    here = instance.fleet.members["registry"].code
    last = last_release(tmp_path / "last")
    told_before = len(await instance.read_topic("status-changed"))
    await report(instance, ALSO[0], "in-progress")

    for name in SERVICES:  # one after the other, news between
        await run_release(instance, last.folder, name, python=last.python)
        await report(instance, ALSO[1], "at-risk" if name in ("registry", "notifier") else "in-progress")
        await instance.at(on(2022, 2, 2 + SERVICES.index(name)))
    await instance.at(on(2022, 3, 1))
    for name in SERVICES:
        await run_release(instance, here, name)
        await report(instance, ALSO[1], "at-risk" if name in ("registry", "notifier") else "in-progress")
    await instance.at(on(2022, 4, 1))

    assert len(await instance.read_topic("status-changed")) == told_before + 1 + 2 * len(SERVICES)
    assert await dead_letters(instance) == {}
    await instance.assert_nothing_lost()
