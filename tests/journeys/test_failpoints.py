"""At every boundary of an event's way the process is killed (SIGKILL), and still nothing is lost.

A repeat is explained only where a message had left and its answer was not yet on record.
"""

import asyncio
import json
import re
import signal
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from services.plumbing.clock import SharedClock
from tests.journeys.instance import BOUND, LiveInstance
from tests.journeys.notices import ASKED, CHANGED, asks_for_links, changes_by_link, notices_that_came, notices_told
from tests.journeys.operating import pledgewire, run_pledgewire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SUBSCRIPTIONS = 4
PRUNING = "prune-before-commit"

BOUNDARIES = [
    # service, failpoint, what makes it pass there, how many repeats are explained
    ("registry", "api-after-validate", "http", 0),
    ("registry", "api-before-commit", "http", 0),
    ("registry", "api-after-commit", "http", 0),
    ("registry", "registry-after-hold", "move", 0),
    ("registry", "ingest-after-inbox", "kafka", 0),
    ("registry", "intake-after-poll", "kafka", 0),
    ("registry", "intake-after-commit", "kafka", 0),
    ("registry", "relay-after-claim", "http", 0),
    ("registry", "relay-after-produce", "http", 0),
    ("registry", "relay-after-mark", "http", 0),
    ("registry", "audit-after-link", "http", 0),
    ("scheduler", "intake-after-poll", "http", 0),
    ("scheduler", "intake-after-inbox", "http", 0),
    ("scheduler", "intake-before-commit", "http", 0),
    ("scheduler", "intake-after-commit", "http", 0),
    ("scheduler", "scheduler-after-due-select", "tick", 0),
    ("scheduler", "scheduler-before-commit", "tick", 0),
    ("scheduler", "scheduler-after-commit", "tick", 0),
    ("scheduler", "relay-after-claim", "tick", 0),
    ("scheduler", "relay-after-produce", "tick", 0),
    ("scheduler", "relay-after-mark", "tick", 0),
    ("scheduler", "escalation-after-claim", "escalation", 0),
    ("scheduler", "escalation-before-commit", "escalation", 0),
    ("scheduler", "escalation-after-commit", "escalation", 0),
    ("scheduler", "acknowledgement-before-commit", "acknowledgement", 0),
    ("scheduler", "acknowledgement-after-commit", "acknowledgement", 0),
    ("notifier", "intake-after-poll", "http", 0),
    ("notifier", "fanout-before-commit", "http", 0),
    ("notifier", "fanout-after-commit", "http", 0),
    ("notifier", "intake-after-commit", "http", SUBSCRIPTIONS),
    ("notifier", "notifier-after-claim", "retry", 0),
    ("notifier", "notifier-after-send", "http", SUBSCRIPTIONS),
    ("notifier", "notifier-before-commit", "http", SUBSCRIPTIONS),
    ("notifier", "fanout-after-gather", "group", 0),
    ("notifier", "digest-run-written", "digest", 0),
    ("notifier", "notifier-after-follow", "group", 0),
    ("notifier", "notifier-after-render", "group", 0),
    ("notifier", "notifier-after-send", "group", SUBSCRIPTIONS + 1),
    ("notifier", "notifier-before-commit", "group", SUBSCRIPTIONS + 1),
    ("notifier", "link-mail-sent", ASKED, 1),
    ("notifier", "channel-told", CHANGED, 1),
    ("notifier", "relay-after-claim", "http", 0),
    ("notifier", "relay-after-produce", "http", 0),
    ("notifier", "relay-after-mark", "http", 0),
]


@pytest.fixture(scope="module")
def commitments() -> "count[int]":
    return count()


@pytest.fixture(scope="module")
def ids() -> list[str]:
    from services.registry.catalogue.loading import load

    # Those without milestones, so that a status changes nothing else; and on which Mexico's ministry may report.
    return [one.id for one in load().commitments if not one.milestones and "MX" in BOUND[one.id]]


@pytest.fixture
async def furnished(instance: LiveInstance) -> LiveInstance:
    """The instance with the statement imported and a subscription for each channel, once."""
    if not await instance.observer.connection.fetchval("select exists (select from notifier.subscription)"):
        for channel in ("email", "slack", "teams", "webhook"):
            await instance.subscribe(
                channel, "everything", events=["status-changed", "milestone-due", "milestone-scheduled"]
            )
        await instance.import_statement()
    return instance


async def next_due(instance: LiveInstance) -> None:
    due = await instance.observer.connection.fetchval(
        "select min(due_at) from scheduler.reminder where state = 'pending'"
    )
    assert due is not None, "no reminder is left to fire"
    instance.clock.set(due)


async def next_escalation(instance: LiveInstance) -> None:
    due = await instance.observer.connection.fetchval("select min(next_at) from scheduler.escalation")
    assert due is not None, "no milestone is left to escalate"
    instance.clock.set(due)


async def overdue(instance: LiveInstance) -> str:
    """A milestone that is overdue and owned by nobody; the clock goes on until there is one."""
    climbing = "select min(milestone_id) from scheduler.escalation where state = 'climbing'"
    while not (found := await instance.observer.connection.fetchval(climbing)):
        await next_escalation(instance)
        await instance.rest()
    return str(found)


async def insist_on_owning(instance: LiveInstance, milestone: str) -> None:
    """Acknowledge as a careful client does: the same key until there is an answer, and the same one once more."""
    key = str(uuid4())
    answers: list[object] = []
    for _ in range(600):
        try:
            response = await instance.http.post(
                f"{instance.url('scheduler')}/milestones/{milestone}/acknowledgements",
                json={"name": "Ana Ruiz", "note": None},
                headers=instance.headers | {"Idempotency-Key": key},
            )
        except httpx2.TransportError:
            instance.fleet.revive()
            await asyncio.sleep(0.1)
            continue
        if response.status_code == 201:
            answers.append(response.json())
        if len(answers) == 2:
            break
        assert response.status_code in (201, 503), response.text
    log = await instance.observer.connection.fetchval(
        "select count(*) from scheduler.escalation_log where idem_key = $1", key
    )
    assert answers == [answers[0]] * 2
    assert log == 1


async def wants(instance: LiveInstance, channel: str, timing: str | None) -> None:
    """Let the subscription on a channel be told at other times."""
    await instance.observer.connection.execute(
        "update notifier.subscription set timing = $2::text::jsonb where channel = $1", channel, timing
    )


async def window_ends(instance: LiveInstance) -> None:
    """Wait until what belongs together is collected, and let its window end."""
    for _ in range(1500):
        work = await instance.observer.pending_work(instance.now)
        if work.only_time and work.deliveries_collecting:
            return instance.clock.set(instance.now + timedelta(minutes=1))
        await asyncio.sleep(0.02)
    raise AssertionError(f"nothing is collected in thirty seconds: {work}")


@pytest.mark.parametrize(("service", "failpoint", "trigger", "explained"), BOUNDARIES)
async def test_a_kill_there_loses_nothing(
    furnished: LiveInstance,
    service: str,
    failpoint: str,
    trigger: str,
    explained: int,
    ids: list[str],
    commitments: "count[int]",
) -> None:
    instance = furnished
    if trigger == CHANGED:  # by the link of a message of today: those of last month's have ended
        await instance.insist_on_status(ids[next(commitments)], "in-progress")
    await instance.rest()
    before = len(await instance.arrivals())
    restarts = instance.fleet.members[service].restarts
    instance.fleet.stop(service)
    instance.fleet.start(service, environment={"PLEDGEWIRE_FAILPOINT": failpoint})
    instance.fleet.wait_ready(service)
    match trigger:
        case "http":
            await instance.insist_on_status(ids[next(commitments)], "in-progress")
        case "move":
            await instance.insist_on_move("nals-2022", "2040-05-05", source="What the hosts said")
        case "group":
            # Webhooks are told at once, so those failpoints that they pass as well may be met there already.
            await instance.insist_on_statuses([ids[next(commitments)], ids[next(commitments)]], "in-progress")
            if failpoint in ("notifier-after-follow", "notifier-after-render"):
                await window_ends(instance)
        case "digest":
            await wants(instance, "email", '{"rhythm": "daily"}')
            await instance.insist_on_status(ids[next(commitments)], "in-progress")
        case "kafka":
            await instance.report_over_kafka("mx-sre", ids[next(commitments)], "in-progress")
        case "tick":
            await next_due(instance)
        case "escalation":
            await next_escalation(instance)
            await instance.insist_on_status(ids[next(commitments)], "in-progress")  # so that something arrives
        case "acknowledgement":
            await insist_on_owning(instance, await overdue(instance))
            await instance.insist_on_status(ids[next(commitments)], "in-progress")
        case _ if trigger == ASKED:
            await asks_for_links(instance, "everything@ministry.example")
        case _ if trigger == CHANGED:
            await changes_by_link(instance, "slack", "everything", zone="America/Toronto")
        case "retry":
            # A delivery is claimed as it is written; a claim of its own is what a second attempt needs.
            await instance.refuse_once("slack", "everything")
            await instance.insist_on_status(ids[next(commitments)], "in-progress")
            await instance.rest()
            instance.clock.set(instance.now + timedelta(minutes=2))

    if instance.fleet.members[service].restarts == restarts:  # or the client that insists has had it started again
        assert instance.fleet.wait_end(service) == -signal.SIGKILL
        instance.fleet.revive()
    assert instance.fleet.members[service].last_exit == -signal.SIGKILL
    instance.fleet.wait_ready(service)
    if trigger == "digest":
        await instance.rest()
        runs = await instance.observer.connection.fetch("select run_at from notifier.digest_run")
        assert len(runs) == 1  # written once, though the fan-out was cut behind it
        instance.clock.set(runs[0]["run_at"])

    if trigger in (ASKED, CHANGED):
        await instance.insist_on_status(ids[next(commitments)], "in-progress")  # so that something arrives
        # It had left and nobody knew: it comes again, once, and with the same Message-ID where there is one.
        instance.clock.set(instance.now + timedelta(minutes=3))
        await notices_told(instance, trigger)
        came = await notices_that_came(instance, trigger)
        assert [one.delivery_id for one in came] == [came[0].delivery_id] * 2
        before += len(came)
    for _ in range(400):
        await instance.rest()
        if len(await instance.arrivals()) >= before + SUBSCRIPTIONS:
            break
    await instance.assert_nothing_lost(doubles=explained)
    assert len(await instance.arrivals()) >= before + SUBSCRIPTIONS
    if trigger == "digest":
        await wants(instance, "email", None)
    if failpoint == "audit-after-link":
        await instance.logs_told()
        found = await asyncio.to_thread(pledgewire, instance.stack.environment(), "audit", "verify", "--json")
        for log in json.loads(found)["items"]:
            assert log["break"] is None
            assert log["published_to"] == log["entries"]


async def test_who_is_killed_while_pruning_has_pruned_nothing_and_the_next_prunes_it_once(
    furnished: LiveInstance, ids: list[str], commitments: "count[int]", tmp_path: Path
) -> None:
    """
    On its own clock, which is far ahead: on the services' one nothing is old yet, and they go on beside it.
    """
    instance = furnished
    await instance.insist_on_status(ids[next(commitments)], "in-progress")
    await instance.rest()
    ahead = SharedClock(tmp_path / "ahead")
    ahead.set(instance.now + timedelta(days=5000))
    environment = instance.stack.environment() | {"PLEDGEWIRE_CLOCK_FILE": str(tmp_path / "ahead")}

    async def rows() -> tuple[int, int]:
        """What is kept, and what was pruned, of the notifier."""
        asked = "select (select count(*) from notifier.delivery), (select coalesce(sum(rows), 0) from notifier.pruned)"
        kept, pruned = await instance.observer.connection.fetchrow(asked)
        return kept, pruned

    before = await rows()
    killed = await asyncio.to_thread(
        run_pledgewire, environment | {"PLEDGEWIRE_FAILPOINT": PRUNING}, "retention", "apply"
    )
    assert killed.returncode == -signal.SIGKILL
    assert await rows() == before
    await instance.assert_nothing_lost()

    await asyncio.to_thread(pledgewire, environment, "retention", "apply")
    kept, pruned = await rows()
    assert kept < before[0] and pruned > before[1]
    await instance.assert_nothing_lost()


def test_every_failpoint_of_the_code_is_tried_here() -> None:
    services = Path(__file__).resolve().parents[2] / "services"
    named = {
        name
        for source in services.rglob("*.py")
        if source.name != "failpoints.py"
        for name in re.findall(r'failpoint\("([a-z-]+)"\)', source.read_text())
    }

    assert named == {failpoint for _, failpoint, _, _ in BOUNDARIES} | {PRUNING}
