"""A scheduler of today beside a registry of tomorrow: no event is refused, and all that follows from it still works.

Every golden example that the scheduler reads is written as a later release might: with fields that we don't know at
every depth, with a word that we don't know wherever a list is open, and with all of these words at once.
"""

import copy
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import feedparser
import httpx2 as httpx
import icalendar
import pytest

from contracts.envelope import from_record
from contracts.topics import BY_NAME
from services.i18n.languages import LANGUAGES
from services.plumbing.ids import new_id
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.escalator import Escalator
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.feeds.collecting import ReminderCollector
from services.scheduler.feeds.rendering.syndication import MOST_ITEMS
from services.scheduler.reminders import replanning
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.records import TOPICS, ReceivedCommitmentEvent, ReceivedLadderChoice, read_record
from services.scheduler.reminders.replanning import Replanner
from services.scheduler.reminders.rules.agenda import PlanningRules
from services.scheduler.reminders.rules.simulation import simulate
from services.scheduler.reminders.store import read_agendas
from tests.contracts.golden_records import NEW, PATHS, golden, is_text, objects, open_places
from tests.scheduler.running import THEN, Scheduler
from tests.scheduler.scenes import NINE_SHARP, utc
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys

Received = ReceivedCommitmentEvent | ReceivedLadderChoice
READ = [path for path in PATHS if golden(path)["topic"] in TOPICS]
PLAIN = next(path for path in PATHS if path.stem == "milestone-scheduled.v1.coal-finance")


def variants(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a later release might write in place of this."""
    more = copy.deepcopy(value)
    for node in list(objects(more)):
        if not is_text(node):
            node["of_a_later_release"] = {"anything": [1, None]}
    yield more
    everything = copy.deepcopy(more)
    for node, name in open_places(everything):
        node[name] = NEW
    yield everything
    for number in range(len(open_places(value))):
        one = copy.deepcopy(value)
        node, name = open_places(one)[number]
        node[name] = NEW
        yield one


def arrived(path: Path, value: dict[str, Any], commitment: str) -> Received:
    """A record of an example's topic with this value, as the intake reads it."""
    example = golden(path)
    key = commitment if "commitment" in value else value["subscription_id"]
    headers = example["headers"] | {"ce_id": str(new_id()), "ce_subject": key, "ce_partitionkey": key}
    headers |= {"ce_time": "2021-11-19T12:00:00Z"}  # long ago, a feed would not show it any more
    record = SimpleNamespace(
        topic=example["topic"],
        key=key.encode(),
        headers=tuple((name, content.encode()) for name, content in headers.items()),
        value=json.dumps(value).encode(),
    )
    return read_record(record)  # type: ignore[arg-type]  # of a consumer record this is all that is read


def batch_of(path: Path, value: dict[str, Any], commitment: str) -> list[Received]:
    """A commitment with a milestone that is known well, and then that event."""
    plain = golden(PLAIN)["value"]
    plain["commitment"]["id"], plain["milestone"]["id"] = commitment, f"{commitment}-plain"
    if "commitment" in value:
        value["commitment"]["id"] = commitment
    if value.get("milestone"):
        value["milestone"]["id"] = f"{commitment}-own"
    if "subscription_id" in value:
        value["subscription_id"] = str(new_id())
    return [arrived(PLAIN, plain, commitment), arrived(path, value, commitment)]


@dataclass
class Ground:
    """A scheduler that has heard all of it."""

    scheduler: Scheduler
    http: httpx.AsyncClient
    commitments: list[str]

    async def get(self, path: str, **wanted: Any) -> httpx.Response:
        answer = await self.http.get(path, params=wanted)
        assert answer.status_code == 200, (path, answer.text)
        return answer


@pytest.fixture
async def ground(scheduler: Scheduler, tmp_path: Path) -> AsyncIterator[Ground]:
    batch: list[Received] = []
    commitments = []
    for path in READ:
        for number, value in enumerate(variants(golden(path)["value"])):
            name = f"{path.stem.replace('.', '-')}-{number}"
            batch += batch_of(path, value, name)
            commitments.append(name)
    scheduler.clock.set(max(THEN, *(one.envelope.time for one in batch)))
    for start in range(0, len(batch), 20):
        await scheduler.planner.apply(batch[start : start + 20])
    keys = known_keys({"ops": ["operator", "editor"]})
    app = app_of(scheduler.database, scheduler.clock, keys=keys, rules_cache=RulesCache(NINE_SHARP))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://scheduler", headers=keys.header("ops")
    ) as http:
        yield Ground(scheduler, http, commitments)


async def test_everything_is_planned_and_what_was_said_is_kept(ground: Ground) -> None:
    plans = await ground.scheduler.rows("select milestone_id, commitment_id, milestone, settled from milestone_plan")

    assert len(ground.commitments) > 35
    assert {row["commitment_id"] for row in plans} == set(ground.commitments)
    said = [json.dumps(row["milestone"]) for row in plans]
    assert sum(NEW in milestone for milestone in said) >= 2 * len([p for p in READ if "scheduled" in p.stem])
    waiting = await ground.scheduler.rows("select distinct milestone_id from reminder where state = 'pending'")
    open_ones = {row["milestone_id"] for row in plans if not row["settled"]}
    assert {row["milestone_id"] for row in waiting} == open_ones
    assert await ground.scheduler.rows("select from commitment_state where overall = $1", NEW)
    assert open_ones >= {
        row["milestone_id"]
        for row in await ground.scheduler.rows(
            "select milestone_id from milestone_plan join commitment_state using (commitment_id) where overall = $1"
            " and (milestone ->> 'held')::boolean is not true",
            NEW,
        )
    }, "an unknown status leaves a commitment open"


async def test_the_tick_and_the_escalation_put_nothing_aside(ground: Ground) -> None:
    scheduler = ground.scheduler
    escalator = Escalator(scheduler.database, scheduler.clock, EscalationStore(read_escalation_book()))
    for now in (utc(2022, 1, 2, 18), utc(2022, 1, 20, 18), utc(2022, 12, 1, 18), utc(2025, 1, 1, 18)):
        scheduler.clock.set(max(now, scheduler.clock.now()))
        await scheduler.tick.once()
        while await escalator.once():
            pass

    assert await scheduler.rows("select milestone_id, reason from reminder where state = 'failed'") == []
    assert await scheduler.rows("select milestone_id, failed from escalation where failed is not null") == []
    told = await told_about(scheduler)
    told_ids = {milestone_id for milestone_id, _ in told}
    planned = await scheduler.rows(
        "select milestone_id from milestone_plan where not settled and milestone -> 'span' ->> 'latest' < '2025'"
    )
    assert {row["milestone_id"] for row in planned} <= told_ids
    assert any(NEW in body for _, body in told), "what was said is handed on"


async def told_about(scheduler: Scheduler) -> list[tuple[str, str]]:
    """The milestones of all events in the outbox, which are read as others read them, with their JSON."""
    told = []
    for row in await scheduler.rows("select topic, key, headers, value from outbox"):
        headers = [(name, content.encode()) for name, content in row["headers"].items()]
        kind: Any = BY_NAME[row["topic"]].event
        _, event = from_record(kind, row["key"].encode(), headers, row["value"])
        told.append((event.milestone.id, row["value"].decode()))
    return told


async def test_previews_and_lists_answer(ground: Ground) -> None:
    for commitment in ground.commitments:
        for language in LANGUAGES:
            seen = (await ground.get("/schedule/preview", commitment=commitment, language=language)).json()
            assert len(seen["milestones"]) >= 1
    reminders = await ground.scheduler.rows("select min(id) as id from reminder group by milestone_id")
    for row in reminders:
        await ground.get(f"/reminders/{row['id']}/explanation", language="fr")
    assert (await ground.get("/reminders", limit=500)).json()["items"]
    for row in await ground.scheduler.rows("select milestone_id from escalation"):
        await ground.get(f"/milestones/{row['milestone_id']}/escalation")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_calendars_and_feeds_show_them(ground: Ground, language: str) -> None:
    scheduler = ground.scheduler
    await scheduler.ticks_at(max(utc(2022, 1, 2, 18), scheduler.clock.now()))
    assert await ReminderCollector(scheduler.database, scheduler.clock).once()

    made = (await ground.http.post("/feeds", json={"language": language})).json()
    paths = [httpx.URL(address).path for address in made["addresses"].values()]
    calendar, *feeds = [(await ground.get(path)).content for path in paths]

    dated = await scheduler.rows("select milestone_id from milestone_plan where milestone -> 'span' ->> 'latest' <> ''")
    shown = {str(event["uid"]).partition("@")[0] for event in icalendar.Calendar.from_ical(calendar).walk("VEVENT")}
    assert shown >= {row["milestone_id"] for row in dated}
    for document in feeds:
        found = feedparser.parse(document)
        assert not found.bozo, found.get("bozo_exception")
        assert len(found.entries) == MOST_ITEMS


async def test_plans_can_be_made_anew_and_simulated(ground: Ground) -> None:
    scheduler, now = ground.scheduler, ground.scheduler.clock.now()
    async with scheduler.database.transaction() as connection:
        id_ = await replanning.begin(connection, "book", now)
    await Replanner(scheduler.database, RulesCache(NINE_SHARP)).finish(id_)
    async with scheduler.database.connection() as connection:
        agendas = await read_agendas(connection)

    found = simulate(agendas.values(), PlanningRules(NINE_SHARP), now, now + timedelta(days=400))

    assert {one.commitment_id for one in found} >= {
        row["commitment_id"]
        for row in await scheduler.rows(
            "select distinct commitment_id from reminder join milestone_plan using (milestone_id)"
            " where state = 'pending' and due_at < $1",
            now + timedelta(days=400),
        )
    }


async def test_a_feed_shows_the_others_where_one_event_cant_be_read(ground: Ground) -> None:
    """
    A later release tells feeds of more, and an older row may be in words that nobody has any more.
    """
    await ground.scheduler.rows(
        "insert into feed_event (event_id, topic, at, commitment_id, parties, themes, section, body)"
        " values ($1, 'of-a-later-release', $3, 'x', '{CA}', '{climate}', 'x', '{}'),"
        " ($2, 'milestone-due', $3, 'x', '{CA}', '{climate}', 'x', '{\"countries\": []}')",
        UUID(int=1),
        UUID(int=2),
        ground.scheduler.clock.now(),
    )
    made = (await ground.http.post("/feeds", json={})).json()

    document = (await ground.get(httpx.URL(made["addresses"]["atom"]).path)).content

    [row] = await ground.scheduler.rows("select count(*) from feed_event")
    assert len(feedparser.parse(document).entries) == row["count"] - 2 > 60


async def test_a_feed_in_a_language_of_a_later_release_is_shown_in_the_nearest_of_ours(ground: Ground) -> None:
    for language, word in (("fr-CA", "État"), ("pt", "Status"), ("es", "Estado")):
        made = (await ground.http.post("/feeds", json={"language": "es"})).json()
        await ground.scheduler.rows("update feed set language = $1 where id = $2", language, UUID(made["id"]))

        feed = feedparser.parse((await ground.get(httpx.URL(made["addresses"]["atom"]).path)).content)

        assert any(entry.title.startswith(word) for entry in feed.entries), language


async def test_a_language_that_nobody_speaks_is_refused_at_the_door(ground: Ground) -> None:
    for language in ("pt", "EN", "english", "es-AR", "fr-FR"):
        assert (await ground.http.post("/feeds", json={"language": language})).status_code == 422
        asked = {"commitment": ground.commitments[0], "language": language}
        assert (await ground.http.get("/schedule/preview", params=asked)).status_code == 422
