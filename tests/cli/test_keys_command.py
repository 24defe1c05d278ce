"""`pledgewire keys` as a program: over HTTP, and straight through the database where there is no key yet."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.plumbing.http.api_key_text import key_id_of
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.registry.http.app import http_app
from services.registry.key_table import KeyTable
from services.registry.migrations import VERSIONS
from tests.cli.programs import run_command
from tests.conftest import FreshDatabase
from tests.portal.serving import Served
from tests.registry.scenes import StoppedClock, opened

pytestmark = pytest.mark.slow

AGREED = "0f" * 32


@pytest.fixture
async def environment(fresh_database: FreshDatabase) -> AsyncIterator[dict[str, str]]:
    """Where a registry listens that has no keys yet, and where its database is."""
    url = await fresh_database({"registry": VERSIONS})
    database = await opened(url)
    table = KeyTable(database, ApiKeys(ApiKeySettings()))
    with Served(http_app(database, StoppedClock(), table.keys, {}, reread_keys=table.read)) as served:
        await database.close()
        served.run(database.open())
        stopping = asyncio.Event()
        reading = asyncio.run_coroutine_threadsafe(table.run(stopping), served._loop)
        yield {"REGISTRY_URL": served.url, "DATABASE_URL": url, "PLEDGEWIRE_KEY": ""}
        served._loop.call_soon_threadsafe(stopping.set)
        await asyncio.to_thread(reading.result, 10)
        served.run(database.close())


async def run(environment: dict[str, str], *arguments: str, **more: str) -> tuple[int, str, str]:
    """The program's exit status, what it prints, and what it complains of."""
    status, out, complaints = await run_command("keys", environment | more, *arguments)
    return status, out.strip(), complaints


async def test_from_the_first_key_to_a_rotated_one(environment: dict[str, str]) -> None:
    """
    The first is written into the database; with it the others are made, listed, rotated and revoked over HTTP.
    """
    roles = ("--role", "admin", "--role", "reporter")
    status, root, _ = await run(environment, "add", "root", *roles, "--database")
    assert (status, key_id_of(root) is not None) == (0, True)
    environment = environment | {"PLEDGEWIRE_KEY": root}
    async with asyncio.timeout(5):
        while (await run(environment, "list"))[0]:  # noqa: ASYNC110  another thread
            await asyncio.sleep(0.1)

    _, tracker, _ = await run(environment, "add", "tracker", "--role", "reporter", "--days", "20")
    _, rotated, said = await run(environment, "rotate", "tracker")
    refused = await run(environment, "add", "tracker", "--role", "reporter")
    _, listed, _ = await run(environment, "list", "--client", "tracker")
    _, ended, _ = await run(environment, "revoke", str(key_id_of(tracker)))
    _, left, _ = await run(environment, "list", "--client", "tracker")
    _, last, _ = await run(environment, "rotate", "tracker", "--revoke-old")
    _, everything, _ = await run(environment, "list", "--client", "tracker", "--all")

    assert f"{key_id_of(tracker)} still holds" in said
    assert refused[0] == 1 and "two live keys" in refused[2] and "keys revoke KEY_ID" in refused[2]
    assert [line.split()[0] for line in listed.splitlines()] == [key_id_of(tracker), key_id_of(rotated)]
    assert "rotate it" in listed.splitlines()[0] and "rotate it" not in listed.splitlines()[1]
    assert "revoked" in ended and [line.split()[0] for line in left.splitlines()] == [key_id_of(rotated)]
    assert [("revoked" in line) for line in everything.splitlines()] == [True, True, False]
    assert key_id_of(last) == everything.splitlines()[2].split()[0]


async def test_a_key_that_is_agreed_already_is_kept_by_its_hash_and_again_changes_nothing(
    environment: dict[str, str],
) -> None:
    words = ("add", "registry", "--role", "holder", "--from", "SCHEDULER_KEY")
    first = await run(environment, *words, SCHEDULER_KEY=AGREED)
    again = await run(environment, *words, SCHEDULER_KEY=AGREED)
    other = await run(environment, *words, SCHEDULER_KEY="1e" * 32)
    third = await run(environment, *words, SCHEDULER_KEY="2d" * 32)
    database = await opened(environment["DATABASE_URL"])
    async with database.connection() as connection:
        rows = await connection.fetch("select * from api_key order by created_at")
    await database.close()

    assert {one[:2] for one in (first, again, other, third)} == {(0, "")}
    assert [row["revoked_at"] is None for row in rows] == [False, True, True]  # two are live, for who changes it
    assert {row["expires_at"] for row in rows} == {None}
    assert not any(AGREED in str(value) for row in rows for value in row)


@pytest.mark.parametrize(
    ("words", "more", "status", "said"),
    [
        (["add", "x", "--role", "holder", "--from", "SCHEDULER_KEY"], {"SCHEDULER_KEY": "short"}, 2, "at least 32"),
        (["add", "x", "--role", "holder", "--from", "SCHEDULER_KEY"], {"SCHEDULER_KEY": ""}, 2, "SCHEDULER_KEY is not"),
        (["add", "x", "--role", "wizard", "--database"], {}, 2, "there is no role wizard"),
        (["add", "A B", "--role", "editor", "--database"], {}, 2, "no name for a client"),
        (["add", "x", "--role", "editor"], {}, 1, "--database"),
        (["add", "x", "--role", "editor", "--database"], {"DATABASE_URL": ""}, 2, "DATABASE_URL is not set"),
        (["list"], {"PLEDGEWIRE_KEY": "pw_x_y"}, 2, "is not whole"),
        (["revoke", "0000000000000000", "--database"], {}, 3, "There is no such key"),
    ],
    ids=lambda part: "" if isinstance(part, dict | int) else str(part)[:40],
)
async def test_what_can_t_be_is_said_in_two_lines(
    environment: dict[str, str], words: list[str], more: dict[str, str], status: int, said: str
) -> None:
    found, out, complaints = await run(environment, *words, **more)

    assert (found, out) == (status, "")
    assert said in complaints and complaints.count("\n") == 2
