"""The registry in process on a real PostgreSQL, and what the tests of this folder say to it and read from it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from contracts.envelope import Envelope, from_record
from contracts.events import ConsistencyFlagged, MilestoneScheduled
from contracts.topics import topic_named
from services.plumbing.database import Database, DatabaseSettings
from services.registry.actions.consistency_check import ConsistencyCheck, ConsistencySettings
from services.registry.actions.events import ActionContext
from services.registry.actions.import_statement import ImportSummary, import_catalogue, read_catalogue
from tests.registry.catalogue.material import SENTENCES
from tests.registry.catalogue.material import TEXT as STATEMENT
from tests.stand_ins.holds import RememberingHolds
from tests.stand_ins.known_keys import KnownKeys

PROOF = {"url": "https://example.org/a", "title": "The record", "retrieved_on": "2022-03-20"}
NEWS = {"text": "White House releases of 2023-01-09 and 2023-01-10", "url": "https://example.org/release"}
MOVED = {"edtf": "2023-01-10", "source": NEWS, "known_on": "2023-01-10"}
TARGET = "nals-2021-conserve-30-percent-target"
STRICT = {"policy": {"deadline": "start-of-span"}}
TEXT = {"en": "It is done", "es": "Está hecho", "fr": "C’est fait"}
NUMERIC = "by 12/10/2023"
COAL = "nals-2021-coal-finance"
FOLLOWER = "nals-2021-next-summit-meeting"


NOW = datetime(2022, 3, 21, 15, 0, tzinfo=UTC)


@dataclass
class StoppedClock:
    """Stands where it is put."""

    at: datetime = NOW
    settable = False

    def now(self) -> datetime:
        return self.at


@dataclass
class Register:
    """The registry in process, with the statement taken in."""

    database: Database
    client: httpx2.AsyncClient
    keys: KnownKeys
    holds: RememberingHolds
    clock: StoppedClock = field(default_factory=StoppedClock)

    async def send(
        self, method: str, path: str, body: Any, *, by: str = "desk", key: str | None = None
    ) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.keys[by]}", "idempotency-key": key or str(uuid4())}
        return await self.client.request(method, path, json=body, headers=headers)

    async def report(self, commitment: str, *, by: str | None = None, **body: Any) -> httpx2.Response:
        """Mexico's ministry for its own party, or the desk for whichever is named; what is met is shown."""
        by = by or ("mx" if body.get("party") in (None, "MX") else "desk")
        if body["status"] == "met":
            body = {"evidence": PROOF} | body
        return await self.send("POST", f"/commitments/{commitment}/status-updates", body, by=by)

    async def report_all(self, commitment: str, **body: Any) -> None:
        """The same of every party."""
        for party in (await self.get(f"/commitments/{commitment}"))["parties"]:
            answer = await self.report(commitment, by="desk", party=party, **body)
            assert answer.status_code == 201, answer.text

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def events(self, topic: str) -> list[tuple[Envelope, Any]]:
        """What the outbox holds for a topic, read as its consumers read it."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("select * from outbox where topic = $1 order by id", topic)
        found = []
        for row in rows:
            headers = [(name, text.encode()) for name, text in row["headers"].items()]
            envelope, event = from_record(topic_named(topic).event, row["key"].encode(), headers, row["value"])
            assert row["event_id"] == envelope.id
            found.append((envelope, event))
        return found

    async def count(self, table: str) -> int:
        async with self.database.connection() as connection:
            return int(await connection.fetchval(f"select count(*) from {table}"))


async def opened(url: str) -> Database:
    """The registry's schema of a database."""
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "registry")
    await database.open()
    return database


async def take_in(database: Database, folder: Path) -> ImportSummary:
    """Import a catalogue's folder as the built-in one is imported."""
    loaded, published = read_catalogue(folder)
    async with database.transaction() as connection:
        return await import_catalogue(database, connection, None, loaded, published, ActionContext(NOW, "desk"))


COMMUNIQUE = {"text": "Communiqué of the hosts"}
WORDS = {"en": "a", "es": "b", "fr": "c"}
SUMMIT = {
    "id": "summit-2024", "title": WORDS, "zone": "America/Vancouver", "edtf": "2024",
    "source": COMMUNIQUE, "known_on": "2022-03-01",
}  # fmt: skip


def dated(edtf: str | None, known_on: str = "2022-03-20", **more: Any) -> dict[str, Any]:
    return {"edtf": edtf, "source": COMMUNIQUE, "known_on": known_on, **more}


def outcome(what: str, known_on: str = "2023-01-12", **more: Any) -> dict[str, Any]:
    return {"outcome": what, "source": COMMUNIQUE, "known_on": known_on, **more}


def new_commitment(**changes: Any) -> dict[str, Any]:
    words = {"en": "a", "es": "b", "fr": "c"}
    return {
        "id": "desk-made", "statement_id": "nals-2021", "quote": quote_with("next year"), "verb": "will",
        "title": words, "summary": words, "section": "opening", "themes": ["trade"], "strength": "reaffirm",
        "milestones": [
            {"id": "made-by-2022", "wording": "2022", "title": words, "reading": "by", "edtf": "2022"},
            {"id": "made-summit", "wording": "next year", "title": words, "reading": "on", "anchor_id": "nals-2022"},
        ],
        **changes,
    }  # fmt: skip


async def add_milestone_on(register: Register, milestone_id: str, anchor: str, **facts: Any) -> None:
    """A commitment of one milestone that hangs on an anchor."""
    milestone = {
        "id": milestone_id, "wording": "next year", "title": WORDS, "reading": "by", "anchor_id": anchor, **facts
    }  # fmt: skip
    body = {
        "id": f"of-{milestone_id}", "statement_id": "nals-2021", "quote": quote_with("next year"), "verb": "will",
        "title": WORDS, "summary": WORDS, "section": "opening", "themes": ["trade"], "strength": "reaffirm",
        "milestones": [milestone],
    }  # fmt: skip
    answer = await register.send("POST", "/commitments", body)
    assert answer.status_code == 201, answer.text


async def schedule_events(register: Register, milestone_id: str) -> list[MilestoneScheduled]:
    return [event for _, event in await register.events("milestone-scheduled") if event.milestone.id == milestone_id]


def date_changes(events: list[MilestoneScheduled]) -> list[tuple[str, str | None, str | None]]:
    return [(e.change, e.previous and e.previous.edtf, e.milestone.span.edtf) for e in events]


async def history_of(register: Register, anchor: str) -> list[tuple[str, str | None, str]]:
    news = (await register.get(f"/anchors/{anchor}"))["news"]
    assert all(one["source"] and one["known_on"] and one["recorded_at"] and one["recorded_by"] for one in news)
    return [(one["change"], one["span"]["edtf"], one["known_on"]) for one in news]


def quote_with(wording: str) -> str:
    """A sentence of the statement that holds these words; the words themselves where `add_words` brought them."""
    return next((STATEMENT[start:end] for start, end in SENTENCES if wording in STATEMENT[start:end]), wording)


def by_words(wording: str, **milestone: Any) -> dict[str, Any]:
    """A by_words to be entered, with one milestone that leaves its date to the words."""
    return {
        "id": "desk-made", "statement_id": "nals-2021", "quote": quote_with(wording), "verb": "will",
        "title": TEXT, "summary": TEXT, "section": "opening", "themes": ["trade"], "strength": "commit",
        "milestones": [{"id": "desk-made-by-words", "wording": wording, "title": TEXT, **milestone}],
    }  # fmt: skip


async def add_words(register: Register, *words: str) -> None:
    """Let these words stand in the statement too."""
    async with register.database.connection() as connection:
        await connection.execute("update statement set text = text || ' ' || $1", " ".join(words))


async def milestone_of(register: Register, commitment_id: str, milestone_id: str) -> dict[str, Any]:
    record = await register.get(f"/commitments/{commitment_id}")
    found: dict[str, Any] = next(one for one in record["milestones"] if one["id"] == milestone_id)
    return found


async def target(register: Register) -> dict[str, Any]:
    """The milestone "by 2030"."""
    return await milestone_of(register, "nals-2021-conserve-30-percent", TARGET)


def noon(day: date) -> datetime:
    """Noon in Mexico City."""
    return datetime(day.year, day.month, day.day, 18, tzinfo=UTC)


async def check_on(register: Register, day: date, months: int = 120) -> int:
    """Look at noon of that day; how many flags are new."""
    register.clock.at = noon(day)
    return await ConsistencyCheck(
        register.database, register.clock, ConsistencySettings(no_news_months=months)
    ).run_if_due()


async def flag_events(register: Register, commitment: str | None = None) -> list[ConsistencyFlagged]:
    events = [event for _, event in await register.events("consistency-flagged")]
    return [event for event in events if commitment in (None, event.commitment.id)]


async def flags(register: Register, **wanted: Any) -> list[tuple[str, str | None, str]]:
    found = await register.get("/consistency", limit=200, **wanted)
    return [(one["rule"], one["commitment_id"], one["since"]) for one in found["items"]]


def pointed_at(answer: Any) -> str | None:
    """The place in the body that a refusal names first."""
    errors = answer.json().get("errors") or [{}]
    pointer: str | None = errors[0].get("pointer")
    return pointer


def field_of(answer: Any) -> str | None:
    """The last name in that place, where a rule refuses; None where the schema does, or the body as a whole is."""
    if answer.json().get("type") == "/problems/invalid":
        return None
    names = [part for part in (pointed_at(answer) or "#").split("/")[1:] if not part.isdigit()]
    return names[-1] if names else None
