"""A scheduler whose feeds are made and read over HTTP."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import httpx2 as httpx

from contracts.envelope import Envelope
from contracts.vocabulary import Precision
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from services.plumbing.ids import new_id
from services.scheduler.feeds.collecting import ReminderCollector
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.intake import Planner
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.rules.agenda import CommitmentEvent
from tests.scheduler.scenes import milestone, utc
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import KnownKeys

THEN = utc(2021, 11, 18, 18)


COAL = "end-coal-finance-abroad"


END_OF_2021 = milestone(date(2021, 12, 31), earliest=date(2021, 1, 1), precision=Precision.YEAR)


SUMMIT = milestone(date(2022, 12, 31), id_="summit", earliest=date(2022, 1, 1), precision=Precision.YEAR)


KINDS = ("calendar.ics", "events.atom", "events.rss")


PUBLIC = "https://times.example"


@dataclass
class LiveScheduler:
    """A scheduler's intake, tick and feeds on one database, and a client with the key of `sre`."""

    database: Database
    clock: SharedClock
    http: httpx.AsyncClient
    keys: KnownKeys

    async def hears(self, *events: CommitmentEvent, at: datetime | None = None) -> list[ReceivedCommitmentEvent]:
        """Take events in, as of `at` (now, where it isn't given)."""
        received = [
            ReceivedCommitmentEvent(Envelope(new_id(), at or self.clock.now(), event.commitment.id, None), event)
            for event in events
        ]
        await Planner(self.database, self.clock).apply(received)
        return received

    async def makes(self, **form: Any) -> dict[str, Any]:
        """A feed, with the paths of its addresses."""
        answer = await self.http.post("/feeds", json=form)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        made["paths"] = [address.removeprefix(PUBLIC) for address in made["addresses"].values()]
        return made

    async def reads(self, path: str, **headers: str) -> httpx.Response:
        """What stands at an address, read without a key."""
        return await self.http.get(path, headers={"authorization": "", **headers})

    async def gathers(self) -> int:
        return await ReminderCollector(self.database, self.clock).once()

    async def sql(self, query: str, *values: object) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *values))

    def another(self) -> httpx.AsyncClient:
        """A second scheduler's interface on the same tables, which has rendered nothing yet."""
        return client_of(self.database, self.clock, self.keys)

    def by(self, client: str) -> dict[str, str]:
        return self.keys.header(client)


def client_of(database: Database, clock: SharedClock, keys: KnownKeys) -> httpx.AsyncClient:
    settings = FeedSettings(public_url=PUBLIC, portal_url="https://pledges.example")
    app = app_of(database, clock, keys=keys, feed_settings=settings)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://scheduler",
        headers=keys.header("sre"),
    )
