"""The demo: starts everything, plays the calendar day by day, and shows what came of it."""

import asyncio
import json
import time
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.embedded.errors import EmbeddedError
from services.cli.demo.calendar import days, noon
from services.cli.demo.player import Player
from services.cli.demo.report import DemoResult, Played, show
from services.cli.demo.subscribers import WEBHOOK_SECRETS
from services.cli.demo.systems import MinistryReporter, ReminderConsumer
from services.cli.demo.tally import tally
from services.cli.fleet import SERVICES
from services.cli.keys import ApiClient
from services.cli.observing import Observer
from services.cli.running_stack import RunningStack, StackOptions, running_stack
from services.cli.service_client import ASKED_WRONGLY
from services.cli.up.noting import found_by_commands
from services.cli.up.preparing import OPERATOR
from services.cli.up.state_folder import InstanceFolder, default_folder
from services.registry.catalogue.loading import load

PORTS = {"portal": 8400, "registry": 8401, "scheduler": 8402, "notifier": 8403, "inbox": 8425}
"""Where people look first; others are taken when these are busy."""

CLIENTS = (
    ApiClient("editors", ("editor", "subscriber", "operator")),
    ApiClient("tracker", ("editor", "reporter")),
    OPERATOR,
)


def demo_folder(named: Path | None) -> Path:
    """Where the demo keeps its things: a folder of its own beside what `up` keeps, since it empties it at each start.

    Raises EmbeddedError for one in which `up` keeps the real thing.
    """
    folder = named or default_folder() / "demo"
    if InstanceFolder(folder).settings.exists() or InstanceFolder(folder).secrets.exists():
        raise EmbeddedError(
            f"{folder} holds what `pledgewire up` keeps, and the demo would empty it",
            "name another folder with --state, or leave it out",
            ASKED_WRONGLY,
        )
    return folder


@dataclass(frozen=True)
class DemoOptions:
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

    def stack(self) -> StackOptions:
        """What is started for it."""
        folder = self.state / "demo"
        return StackOptions(
            state=self.state,
            folder=folder,
            clients=CLIENTS,
            clock_file=folder / "clock",
            begins=noon(self.first),
            brokers=self.brokers,
            reset=self.reset,
            parts_of_environment=True,
            ports=PORTS,
            webhook_secrets=WEBHOOK_SECRETS,
        )


def run_demo(options: DemoOptions) -> int:
    """Run the demo; 0 when nothing was lost, doubled or left unexplained."""
    console = Console(stderr=True)
    started = time.monotonic()
    with ExitStack() as closing:
        progress = closing.enter_context(_progress(console))

        def say(line: str) -> None:
            progress.console.print(line, highlight=False)

        stack = closing.enter_context(running_stack(options.stack(), say))
        ready_seconds = time.monotonic() - started
        clock = {"PLEDGEWIRE_CLOCK_FILE": str(options.stack().clock_file)}
        more = {"PLEDGEWIRE_KEY": stack.keys[OPERATOR.name], **clock}
        closing.enter_context(found_by_commands(InstanceFolder(options.state), stack, more))
        say(f"Everything is ready after {ready_seconds:.1f} s; the portal is at {stack.url('portal')}")
        if options.browser and not options.exit_at_end:
            webbrowser.open(stack.url("portal"))
            webbrowser.open(f"{stack.inbox_url}/dev/inbox")
        result = asyncio.run(_play(options, stack, progress, ready_seconds))
        progress.stop()
        if options.as_json:
            print(json.dumps(result.document(), indent=2, ensure_ascii=False))
        else:
            show(result, Console())
        if not options.exit_at_end:
            _look_around(stack, console)
    return 0 if result.sound else 1


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """How far the calendar has come, as a line that moves."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress


async def _play(options: DemoOptions, stack: RunningStack, progress: Progress, ready_seconds: float) -> DemoResult:
    consumer = ReminderConsumer(stack.kafka, "tracker.reminders")
    async with (
        Observer(stack.database_url) as observer,
        MinistryReporter(stack.kafka) as ministry,
        consumer.reading(),
        httpx2.AsyncClient(timeout=30, trust_env=False) as http,
    ):
        player = Player(stack, load(), observer, ministry, http)
        await player.subscribe()
        await player.import_statement()
        started = time.monotonic()
        calendar = list(days(options.first, options.last))
        task = progress.add_task("", total=len(calendar))
        for number, day in enumerate(calendar, 1):
            await player.play(day)
            progress.update(task, completed=number, description=f"{day:%d %b %Y}")
            if options.days_per_second:
                await asyncio.sleep(max(0.0, started + number / options.days_per_second - time.monotonic()))
        played = Played(
            first=options.first,
            last=options.last,
            days=len(calendar),
            seconds=time.monotonic() - started,
            ready_seconds=ready_seconds,
            revived=dict(player.revived),
        )
        return await tally(played, stack, observer, consumer, http)


def _look_around(stack: RunningStack, console: Console) -> None:
    """Keep everything up, and start again what dies, until Ctrl-C."""
    console.print()
    for name in (*SERVICES[3:], *SERVICES[:3]):
        console.print(f"{name.capitalize():<10} {stack.url(name)}", highlight=False, soft_wrap=True)
    console.print(f"{'Inbox':<10} {stack.inbox_url}/dev/inbox", highlight=False, soft_wrap=True)
    console.print(f"{'Key':<10} {stack.keys[OPERATOR.name]}", highlight=False, soft_wrap=True)
    console.print(
        "Everything stays up for looking around; the commands of the pages work in another terminal. Ctrl-C ends it."
    )
    try:
        while True:
            time.sleep(1)
            stack.fleet.revive()
    except KeyboardInterrupt:
        console.print()
