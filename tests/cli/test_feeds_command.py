"""`pledgewire feeds` as a program of its own, against a scheduler's interface that really listens."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.migrations import VERSIONS
from tests.cli.programs import ask_command, listening, run_command
from tests.conftest import FreshDatabase
from tests.scheduler.feeds.scenes import parsed
from tests.scheduler.scenes import utc
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys

run, asked = partial(run_command, "feeds"), partial(ask_command, "feeds")


@pytest.fixture
async def environment(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Where a scheduler listens, and a key for it."""
    url = await fresh_database({"scheduler": VERSIONS})
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    clock = SharedClock(tmp_path / "clock")
    clock.set(utc(2021, 11, 18))
    keys = known_keys({"sre": ["subscriber"]})
    settings = FeedSettings(public_url="https://times.example")
    app = app_of(database, clock, keys=keys, feed_settings=settings)
    async with listening(app) as url:
        yield {
            "SCHEDULER_URL": url,
            "PLEDGEWIRE_KEY": keys["sre"],
            "HTTP_PROXY": "http://127.0.0.1:1",  # never used: addresses and keys are our own
        }
    await database.close()


async def test_a_feed_is_made_listed_rotated_and_revoked(environment: dict[str, str]) -> None:
    made = await asked(
        environment,
        "add",
        "--language",
        "es",
        "--party",
        "MX",
        "--theme",
        "climate",
        "--alarm",
        "3",
        "--name",
        "Clima",
    )
    assert (made["language"], made["alarms"], made["name"]) == ("es", [3], "Clima")
    assert (made["filters"]["parties"], made["filters"]["themes"]) == (["MX"], ["climate"])

    status, out, _ = await run(environment, "list")
    assert status == 0
    assert out.startswith(f"{made['id']}  es  Clima  parties=MX themes=climate  never read")

    status, out, _ = await run(environment, "rotate", made["id"])
    rows = dict(line.split() for line in out.splitlines())
    assert (status, set(rows), rows["id"]) == (0, {"id", "calendar", "atom", "rss"}, made["id"])
    assert rows["calendar"] != made["addresses"]["calendar"]
    path = urlsplit(rows["calendar"]).path
    async with httpx.AsyncClient(base_url=environment["SCHEDULER_URL"], trust_env=False) as client:
        calendar = (await client.get(path)).content
        assert parsed(calendar) == {}
        head = await client.head(path)
        assert (head.status_code, head.content, int(head.headers["content-length"])) == (200, b"", len(calendar))
        assert await asked(environment, "revoke", made["id"]) == {"id": made["id"], "revoked": True}
        assert (await client.get(path)).status_code == 404
    assert await asked(environment, "list") == {"items": []}


@pytest.mark.parametrize(
    ("arguments", "changes", "ends_with", "error", "how"),
    [
        (["list"], {"PLEDGEWIRE_KEY": ""}, 2, "no API key is given", "PLEDGEWIRE_KEY"),
        (["list"], {"PLEDGEWIRE_KEY": "e" * 40}, 1, "Send a valid API key", "role subscriber or editor"),
        (["list"], {"SCHEDULER_URL": "http://127.0.0.1:1"}, 1, "does not answer", "SCHEDULER_URL"),
        (["add", "--language", "de"], {}, 2, "a rule beyond it refuses it", "language: nobody is written to"),
        (["add", "--language", "deutsch"], {}, 2, "does not have the form", "language: "),
        (["add", "--party", "Francia"], {}, 2, "does not have the form", "filters/parties/0"),
        (["revoke", "not-an-id"], {}, 2, "'not-an-id' is no feed's id", "feeds list"),
        (["revoke", "01900000-0000-7000-8000-000000000001"], {}, 3, "There is no such feed", "feeds list"),
    ],
)
async def test_what_goes_wrong_is_said_in_two_lines(
    environment: dict[str, str], arguments: list[str], changes: dict[str, str], ends_with: int, error: str, how: str
) -> None:
    status, out, complaints = await run(environment | changes, *arguments)

    assert (status, out) == (ends_with, "")
    first, second = complaints.splitlines()
    assert first.startswith("error: ") and error in first
    assert second.startswith("help: ") and how in second
