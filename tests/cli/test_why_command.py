"""`pledgewire why` and `why not`, against a notifier that really listens."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import Result
from typer.testing import CliRunner

from contracts.filters import Filters
from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.notifier.application import http_app
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.fan_out import FanOut
from services.notifier.migrations import VERSIONS
from services.plumbing.clock import MACHINE_CLOCK
from tests.conftest import FreshDatabase
from tests.notifier.delivery.dispatching import links
from tests.notifier.scenes import (
    ACKNOWLEDGEMENT_TOKENS,
    DESTINATIONS,
    NO_CAPACITY,
    NOW,
    PAGES,
    TOKENS,
    UNDO_TOKENS,
    database_at,
    incoming,
    subscribe,
)
from tests.portal.serving import Served
from tests.stand_ins.known_keys import known_keys

Command = Callable[..., Result]
EVENT = incoming("coal")


@pytest.fixture
def asked(fresh_database: FreshDatabase) -> Iterator[tuple[Command, dict[str, UUID]]]:
    """The command, and the ids of a subscription that was paused and of one that asks for something else."""
    database = database_at(asyncio.run(_made(fresh_database)))
    keys = known_keys({"ops": ["operator"]})
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
        ids = {
            "paused": served.run(subscribe(database, state="paused")),
            "other": served.run(subscribe(database, filters=Filters(commitments=frozenset({"oil"})))),
        }
        served.run(FanOut(database, lease_seconds=60).apply([EVENT], NOW, NO_CAPACITY))

        def run(*words: Any, key: str | None = None) -> Result:
            environment = {"NOTIFIER_URL": served.url, "PLEDGEWIRE_KEY": keys["ops"] if key is None else key}
            return CliRunner().invoke(app, ["why", *map(str, words)], env=environment | {"LANG": "C"})

        yield run, ids
        served.run(database.close())


async def _made(fresh_database: FreshDatabase) -> str:
    return await fresh_database({"notifier": VERSIONS})


def test_it_says_what_became_of_an_event(asked: tuple[Command, dict[str, UUID]]) -> None:
    command, ids = asked
    paused = command(EVENT.event.id, ids["paused"])
    assert paused.exit_code == 0, paused.exception
    assert "status-changed → A desk (webhook): suppressed, paused\nNot sent, decided " in paused.stdout
    other = command("not", EVENT.event.id, ids["other"], "--lang", "fr")
    assert "not-owed, commitments\nNon envoyé. La nouvelle ne porte sur aucun des engagements" in other.stdout
    document = json.loads(command("not", EVENT.event.id, ids["other"], "--json").stdout)
    assert (document["outcome"], document["left_out_by"]) == ("not-owed", ["commitments"])


def test_what_is_wrong_is_said(asked: tuple[Command, dict[str, UUID]]) -> None:
    command, ids = asked
    cases = [((EVENT.event.id, uuid4()), 3), ((EVENT.event.id,), 2), (("x", ids["other"]), 2)]
    for words, status in cases:
        result = command(*words)
        assert isinstance(result.exception, EmbeddedError), words
        assert result.exception.status == status
    assert isinstance(command(EVENT.event.id, ids["other"], key="").exception, EmbeddedError)
