"""Starts everything, plays the calendar, and tells what came of it."""

import asyncio
import json
import os
import shutil
import statistics
import time
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

import httpx2
import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from contracts.events import StatusReported
from contracts.vocabulary import Country
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.stack import EmbeddedStack
from services.cli.databases import upgrade_all
from services.cli.demo.calendar import AnchorHeld, AnchorMoves, StatusComes, days, happenings, noon
from services.cli.demo.report import Result, show
from services.cli.demo.subscribers import WEBHOOK_SECRETS, WISHES
from services.cli.demo.systems import Listener, Ministry
from services.cli.fleet import Fleet, free_port
from services.cli.observing import InvariantCheck, Observer
from services.cli.platform import add_key
from services.cli.topics import apply_topics
from services.plumbing.clock import SharedClock
from services.plumbing.kafka.settings import KafkaSettings
from services.registry.catalogue.contents import Catalogue
from services.registry.catalogue.loading import load

PORTAL_PORT, INBOX_PORT = 8400, 8425
"""Where people look first; others are taken when these are busy."""


@dataclass(frozen=True)
class Choices:
    """What the command line asked for."""

    state: Path
    first: date
    last: date
    brokers: int = 1
    days_per_second: float = 0.0
    """0: as fast as everything settles."""
    exit_at_end: bool = False
    browser: bool = True
    as_json: bool = False
    reset: bool = True


@dataclass
class Stage:
    """What is up while the demo runs."""

    fleet: Fleet
    clock: SharedClock
    keys: dict[str, str]
    database_url: str
    kafka: KafkaSettings
    inbox_url: str
    parts: dict[str, int] = field(default_factory=dict)
    """Pids of the broker and the database."""
    ready_seconds: float = 0.0
    resident_mib: float = 0.0


def run_demo(choices: Choices) -> int:
    """Run the demo; 0 when nothing was lost, doubled or left unexplained."""
    console = Console(stderr=True)
    started = time.monotonic()
    with ExitStack() as closing:
        progress = closing.enter_context(_progress(console))
        say = _speaker(progress)
        stage = closing.enter_context(_stage(choices, say))
        stage.ready_seconds = time.monotonic() - started
        say(f"Everything is ready after {stage.ready_seconds:.1f} s; the portal is at {portal_url(stage)}")
        if choices.browser and not choices.exit_at_end:
            webbrowser.open(portal_url(stage))
            webbrowser.open(f"{stage.inbox_url}/dev/inbox")
        result = asyncio.run(_play(choices, stage, progress))
        progress.stop()
        if choices.as_json:
            print(json.dumps(result.document(), indent=2, ensure_ascii=False))
        else:
            show(result, Console())
        if not choices.exit_at_end:
            _look_around(stage, console)
    return 0 if result.sound else 1


def portal_url(stage: Stage) -> str:
    """Where people look."""
    return stage.fleet.members["portal"].url


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress


def _speaker(progress: Progress) -> Callable[[str], None]:
    def say(line: str) -> None:
        progress.console.print(line, highlight=False)

    return say


@contextmanager
def _stage(choices: Choices, say: Callable[[str], None]) -> Iterator[Stage]:
    folder = choices.state
    with ExitStack() as closing:
        parts: dict[str, int] = {}
        if os.environ.get("KAFKA_BOOTSTRAP_SERVERS") and os.environ.get("DATABASE_URL"):
            say("Using the Kafka and the PostgreSQL that the environment names")
        else:
            stack = EmbeddedStack(folder, brokers=choices.brokers, progress=say, reset=choices.reset)
            closing.enter_context(stack)
            os.environ.update(stack.environment())
            parts = stack.processes()
        settings = KafkaSettings()
        database_url = os.environ["DATABASE_URL"]
        say("Making topics and schemas")
        asyncio.run(_prepare(settings, database_url))
        demo = folder / "demo"
        if choices.reset:
            shutil.rmtree(demo, ignore_errors=True)
        demo.mkdir(parents=True, exist_ok=True, mode=0o700)
        clock = SharedClock(demo / "clock")
        clock.set(noon(choices.first))
        keys = {
            "editors": add_key(demo / "api-keys.json", "editors", ["editor", "subscriber", "operator"], None),
            "tracker": add_key(demo / "api-keys.json", "tracker", ["reporter"], None),
        }
        fleet, inbox_url = _fleet(demo, add_key(demo / "api-keys.json", "registry", ["holder"], None))
        closing.callback(fleet.stop)
        say("Starting registry, scheduler, notifier, portal, and an inbox that listens")
        fleet.start()
        fleet.wait_ready()
        yield Stage(fleet, clock, keys, database_url, settings, inbox_url, parts)
        say("Stopping")


async def _prepare(settings: KafkaSettings, database_url: str) -> None:
    await asyncio.gather(apply_topics(settings), upgrade_all(database_url))


def _fleet(demo: Path, holder_key: str) -> tuple[Fleet, str]:
    smtp_port, inbox_port = free_port(), free_port(INBOX_PORT)
    inbox_url = f"http://127.0.0.1:{inbox_port}"
    fleet = Fleet(
        demo,
        {
            "PLEDGEWIRE_CLOCK_FILE": str(demo / "clock"),
            "API_KEYS_FILE": str(demo / "api-keys.json"),
            "SCHEDULER_TICK_SECONDS": "0.03",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(smtp_port),
            "SMTP_TLS": "none",
            "NOTIFIER_ALLOW_HOSTS": "127.0.0.1",
            "INBOX_SMTP_PORT": str(smtp_port),
            "INBOX_WEBHOOK_SECRETS": json.dumps(WEBHOOK_SECRETS),
        },
    )
    fleet.add_services({"INBOX_URL": inbox_url}, holder_key=holder_key, portal_port=PORTAL_PORT)
    fleet.add("inbox", "deploy.embedded.inbox", port=inbox_port)
    return fleet, inbox_url


async def _play(choices: Choices, stage: Stage, progress: Progress) -> Result:
    catalogue = load()
    listener = Listener(stage.kafka, "tracker.reminders")
    async with (
        Observer(stage.database_url) as observer,
        Ministry(stage.kafka) as ministry,
        listener.listening(),
        httpx2.AsyncClient(timeout=30, trust_env=False) as http,
    ):
        player = Player(stage, catalogue, observer, ministry, http)
        await player.subscribe()
        await player.import_statement()
        started = time.monotonic()
        calendar = list(days(choices.first, choices.last))
        task = progress.add_task("", total=len(calendar))
        for played, day in enumerate(calendar, 1):
            await player.play(day)
            progress.update(task, completed=played, description=f"{day:%d %b %Y}")
            if choices.days_per_second:
                await asyncio.sleep(max(0.0, started + played / choices.days_per_second - time.monotonic()))
        played_seconds = time.monotonic() - started
        stage.resident_mib = _resident_mib([*stage.fleet.pids().items(), *stage.parts.items()])
        return await player.result(choices, len(calendar), played_seconds, listener)


def _resident_mib(pids: list[tuple[str, int]]) -> float:
    """Memory of the broker, the database with its sessions, and the four services; shared pages counted once."""
    total = 0
    for name, pid in pids:
        if name == "inbox":
            continue
        try:
            top = psutil.Process(pid)
            for process in (top, *top.children(recursive=True)):
                total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 2**20


class Player:
    """Does what the world does on each day, and waits until everything has come to rest."""

    def __init__(
        self, stage: Stage, catalogue: Catalogue, observer: Observer, ministry: Ministry, http: httpx2.AsyncClient
    ) -> None:
        self._stage = stage
        self._catalogue = catalogue
        self._observer = observer
        self._ministry = ministry
        self._http = http
        self.revived: Counter[str] = Counter()

    async def subscribe(self) -> None:
        """Add what the ministries wish; a wish that is there already stays as it is."""
        for wish in WISHES:
            response = await self._http.post(
                f"{self._url('notifier')}/subscriptions",
                json=wish.request(self._stage.inbox_url),
                headers=self._as("editors"),
            )
            if response.status_code != 409:
                _expect(response, 201, f"subscribe {wish.subscriber}")

    async def import_statement(self) -> None:
        """Bring the joint statement into the register."""
        response = await self._http.post(
            f"{self._url('registry')}/statements/import",
            json={"catalogue": self._catalogue.statement.id},
            headers=self._as("editors") | {"Idempotency-Key": f"import-{self._catalogue.statement.id}"},
        )
        _expect(response, (200, 201), "import the statement")

    async def play(self, day: date) -> None:
        """Let it be that day, let its news come, and wait for rest."""
        now = noon(day)
        self._stage.clock.set(now)
        for happening in happenings(self._catalogue, day):
            match happening:
                case AnchorMoves():
                    await self._move(happening, now)
                case AnchorHeld():
                    await self._hold(happening, now)
                case StatusComes(over_kafka=None):
                    await self._post(happening, now)
                case StatusComes():
                    await self._send(happening, now)
            await self._rest()
        await self._rest()

    async def _move(self, news: AnchorMoves, now: datetime) -> None:
        span = news.news.span
        if span is None:
            return
        response = await self._http.put(
            f"{self._url('registry')}/anchors/{news.anchor_id}",
            json={
                "edtf": span.edtf,
                "source": news.news.source.model_dump(mode="json"),
                "known_on": news.news.known_on.isoformat(),
            },
            headers=self._as("editors") | {"Idempotency-Key": f"{news.anchor_id}-{span.edtf}-{now:%Y%m%d}"},
        )
        _expect(response, 200, f"move {news.anchor_id}")

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
        _expect(response, 200, f"say that {held.anchor_id} was held")

    async def _post(self, report: StatusComes, now: datetime) -> None:
        response = await self._http.post(
            f"{self._url('registry')}/commitments/{report.commitment_id}/status-updates",
            json={"status": report.status, "country": report.country, "note": f"{report.note} ({report.source})"},
            headers=self._as("tracker")
            | {"Idempotency-Key": f"{report.commitment_id}-{report.country}-{report.status}-{now:%Y%m%d}"},
        )
        _expect(response, (200, 201), f"report on {report.commitment_id}")

    async def _send(self, report: StatusComes, now: datetime) -> None:
        report_id = uuid4()
        await self._ministry.report(
            report.over_kafka or "",
            StatusReported(
                report_id=report_id,
                commitment_id=report.commitment_id,
                country=Country(report.country) if report.country else None,
                status=report.status,
                note=f"{report.note} ({report.source})",
                reported_at=now,
            ),
            now,
        )
        # What comes over Kafka has left no trace of ours until the registry has it in its inbox.
        for _ in range(6000):
            if await self._observer.heard_by_registry(report_id):
                return
            await asyncio.sleep(0.005)
        raise EmbeddedError(f"the registry has not heard report {report_id} in 30 s", f"see {self._stage.fleet.folder}")

    async def _rest(self) -> None:
        try:
            await self._observer.rest(self._stage.clock, meanwhile=self._revive)
        except TimeoutError as error:
            raise EmbeddedError(str(error), f"see the logs in {self._stage.fleet.folder}") from error

    def _revive(self) -> None:
        self.revived.update(self._stage.fleet.revive())

    async def result(self, choices: Choices, played: int, seconds: float, listener: Listener) -> Result:
        """Count everything, at the senders and at the receivers."""
        observer = self._observer
        response = await self._http.get(f"{self._stage.inbox_url}/dev/inbox/arrivals")
        _expect(response, 200, "ask the inbox what arrived")
        arrivals = [(a[0], a[1], float(a[3])) for a in response.json()]
        written = await observer.written()
        deliveries = await observer.deliveries()
        events = await observer.events()
        for _ in range(200):
            if listener.heard >= events["milestone-due"]:
                break
            await asyncio.sleep(0.05)
        copies = Counter(delivery_id for delivery_id, _, _ in arrivals)
        delivered = await observer.delivered()
        lost = len(delivered - set(copies))
        checks = await observer.conservation()
        checks += [
            InvariantCheck(
                "every delivery marked delivered has arrived", lost == 0, f"{len(delivered)} delivered, {lost} lost"
            ),
            InvariantCheck(
                "nothing arrived twice",
                len(arrivals) == len(copies),
                f"{len(arrivals)} arrivals of {len(copies)} deliveries",
            ),
            InvariantCheck(
                "nothing arrived that was not sent",
                not set(copies) - set(written),
                f"{len(set(copies) - set(written))} unknown",
            ),
            InvariantCheck(
                "the other system heard every reminder once",
                (listener.heard, listener.gaps, listener.repeats) == (events["milestone-due"], 0, 0),
                f"{listener.heard} of {events['milestone-due']}, {listener.gaps} gaps, {listener.repeats} repeats",
            ),
            InvariantCheck(
                "no delivery failed or expired", not _bad(deliveries), f"{_bad(deliveries)} failed or expired"
            ),
        ]
        latencies = sorted(at - written[i] for i, _, at in arrivals if i in written)
        return Result(
            first=choices.first,
            last=choices.last,
            days=played,
            seconds=seconds,
            ready_seconds=self._stage.ready_seconds,
            resident_mib=self._stage.resident_mib,
            events=events,
            phases=await observer.phases(),
            reminders=await observer.reminders(),
            deliveries=deliveries,
            latency_p50=statistics.median(latencies) if latencies else 0.0,
            latency_p99=latencies[int(len(latencies) * 0.99)] if latencies else 0.0,
            checks=checks,
            revived=dict(self.revived),
        )

    def _url(self, service: str) -> str:
        return self._stage.fleet.members[service].url

    def _as(self, client: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._stage.keys[client]}"}


def _bad(deliveries: dict[tuple[str, str], int]) -> int:
    return sum(n for (_, state), n in deliveries.items() if state in ("failed", "expired", "suppressed", "cancelled"))


def _expect(response: httpx2.Response, status: int | tuple[int, ...], what: str) -> None:
    wanted = (status,) if isinstance(status, int) else status
    if response.status_code not in wanted:
        raise EmbeddedError(
            f"could not {what}: {response.status_code} {response.text[:300]}", "see the logs in the demo's state folder"
        )


def _look_around(stage: Stage, console: Console) -> None:
    console.print(f"\nPortal  {portal_url(stage)}\nInbox   {stage.inbox_url}/dev/inbox", highlight=False)
    console.print("Everything stays up for looking around. Ctrl-C ends it.")
    try:
        while True:
            time.sleep(1)
            stage.fleet.revive()
    except KeyboardInterrupt:
        console.print()
