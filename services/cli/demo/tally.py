"""Counts everything at the end, at the senders and at the receivers, and says whether the laws hold."""

import asyncio
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

import httpx2
import psutil

from services.cli.demo.player import expect_status
from services.cli.demo.report import DemoResult, Played
from services.cli.demo.systems import ReminderConsumer
from services.cli.observing import InvariantCheck, MessageCount, Observer
from services.cli.running_stack import RunningStack

Arrival = tuple[str, float]
"""The id of a delivery, and when it came, in seconds since 1970."""
MOST_A_DAY = 3
"""Messages to one mail or chat subscription."""
Deliveries = dict[tuple[str, str], int]
"""How many by channel and state."""


async def tally(
    played: Played, stack: RunningStack, observer: Observer, consumer: ReminderConsumer, http: httpx2.AsyncClient
) -> DemoResult:
    """Count all that came of the days that were played, once everything is at rest."""
    response = await http.get(f"{stack.inbox_url}/dev/inbox/arrivals")
    expect_status(response, 200, "ask the inbox what arrived")
    arrivals: list[Arrival] = [(a[0], float(a[3])) for a in response.json()]
    written = await observer.written()
    deliveries = await observer.deliveries()
    events = await observer.events()
    await _caught_up(consumer, events["milestone-due"])
    checks = await observer.conservation()
    checks += _arrival_checks(arrivals, await observer.delivered(), written)
    messages = await observer.messages()
    checks += [
        _consumer_check(consumer, events["milestone-due"]),
        _outcome_check(deliveries, await observer.only_in_digests()),
        _few_check(messages),
    ]
    latencies = sorted(at - written[id_] for id_, at in arrivals if id_ in written)
    return DemoResult(
        played=played,
        resident_mib=resident_mib(stack),
        events=events,
        phases=await observer.phases(),
        reminders=await observer.reminders(),
        deliveries=deliveries,
        messages=messages,
        latency_p50=statistics.median(latencies) if latencies else 0.0,
        latency_p99=latencies[int(len(latencies) * 0.99)] if latencies else 0.0,
        checks=checks,
    )


def resident_mib(stack: RunningStack) -> float:
    """Memory of the broker, the database with its sessions, and the four services; shared pages counted once."""
    services = {name: pid for name, pid in stack.fleet.pids().items() if name != "inbox"}
    total = 0
    for pid in (*services.values(), *(stack.parts.processes().values() if stack.parts else ())):
        try:
            top = psutil.Process(pid)
            for process in (top, *top.children(recursive=True)):
                total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 2**20


async def _caught_up(consumer: ReminderConsumer, reminders: int) -> None:
    """Give the other system ten seconds to read what is on the topic."""
    for _ in range(200):
        if consumer.received >= reminders:
            break
        await asyncio.sleep(0.05)


def _arrival_checks(
    arrivals: Sequence[Arrival], delivered: set[str], written: Mapping[str, float]
) -> list[InvariantCheck]:
    copies = Counter(id_ for id_, _ in arrivals)
    lost, unknown = len(delivered - set(copies)), len(set(copies) - set(written))
    return [
        InvariantCheck(
            "every delivery marked delivered has arrived", lost == 0, f"{len(delivered)} delivered, {lost} lost"
        ),
        InvariantCheck(
            "nothing arrived twice",
            len(arrivals) == len(copies),
            f"{len(arrivals)} arrivals of {len(copies)} deliveries",
        ),
        InvariantCheck("nothing arrived that was not sent", unknown == 0, f"{unknown} unknown"),
    ]


def _consumer_check(consumer: ReminderConsumer, reminders: int) -> InvariantCheck:
    return InvariantCheck(
        "the other system heard every reminder once",
        (consumer.received, consumer.gaps, consumer.repeats) == (reminders, 0, 0),
        f"{consumer.received} of {reminders}, {consumer.gaps} gaps, {consumer.repeats} repeats",
    )


def _outcome_check(deliveries: Deliveries, only_in_digests: int) -> InvariantCheck:
    """Nothing in the demo may end untold but what stands in digests only."""
    untold = sum(n for (_, state), n in deliveries.items() if state in ("failed", "expired", "suppressed", "cancelled"))
    bad = untold - only_in_digests
    return InvariantCheck("no delivery failed or expired", not bad, f"{bad} failed or expired")


def _few_check(messages: Sequence[MessageCount]) -> InvariantCheck:
    worst = max((one.worst for one in messages), default=0)
    return InvariantCheck(
        f"nobody was sent more than {MOST_A_DAY} messages on one day", worst <= MOST_A_DAY, f"{worst} on the worst day"
    )
