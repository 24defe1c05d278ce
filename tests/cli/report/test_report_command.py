"""`pledgewire report` as a program of its own, against a registry that really listens: each row counts once."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from services.plumbing.clock import MACHINE_CLOCK
from services.plumbing.database import Database
from services.registry.catalogue.loading import NALS_2021
from services.registry.http.app import http_app
from services.registry.migrations import VERSIONS
from tests.cli.programs import listening
from tests.conftest import FreshDatabase
from tests.registry.scenes import COAL, opened, take_in
from tests.stand_ins.known_keys import known_keys

PROJECT = Path(__file__).resolve().parents[3]
HEAD = "commitment_id;status;note\n"


@dataclass
class Held:
    """Lets answers through; from the `after`th on it holds them, though what they tell of has been committed."""

    app: ASGIApp
    after: int | None = None
    answered: int = 0
    held: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, keep)
        self.answered += 1
        if self.after is not None and self.answered >= self.after:
            self.held.set()
            await self.released.wait()
        for message in sent:
            await send(message)


@dataclass
class Office:
    """A ministry's desk: a registry that it may ask, and a folder with its files."""

    folder: Path
    database: Database
    door: Held
    environment: dict[str, str]

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.cli.main", "report", *arguments),
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "LC_ALL": "C.UTF-8", **self.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """The program's exit status, what it prints, and what it complains of."""
        process = await self.start(*arguments)
        out, complaints = await process.communicate()
        return process.returncode or 0, out.decode(), complaints.decode()

    def list_of(self, rows: Iterable[str], name: str = "updates.csv") -> Path:
        path = self.folder / name
        path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return path

    async def recorded(self) -> int:
        async with self.database.connection() as connection:
            return int(await connection.fetchval("select count(*) from status_update"))


@pytest.fixture
async def office(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Office]:
    database = await opened(await fresh_database({"registry": VERSIONS}))
    await take_in(database, NALS_2021)
    keys = known_keys({"mx": ["reporter"]}, {"mx": "mx-sre"})
    door = Held(http_app(database, MACHINE_CLOCK, keys.keys, {}))
    async with listening(door) as url:
        yield Office(tmp_path, database, door, {"REGISTRY_URL": url, "PLEDGEWIRE_KEY": keys["mx"]})
        door.released.set()
    await database.close()


async def test_a_list_that_is_killed_in_the_middle_goes_on_and_every_row_counts_once(office: Office) -> None:
    """The second group is committed, and its answer never comes."""
    office.list_of(f"{COAL};in-progress;News {number}" for number in range(250))
    office.door.after = 2
    process = await office.start("--file", "updates.csv")
    await asyncio.wait_for(office.door.held.wait(), 60)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    office.door.released.set()
    office.door.after = None
    kept = (office.folder / "updates.results.jsonl").read_bytes()
    (office.folder / "updates.results.jsonl").write_bytes(kept + b'{"row": 101, "torn')

    status, out, _ = await office.run("--file", "updates.csv", "--json")

    items = json.loads(out)["items"]
    assert (status, len(items)) == (0, 250)
    assert [one["row"] for one in items] == list(range(2, 252))
    assert [one["result"] for one in items] == ["known"] * 200 + ["recorded"] * 50
    assert await office.recorded() == 250
    assert (await office.run("--file", "updates.csv"))[1] == "0 recorded, 250 recorded before, 0 refused\n"
    (office.folder / "updates.results.jsonl").unlink()
    assert (await office.run("--file", "updates.csv"))[1] == "0 recorded, 250 recorded before, 0 refused\n"
    assert await office.recorded() == 250


async def test_what_is_wrong_is_told_row_by_row_in_the_language_that_is_asked_for(office: Office) -> None:
    rows = [f"{COAL};in-progress;", f"{COAL};met;", "no-such;met;", f"{COAL};great;", f";{COAL};"]
    office.list_of(rows)
    tried = await office.run("--file", "updates.csv", "--dry-run")
    assert (tried[0], await office.recorded()) == (1, 0)
    assert tried[1].endswith("1 recorded, 0 recorded before, 4 refused\nThis was a dry run: nothing was recorded\n")
    assert not (office.folder / "updates.results.jsonl").exists()

    status, out, _ = await office.run("--file", "updates.csv", "--language", "es")

    assert status == 1
    assert out.splitlines()[1:] == [
        "fila 4: No hay ningún compromiso no-such",
        next(line for line in out.splitlines() if line.startswith("fila 5, status: Se pide uno de estos")),
        "fila 6, commitment_id: Falta esto",
        "1 registrados, 0 ya registrados antes, 4 rechazados",
    ]
    assert out.startswith("fila 3, evidence")
    results = [json.loads(line) for line in (office.folder / "updates.results.jsonl").read_bytes().splitlines()]
    assert sorted(one["row"] for one in results) == [2, 3, 4, 5, 6]
    assert {one["code"] for one in results if one["result"] == "refused"} == {
        "evidence-needed", "not-found", "not-in-list", "unreadable-row"
    }  # fmt: skip


async def test_what_can_not_be_done_is_said_in_two_lines(office: Office) -> None:
    office.list_of([f"{COAL};in-progress;"])
    (office.folder / "latin.csv").write_bytes((HEAD + f"{COAL};met;más\n").encode("latin-1"))
    given = office.environment
    for arguments, changes, error, how in [
        (["--file", "none.csv"], {}, "none.csv can't be read", "--file"),
        (["--file", "latin.csv"], {}, "line 2 has a character as Latin-1", "UTF-8"),
        (["--file", "updates.csv"], {"PLEDGEWIRE_KEY": "pw_x"}, "Send a valid API key", "PLEDGEWIRE_KEY"),
        (["--file", "updates.csv", "--zone", "Nowhere"], {}, "'Nowhere' is no zone", "America/Mexico_City"),
        ([], {}, "no file is given", "--template"),
        (["--template", "updates.csv"], {}, "can't be written", "another path"),
    ]:
        office.environment = given | changes
        status, out, complaints = await office.run(*arguments)

        assert (status, out) == (2, "")
        first, second = complaints.splitlines()
        assert first.startswith("error: ") and error in first
        assert second.startswith("help: ") and how in second
    assert await office.recorded() == 0
