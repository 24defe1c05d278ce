"""`pledgewire silence`, against a notifier that really listens."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.notifier.application import http_app
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.migrations import VERSIONS
from services.plumbing.clock import MACHINE_CLOCK
from tests.conftest import FreshDatabase
from tests.notifier.delivery.dispatching import links
from tests.notifier.scenes import ACKNOWLEDGEMENT_TOKENS, DESTINATIONS, PAGES, TOKENS, UNDO_TOKENS, database_at
from tests.portal.serving import Served
from tests.stand_ins.known_keys import known_keys

Command = Callable[..., Result]


@pytest.fixture
def command(fresh_database: FreshDatabase) -> Iterator[Command]:
    url = asyncio.run(_made(fresh_database))
    database = database_at(url)
    keys = known_keys({"ops": ["operator"], "sre": ["subscriber"]})
    served_app = http_app(
        database,
        MACHINE_CLOCK,
        keys.keys,
        {},
        links=links(),
        pages=PAGES,
        tokens=TOKENS,
        acknowledgement_tokens=ACKNOWLEDGEMENT_TOKENS,
        undo_tokens=UNDO_TOKENS,
        destinations=DESTINATIONS,
        allowed=AllowList.of(["127.0.0.1"]),
    )
    with Served(served_app) as served:
        served.run(database.open())

        def run(*words: str, client: str = "ops") -> Result:
            environment = {"NOTIFIER_URL": served.url, "PLEDGEWIRE_KEY": keys[client]}
            return CliRunner().invoke(app, ["silence", *words], env=environment)

        yield run
        served.run(database.close())


async def _made(fresh_database: FreshDatabase) -> str:
    return await fresh_database({"notifier": VERSIONS})


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def test_a_silence_is_made_listed_and_ended(command: Command) -> None:
    words = ["--reason", "The press office asks", "--until", "4h", "--theme", "climate", "--party", "MX"]
    added = document(command("add", *words, "--json"))
    left = datetime.fromisoformat(added["ends"]) - datetime.now(UTC)
    assert timedelta(hours=3, minutes=58) < left <= timedelta(hours=4)
    assert (added["author"], added["owner"], added["state"]) == ("ops", None, "active")
    line = command("list").stdout
    assert "MX, climate for everybody  0 wait  ops: The press office asks" in line
    assert document(command("list", "--json", client="sre")) == {"items": []}
    assert command("end", added["id"]).exit_code == 0
    assert document(command("list", "--json")) == {"items": []}
    assert [one["state"] for one in document(command("list", "--all", "--json"))["items"]] == ["ended"]


def test_what_is_wrong_is_said(command: Command) -> None:
    never = command("add", "--reason", "a", "--until", "2020-01-01T00:00:00Z")
    unknown = command("end", "00000000-0000-7000-8000-000000000000")
    for result, status in ((never, 2), (unknown, 3)):
        assert isinstance(result.exception, EmbeddedError)
        assert result.exception.status == status
    assert isinstance(command("list", "--key", "").exception, EmbeddedError)
