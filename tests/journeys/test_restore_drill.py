"""The drill of docs/how-to/restore-a-backup.md: its very commands, in their order, on an instance that goes on."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from services.cli.backup.writing import whole_backups
from services.cli.fleet import SERVICES
from services.cli.observing import Observer
from tests.deploy.pages import commands
from tests.deploy.settings_read import PROJECT
from tests.journeys.instance import LiveInstance, on
from tests.journeys.operating import run_pledgewire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGE = PROJECT / "docs" / "how-to" / "restore-a-backup.md"


async def follow(environment: Mapping[str, str], *begins: str) -> CompletedProcess[str]:
    """Run the one command of the page that begins so, as it stands there."""
    lines = [one for one in commands("./pledgewire") if one.block.page == PAGE]
    [found] = [one for one in lines if one.words[1 : len(begins) + 1] == begins]
    words = [environment.get(word.removeprefix("$"), word) for word in found.words[1:]]
    return await asyncio.to_thread(run_pledgewire, environment, *words)


async def test_an_operator_follows_the_page(instance: LiveInstance, tmp_path: Path) -> None:
    """
    What was told since the backup is taken over and not told again; what is new waits for the word, and then comes.
    """
    environment = instance.stack.environment() | {"PLEDGEWIRE_STATE": str(tmp_path), "USER": "ana"}
    for channel in ("slack", "webhook"):
        await instance.subscribe(channel, "drill", events=["status-changed", "milestone-due"])
    await instance.import_statement()
    await instance.at(on(2021, 12, 1))
    made = await follow(environment, "backup")
    assert made.returncode == 0, made.stderr
    [(folder, manifest)] = whole_backups(tmp_path / "backups")
    environment["BACKUP"] = str(folder)
    assert manifest.topics and sum(manifest.topics["commitment-created"].values()) == 88

    late = "nals-2021-coal-finance"
    await instance.insist_on_status(late, "in-progress")
    await instance.at(on(2022, 1, 1))
    await instance.logs_told()
    arrived = len(await instance.arrivals())

    refused = await follow(environment, "restore", "$BACKUP", "--yes")
    assert (refused.returncode, "stop every service" in refused.stderr) == (1, True), refused.stderr
    await asyncio.to_thread(instance.fleet.stop, *SERVICES)
    looked = await follow(environment, "restore", "$BACKUP", "--check")
    assert (looked.returncode, "status-changed: 1 records came since" in looked.stdout) == (0, True), looked.stdout
    put = await follow(environment, "restore", "$BACKUP", "--yes")
    assert put.returncode == 0, put.stderr
    instance.fleet.start(*SERVICES)

    async with Observer(instance.database_url) as observer:
        instance.observer = observer
        await asyncio.to_thread(instance.fleet.wait_ready, *SERVICES)
        async with asyncio.timeout(90):
            told = ""
            while "held since" not in told or "still taking over" in told:  # the page says: run it again
                told = (await follow(environment, "recovery", "status")).stdout
        assert "taken over: 1 of status-changed" in told
        checked = await follow(environment, "verify")
        for _ in range(15):  # so it says here, too
            checked = await follow(environment, "verify") if checked.returncode else checked
        assert checked.returncode == 0, checked.stdout
        await instance.insist_on_status("nals-2021-develop-smes", "in-progress")  # comes while all is held
        assert len(await instance.arrivals()) == arrived

        released = await follow(environment, "recovery", "release")
        assert released.returncode == 0, released.stderr
        await instance.rest(120)
        assert len(await instance.arrivals()) == arrived + 2  # the new update, on both channels
        await instance.assert_nothing_lost()
        entries = await observer.connection.fetch(
            "select client from registry.audit_entry where action = 'recovery.released'"
            " union all select client from registry.audit_pending where action = 'recovery.released'"
        )
        assert [row[0] for row in entries] == ["command-line/ana"]
        log = await asyncio.to_thread(run_pledgewire, environment, "audit", "verify")
        assert log.returncode == 0, log.stderr
