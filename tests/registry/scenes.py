"""The registry in process on a real PostgreSQL, for the tests of this folder."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2

from contracts.envelope import Envelope, from_record
from contracts.topics import BY_NAME
from services.plumbing.database import Database, DatabaseSettings
from tests.stand_ins.holds import RememberingHolds

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
    keys: dict[str, str]
    holds: RememberingHolds
    clock: StoppedClock = field(default_factory=StoppedClock)

    async def send(
        self, method: str, path: str, body: Any, *, by: str = "desk", key: str | None = None
    ) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.keys[by]}", "idempotency-key": key or str(uuid4())}
        return await self.client.request(method, path, json=body, headers=headers)

    async def report(self, commitment: str, **body: Any) -> httpx2.Response:
        return await self.send("POST", f"/commitments/{commitment}/status-updates", body, by="mx")

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
            envelope, event = from_record(BY_NAME[topic].event, row["key"].encode(), headers, row["value"])
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
