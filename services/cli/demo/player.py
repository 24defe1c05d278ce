"""Does on each day of the calendar what the world does, over the interfaces that everybody has."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from uuid import uuid4

import httpx2

from contracts.events import StatusReported
from deploy.embedded.errors import EmbeddedError
from services.cli.demo.calendar import StatusesCome, noon, speaks_on_kafka, together
from services.cli.demo.subscribers import SUBSCRIPTIONS
from services.cli.demo.systems import MinistryReporter
from services.cli.observing import Observer
from services.cli.running_stack import RunningStack
from services.plumbing.ids import id_about
from services.registry.catalogue.contents import Catalogue
from services.registry.catalogue.happenings import AnchorHeld, AnchorMoves, StatusComes, happenings


class Player:
    """Does what the world does on each day, and waits until everything has come to rest."""

    def __init__(
        self,
        stack: RunningStack,
        catalogue: Catalogue,
        observer: Observer,
        ministry: MinistryReporter,
        http: httpx2.AsyncClient,
    ) -> None:
        self._stack = stack
        self._catalogue = catalogue
        self._observer = observer
        self._ministry = ministry
        self._http = http
        self.revived: Counter[str] = Counter()
        """How often each service had died and was started again."""

    async def subscribe(self) -> None:
        """Add what the ministries ask for; a subscription that is there already stays as it is."""
        for wanted in SUBSCRIPTIONS:
            response = await self._http.post(
                f"{self._url('notifier')}/subscriptions",
                json=wanted.request(self._stack.inbox_url),
                headers=self._as("editors"),
            )
            if response.status_code != 409:
                expect_status(response, 201, f"subscribe {wanted.subscriber}")

    async def import_statement(self) -> None:
        """Bring the joint statement into the register."""
        response = await self._http.post(
            f"{self._url('registry')}/statements/import",
            json={"catalogue": self._catalogue.statement.id},
            headers=self._as("editors") | {"Idempotency-Key": f"import-{self._catalogue.statement.id}"},
        )
        expect_status(response, (200, 201), "import the statement")

    async def play(self, day: date) -> None:
        """Let it be that day, let what became known on it be reported, and wait for rest."""
        now = noon(day)
        self._stack.clock.set(now)
        for happening in together(happenings(self._catalogue, day)):
            match happening:
                case AnchorMoves():
                    await self._move(happening, now)
                case AnchorHeld():
                    await self._hold(happening, now)
                case StatusesCome(reports=reports):
                    await self._post(reports, now)
                case StatusComes():
                    await self._send(happening, now)
            await self._rest()
        await self._rest()

    async def _move(self, move: AnchorMoves, now: datetime) -> None:
        span = move.entry.span
        if span is None:
            return
        response = await self._http.put(
            f"{self._url('registry')}/anchors/{move.anchor_id}",
            json={
                "edtf": span.edtf,
                "source": move.entry.source.model_dump(mode="json"),
                "known_on": move.entry.known_on.isoformat(),
            },
            headers=self._as("editors") | {"Idempotency-Key": f"{move.anchor_id}-{span.edtf}-{now:%Y%m%d}"},
        )
        expect_status(response, 200, f"move {move.anchor_id}")

    async def _hold(self, held: AnchorHeld, now: datetime) -> None:
        response = await self._http.post(
            f"{self._url('registry')}/anchors/{held.anchor_id}/outcome",
            json={
                "outcome": "held",
                "edtf": held.edtf,
                "source": held.source.model_dump(mode="json"),
                "known_on": now.date().isoformat(),
            },
            headers=self._as("editors") | {"Idempotency-Key": f"{held.anchor_id}-held-{now:%Y%m%d}"},
        )
        expect_status(response, 200, f"say that {held.anchor_id} was held")

    async def _post(self, reports: Sequence[StatusComes], now: datetime) -> None:
        """In one request, as whoever reads a source that tells of several would."""
        response = await self._http.post(
            f"{self._url('registry')}/status-updates",
            json={
                "reports": [
                    {
                        "report_id": str(id_about("demo", one.commitment_id, one.party, one.status, now.isoformat())),
                        "commitment_id": one.commitment_id,
                        "status": one.status,
                        "party": one.party,
                        "note": one.told,
                    }
                    for one in reports
                ]
            },
            headers=self._as("tracker"),
        )
        what = f"report on {', '.join(one.commitment_id for one in reports)}"
        expect_status(response, 200, what)
        if response.json()["refused"]:
            raise EmbeddedError(f"could not {what}: {response.text[:600]}", "see the logs in the demo's state folder")

    async def _send(self, report: StatusComes, now: datetime) -> None:
        report_id = uuid4()
        await self._ministry.report(
            speaks_on_kafka(report) or "",
            StatusReported(
                report_id=report_id,
                commitment_id=report.commitment_id,
                party=report.party,
                status=report.status,
                note=report.told,
                reported_at=now,
            ),
            now,
        )
        # What comes over Kafka has left no trace of ours until the registry has it in its inbox.
        for _ in range(6000):
            if await self._observer.registry_has_read(report_id):
                return
            await asyncio.sleep(0.005)
        raise EmbeddedError(f"the registry has not heard report {report_id} in 30 s", f"see {self._stack.fleet.folder}")

    async def _rest(self) -> None:
        try:
            await self._observer.rest(self._stack.clock, meanwhile=self._revive)
        except TimeoutError as error:
            raise EmbeddedError(str(error), f"see the logs in {self._stack.fleet.folder}") from error

    def _revive(self) -> None:
        self.revived.update(self._stack.fleet.revive())

    def _url(self, service: str) -> str:
        return self._stack.url(service)

    def _as(self, client: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._stack.keys[client]}"}


def expect_status(response: httpx2.Response, status: int | tuple[int, ...], what: str) -> None:
    """Raise EmbeddedError for another answer; `what` was to be done."""
    wanted = (status,) if isinstance(status, int) else status
    if response.status_code not in wanted:
        raise EmbeddedError(
            f"could not {what}: {response.status_code} {response.text[:300]}", "see the logs in the demo's state folder"
        )
