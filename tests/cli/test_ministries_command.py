"""`pledgewire ministries` as a program of its own, against a registry's interface that really listens."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from services.plumbing.clock import MACHINE_CLOCK
from services.registry.http.app import http_app
from services.registry.migrations import VERSIONS
from tests.cli.programs import ask_command, listening, run_command
from tests.conftest import FreshDatabase
from tests.registry.scenes import opened
from tests.stand_ins.known_keys import known_keys

run, asked = partial(run_command, "ministries"), partial(ask_command, "ministries")
MRE = ("--party", "BR", "--name", "pt=Ministério das Relações Exteriores", "--name", "en=Foreign Affairs")


@pytest.fixture
async def environment(fresh_database: FreshDatabase) -> AsyncIterator[dict[str, str]]:
    """Where a registry listens, and an operator's key for it."""
    database = await opened(await fresh_database({"registry": VERSIONS}))
    keys = known_keys({"operators": ["operator"]})
    app = http_app(database, MACHINE_CLOCK, keys.keys, {})
    async with listening(app) as url:
        yield {"REGISTRY_URL": url, "PLEDGEWIRE_KEY": keys["operators"]}
    await database.close()


async def test_a_ministry_is_entered_changed_and_listed(environment: dict[str, str]) -> None:
    made = await asked(environment, "add", "br-mre", *MRE, "--contact", "imprensa@mre.example")
    assert (made["code"], made["party"], made["reports_on"]) == ("br-mre", "BR", "status-reported-br-mre")

    changed = await asked(environment, "change", "br-mre", "--party", "BR", "--name", "pt=Itamaraty")

    assert (changed["name"], changed["contact"]) == ({"pt": "Itamaraty"}, None)
    assert await asked(environment, "list") == {"items": [changed]}
    assert (await run(environment, "list"))[1] == "br-mre  BR  status-reported-br-mre  pt: Itamaraty\n"


@pytest.mark.parametrize(
    ("arguments", "changes", "ends_with", "error", "how"),
    [
        (["add", "br-mre", *MRE], {"PLEDGEWIRE_KEY": ""}, 1, "Send a valid API key", "role operator"),
        (["list"], {"REGISTRY_URL": "http://127.0.0.1:1"}, 1, "does not answer", "REGISTRY_URL"),
        (["add", "br-mre", "--party", "Brazil", "--name", "pt=a"], {}, 2, "does not have the form", "party"),
        (
            ["add", "br-mre", "--party", "XX", "--name", "pt=a"],
            {},
            2,
            "No country has the code XX",
            "party: No country",
        ),
        (["add", "br-mre", "--party", "BR", "--name", "Itamaraty"], {}, 2, "tell no names", "en='"),
        (["change", "br-mre", *MRE], {}, 3, "There is no ministry br-mre", "ministries list"),
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
