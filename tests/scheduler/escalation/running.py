"""A scheduler whose levels are notified, on a clock that the test sets."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx

from contracts.envelope import Envelope, from_record
from contracts.events import Evidence, MilestoneEscalated, StatusChanged
from contracts.topics import MILESTONE_ESCALATED
from contracts.vocabulary import PartyCode, Status
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.ids import new_id
from services.scheduler.escalation.escalator import Escalator
from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.intake import Planner
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.rules.agenda import CommitmentEvent
from tests.scheduler.scenes import changed, milestone, utc
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys

# Mexico City is six hours behind UTC in winter: nine there is 15:00, the day after begins at 06:00.
LATEST = date(2021, 12, 31)


DUE = milestone(LATEST)


THEN = utc(2021, 11, 18, 18)


OVERDUE, FIRST, SECOND = utc(2022, 1, 1, 6), utc(2022, 1, 1, 15), utc(2022, 1, 8, 15)


@dataclass
class Scheduler:
    """One scheduler's insides, on a clock that the test sets."""

    database: Database
    clock: SharedClock
    watched: EscalationStore
    planner: Planner
    escalator: Escalator
    http: httpx.AsyncClient
    url: str

    def another(self, book: EscalationBook | None = None) -> Escalator:
        """A second scheduler on the same tables; or the first, started again, with other waits."""
        return Escalator(self.database, self.clock, EscalationStore(book) if book else self.watched)

    async def hears(self, *events: CommitmentEvent, at: datetime | None = None, one_batch: bool = True) -> None:
        when = at or self.clock.now()
        received = [
            ReceivedCommitmentEvent(Envelope(new_id(), when, one.commitment.id, "call-1"), one) for one in events
        ]
        for batch in [received] if one_batch else [[one] for one in received]:
            await self.planner.apply(batch)

    async def ticks_at(self, now: datetime) -> list[MilestoneEscalated]:
        """Set the clock, look once, and give what was written to the outbox."""
        before = len(await self.told())
        self.clock.set(now)
        await self.escalator.once()
        return (await self.told())[before:]

    async def told(self) -> list[MilestoneEscalated]:
        rows = await self.rows(
            "select key, headers, value from outbox where topic = $1 order by id", MILESTONE_ESCALATED.name
        )
        return [
            from_record(
                MilestoneEscalated,
                row["key"].encode(),
                [(name, value.encode()) for name, value in row["headers"].items()],
                row["value"],
            )[1]
            for row in rows
        ]

    async def rows(self, query: str, *values: object) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def state(self, milestone_id: str = DUE.id) -> tuple[str, datetime | None]:
        [row] = await self.rows("select state, next_at from escalation where milestone_id = $1", milestone_id)
        return row["state"], row["next_at"]

    async def log(self) -> list[str]:
        return [row["what"] for row in await self.rows("select what from escalation_log order by id")]

    async def acknowledges(
        self,
        name: str = "Ana Ruiz",
        note: str | None = "We are on it.",
        *,
        key: str = "",
        milestone_id: str = DUE.id,
        take_over_from: str | None = None,
    ) -> httpx.Response:
        return await self.http.post(
            f"/milestones/{milestone_id}/acknowledgements",
            json={"name": name, "note": note, "take_over_from": take_over_from},
            headers={"Idempotency-Key": key or str(new_id())},
        )


def with_evidence(seq: int, status: Status = Status.IN_PROGRESS, party: PartyCode = "CA") -> StatusChanged:
    evidence = Evidence(url="https://example.org/report", title="The report", retrieved_on=date(2021, 12, 1))
    return changed(status, seq, party).model_copy(update={"previous": status, "evidence": evidence})


async def furnished(url: str, folder: Path, book: EscalationBook) -> Scheduler:
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    clock = SharedClock(folder / "clock")
    clock.set(THEN)
    keys = known_keys({"mx-sre": ["reporter"]}, {"mx-sre": "mx-sre"})
    watched = EscalationStore(book)
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app_of(database, clock, keys=keys, escalations=watched)),
        base_url="http://scheduler",
        headers=keys.header("mx-sre"),
    )
    planner = Planner(database, clock, escalations=watched)
    return Scheduler(database, clock, watched, planner, Escalator(database, clock, watched), http, url)
