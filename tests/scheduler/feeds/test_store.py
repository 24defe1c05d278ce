"""Calendars and feeds of events at their addresses, over HTTP on a real PostgreSQL."""

import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import feedparser
import httpx2 as httpx
import pytest
import structlog

from contracts.envelope import Envelope
from contracts.filters import Filters, matches
from contracts.vocabulary import Country, Precision, Reading, Status
from services.notifier.events.event_types import EVENT_TYPES
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import new_key
from services.plumbing.ids import new_id
from services.plumbing.logs import configure_logs, log
from services.plumbing.migrations import upgrade
from services.scheduler.feeds import routes
from services.scheduler.feeds.collecting import ReminderCollector
from services.scheduler.feeds.event_store import KEEP_EVENTS_FOR
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.intake import Planner
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.rules.agenda import CommitmentEvent
from services.scheduler.reminders.tick import Tick
from tests.conftest import FreshDatabase
from tests.scheduler.feeds.scenes import days, only, parsed
from tests.scheduler.scenes import brief, changed, created, milestone, scheduled, utc
from tests.scheduler.serving import app_of
from tests.stand_ins.collector import collecting

THEN = utc(2021, 11, 18, 18)
COAL = "end-coal-finance-abroad"
END_OF_2021 = milestone(date(2021, 12, 31), earliest=date(2021, 1, 1), precision=Precision.YEAR)
SUMMIT = milestone(date(2022, 12, 31), id_="summit", earliest=date(2022, 1, 1), precision=Precision.YEAR)
KINDS = ("calendar.ics", "events.atom", "events.rss")
PUBLIC = "https://times.example"


@dataclass
class House:
    """A scheduler's intake, tick and feeds on one database, and a client with the key of `sre`."""

    database: Database
    clock: SharedClock
    http: httpx.AsyncClient
    keys: dict[str, str]
    keys_file: Path

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
        return _client(self.database, self.clock, self.keys_file, self.keys["sre"])

    def by(self, client: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys[client]}"}


def _client(database: Database, clock: SharedClock, keys_file: Path, key: str) -> httpx.AsyncClient:
    settings = FeedSettings(public_url=PUBLIC, portal_url="https://pledges.example")
    app = app_of(database, clock, keys_file=keys_file, feed_settings=settings)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://scheduler",
        headers={"authorization": f"Bearer {key}"},
    )


@pytest.fixture
async def house(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[House]:
    url = await fresh_database({"scheduler": VERSIONS})
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    clock = SharedClock(tmp_path / "clock")
    clock.set(THEN)
    keys, entries = {}, {}
    for client, role in (("sre", "subscriber"), ("gac", "editor"), ("dos", "reporter")):
        keys[client], digest = new_key(client)
        entries[client] = {"sha256": digest, "roles": [role]}
    keys_file = tmp_path / "keys.json"
    keys_file.write_text(json.dumps(entries))
    async with _client(database, clock, keys_file, keys["sre"]) as http:
        yield House(database, clock, http, keys, keys_file)
    await database.close()


# Addresses


async def test_addresses_are_shown_once_and_only_a_hash_is_kept(house: House) -> None:
    made = await house.makes(name="Clima", language="es", zone="America/Mexico_City", filters={"themes": ["climate"]})
    tokens = {path.split("/")[2] for path in made["paths"]}
    [token] = tokens

    assert made["addresses"] == {
        "calendar": f"{PUBLIC}/feeds/{token}/calendar.ics",
        "atom": f"{PUBLIC}/feeds/{token}/events.atom",
        "rss": f"{PUBLIC}/feeds/{token}/events.rss",
    }
    assert len(token) == 43  # 256 bits in base64
    listed = await house.http.get("/feeds")
    [shown] = listed.json()["items"]
    assert shown == {name: value for name, value in made.items() if name not in ("addresses", "paths")}
    kept = str([dict(row) for row in await house.sql("select * from feed")])
    assert token not in kept + listed.text
    assert len({(await house.makes())["paths"][0] for _ in range(5)}) == 5


async def test_who_has_an_address_may_read_and_nobody_else(house: House) -> None:
    await house.hears(created(), scheduled(END_OF_2021))
    made = await house.makes()

    for path, media in zip(
        made["paths"], ("text/calendar", "application/atom+xml", "application/rss+xml"), strict=True
    ):
        answer = await house.reads(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"{media}; charset=utf-8"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert path.split("/")[2] not in answer.text, "what is read may be passed on"
    for path in ("/feeds/x/calendar.ics", f"/feeds/{made['id']}/calendar.ics", "/feeds/%00/events.rss"):
        assert (await house.reads(path)).status_code == 404


async def test_a_revoked_address_is_unknown_at_once(house: House) -> None:
    """
    From the answer to the revocation on, it gives the same bytes as an address that never was, whatever is known of it.
    """
    await house.hears(created(), scheduled(END_OF_2021))
    made, kept = await house.makes(), await house.makes()
    tags = [(await house.reads(path)).headers["etag"] for path in made["paths"]]

    assert (await house.http.delete(f"/feeds/{made['id']}")).status_code == 204
    assert (await house.http.delete(f"/feeds/{made['id']}")).status_code == 204, "again does no harm"

    for path, tag, kind in zip(made["paths"], tags, KINDS, strict=True):
        never_was = await house.reads(f"/feeds/{'A' * 43}/{kind}")
        for gone in (await house.reads(path), await house.reads(path, **{"if-none-match": tag})):
            assert (gone.status_code, gone.content) == (never_was.status_code, never_was.content) == (404, gone.content)
            hidden = {"x-correlation-id"}
            assert {n: v for n, v in gone.headers.items() if n not in hidden} == {
                n: v for n, v in never_was.headers.items() if n not in hidden
            }
    assert [item["id"] for item in (await house.http.get("/feeds")).json()["items"]] == [kept["id"]]
    assert (await house.http.post(f"/feeds/{made['id']}/rotate")).status_code == 404, "it stays dead"


async def test_a_rotated_feed_is_read_at_its_new_address_only(house: House) -> None:
    made = await house.makes(name="Cumbres")
    tag = (await house.reads(made["paths"][0])).headers["etag"]

    answer = await house.http.post(f"/feeds/{made['id']}/rotate")

    rotated = answer.json()
    path = rotated["addresses"]["calendar"].removeprefix(PUBLIC)
    assert (answer.status_code, rotated["id"], rotated["name"]) == (200, made["id"], "Cumbres")
    assert path != made["paths"][0]
    assert [(await house.reads(old)).status_code for old in made["paths"]] == [404, 404, 404]
    assert (await house.reads(path)).headers["etag"] == tag, "what it holds is the same"


async def test_feeds_are_their_owners(house: House) -> None:
    made = await house.makes()

    assert (await house.http.get("/feeds", headers={"authorization": ""})).status_code == 401
    assert (await house.http.post("/feeds", json={}, headers=house.by("dos"))).status_code == 403
    assert (await house.http.get("/feeds", headers=house.by("gac"))).json() == {"items": []}
    assert (await house.http.delete(f"/feeds/{made['id']}", headers=house.by("gac"))).status_code == 404
    assert (await house.http.post(f"/feeds/{made['id']}/rotate", headers=house.by("gac"))).status_code == 404
    assert (await house.reads(made["paths"][0])).status_code == 200
    assert (await house.http.post("/feeds", json={}, headers=house.by("gac"))).status_code == 201, "editors may, too"
    assert (await house.http.delete("/feeds/1")).status_code == 422


async def test_a_client_has_a_hundred_feeds_at_most(house: House) -> None:
    made = [await house.makes() for _ in range(routes.MOST_FEEDS)]

    assert (await house.http.post("/feeds", json={})).status_code == 409
    await house.http.delete(f"/feeds/{made[0]['id']}")
    assert (await house.http.post("/feeds", json={})).status_code == 201


@pytest.mark.parametrize(
    "form",
    [
        {"name": ""},
        {"name": "two\nlines"},
        {"name": "\u202e"},
        {"name": "x" * 101},
        {"language": "de"},
        {"zone": "../etc/passwd"},
        {"zone": "Mars/Olympus"},
        {"filters": {"countries": ["FR"]}},
        {"filters": {"events": ["milestone-due"]}},
        {"filters": {"themes": ["Climate"]}},
        {"alarms": [-1]},
        {"alarms": [367]},
        {"alarms": ["7"]},
        {"alarms": [1, 2, 3, 4, 5, 6]},
        {"owner": "gac"},
    ],
)
async def test_what_makes_no_sense_is_refused(house: House, form: dict[str, Any]) -> None:
    answer = await house.http.post("/feeds", json=form)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_it_is_noted_on_which_day_a_feed_was_last_read(house: House) -> None:
    made = await house.makes()
    noted = []
    for hours in (0, 3, 24):
        house.clock.set(THEN + timedelta(hours=hours))
        await house.reads(made["paths"][1])
        noted.append((await house.http.get("/feeds")).json()["items"][0]["last_read_on"])

    assert made["last_read_on"] is None
    assert noted == ["2021-11-18", "2021-11-18", "2021-11-19"]


# Secrets


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What a process of ours writes to standard error, set up as it is there."""
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logs("scheduler", "DEBUG")
    yield written
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    vars(log).pop("bind", None)  # the logger keeps how it was set up when it is used first


async def test_no_log_trace_or_metric_tells_an_address(
    house: House, logged: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.hears(created(), scheduled(END_OF_2021))
    made = await house.makes()
    with collecting(monkeypatch, "scheduler") as collector:
        for path in made["paths"]:
            await house.reads(path)
        await house.sql("update calendar_entry set milestone = '{}', mark = nextval('calendar_mark')")
        assert (await house.reads(made["paths"][0])).status_code == 500
        metrics = (await house.http.get("/metrics")).text

    [line] = [json.loads(line) for line in logged.getvalue().splitlines() if "request_failed" in line]
    assert line["path"] == "/feeds/…/calendar.ics"
    assert "ValidationError" in line["exception"]
    assert "GET /feeds/…/events.atom" in [span.name for span in collector.spans()]
    token = made["paths"][0].split("/")[2]
    for place in (logged.getvalue().encode(), *collector.received, metrics.encode()):
        assert token[:12].encode() not in place


# Calendars


async def test_a_move_changes_one_event_of_the_calendar_and_its_validator(house: House) -> None:
    await house.hears(created(), scheduled(END_OF_2021), scheduled(SUMMIT))
    path = (await house.makes())["paths"][0]
    before = await house.reads(path)

    house.clock.set(THEN + timedelta(days=1))
    await house.hears(scheduled(milestone(date(2022, 3, 31)), 2, change="moved"))
    after = await house.reads(path, **{"if-none-match": before.headers["etag"]})

    old, new = parsed(before.content), parsed(after.content)
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    assert after.headers["last-modified"] == "Fri, 19 Nov 2021 18:00:00 GMT"
    assert old.keys() == new.keys()
    [uid] = [uid for uid in old if old[uid].serialize() != new[uid].serialize()]
    assert uid == f"{END_OF_2021.id}@pledgewire"
    assert (old[uid].sequence.value, new[uid].sequence.value) == ("0", "1")
    assert days(new[uid]) == (date(2022, 3, 31), date(2022, 3, 31))


async def test_a_withdrawal_cancels_and_a_return_brings_back(house: House) -> None:
    await house.hears(created(), scheduled(END_OF_2021))
    path = (await house.makes())["paths"][0]
    seen = []
    for seq, status in enumerate((Status.WITHDRAWN, Status.IN_PROGRESS, Status.MET), 1):
        await house.hears(changed(status, seq))
        event = only((await house.reads(path)).content)
        seen.append((event.status.value, event.sequence.value, event.summary.value.partition(":")[0]))

    assert seen == [("CANCELLED", "1", "Cancelled"), ("CONFIRMED", "2", "Due"), ("CONFIRMED", "2", "Met")]


async def test_a_lost_date_cancels(house: House) -> None:
    await house.hears(created(), scheduled(END_OF_2021), scheduled(milestone(None, id_="never-dated")))
    path = (await house.makes())["paths"][0]

    await house.hears(scheduled(milestone(None), 2, change="moved"))

    event = only((await house.reads(path)).content)
    assert (event.status.value, event.sequence.value) == ("CANCELLED", "1")
    assert days(event) == (date(2021, 12, 31), date(2021, 12, 31))


async def test_an_unchanged_feed_is_not_rendered_again(house: House) -> None:
    """
    What is known is 304, what was rendered is given again, though by now it could not even be rendered.
    """
    await house.hears(created(), scheduled(END_OF_2021), changed(Status.IN_PROGRESS))
    made = await house.makes()
    first = [await house.reads(path) for path in made["paths"]]
    await house.sql("update calendar_entry set milestone = '{}'")
    await house.sql("update feed_event set body = '{}'")

    for path, answer in zip(made["paths"], first, strict=True):
        for known in (answer.headers["etag"], f"W/{answer.headers['etag']}", f'"other", {answer.headers["etag"]}', "*"):
            again = await house.reads(path, **{"if-none-match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == answer.headers["etag"]
        assert (await house.reads(path)).content == answer.content
        assert (await house.reads(path, **{"if-none-match": '"other"'})).status_code == 200


async def test_the_head_of_a_feed_is_that_of_its_reading(house: House) -> None:
    await house.hears(created(), scheduled(END_OF_2021))
    for path in (await house.makes())["paths"]:
        read = await house.reads(path)
        head = await house.http.head(path, headers={"authorization": ""})

        hidden = {"x-correlation-id"}
        assert head.content == b""
        assert {n: v for n, v in head.headers.items() if n not in hidden} == {
            n: v for n, v in read.headers.items() if n not in hidden
        }
        assert int(head.headers["content-length"]) == len(read.content)


async def test_another_scheduler_gives_the_same_bytes(house: House) -> None:
    await house.hears(created(), scheduled(END_OF_2021), changed(Status.AT_RISK))
    made = await house.makes()

    async with house.another() as other:
        for path in made["paths"]:
            one, two = await house.reads(path), await other.get(path, headers={"authorization": ""})
            assert (one.content, one.headers["etag"]) == (two.content, two.headers["etag"])


async def test_what_a_feed_does_not_hold_leaves_it_alone(house: House) -> None:
    await house.hears(created(), scheduled(END_OF_2021))
    holding = await house.makes(filters={"commitments": [COAL]})
    other = await house.makes(filters={"commitments": ["something-else"]})
    tags = {path: (await house.reads(path)).headers["etag"] for path in (*holding["paths"], *other["paths"])}

    await house.hears(scheduled(milestone(date(2022, 3, 31)), 2, change="moved"))

    for path in holding["paths"]:
        assert (await house.reads(path)).headers["etag"] != tags[path]
    for path in other["paths"]:
        assert (await house.reads(path, **{"if-none-match": tags[path]})).status_code == 304
    assert parsed((await house.reads(other["paths"][0])).content) == {}


async def test_filters_mean_what_they_mean_for_subscriptions(house: House) -> None:
    """
    For every combination of filters and traits, a feed holds what the notifier would tell a subscription of.
    """
    events = []
    for n, (countries, themes, section) in enumerate(
        product([(Country.MX,), (Country.CA, Country.US)], [("climate",), ("trade", "work")], ["climate", "opening"])
    ):
        what = milestone(date(2022, 1, 1), id_=f"m-{n}", countries=countries)
        commitment = brief(f"c-{n}").model_copy(update={"themes": themes, "section": section})
        events.append(scheduled(what, id_=f"c-{n}").model_copy(update={"commitment": commitment}))
    await house.hears(*events)
    terms = {
        "countries": [[], ["MX"], ["CA", "MX"]],
        "themes": [[], ["work"], ["climate", "health"]],
        "sections": [[], ["opening"]],
        "commitments": [[], ["c-0", "c-7"]],
    }

    for chosen in product(*terms.values()):
        form = dict(zip(terms, chosen, strict=True))
        made = await house.makes(filters=form)
        calendar, atom, _ = made["paths"]
        rule = Filters(**{name: frozenset(values) for name, values in form.items()})
        expected = {e.milestone.id for e in events if matches(rule, EVENT_TYPES["milestone-scheduled"].traits(e))}
        assert {uid.partition("@")[0] for uid in parsed((await house.reads(calendar)).content)} == expected, form
        links = {entry.link for entry in feedparser.parse((await house.reads(atom)).content).entries}
        assert links == {f"https://pledges.example/commitments/c-{id_[2:]}" for id_ in expected}, form
        await house.http.delete(f"/feeds/{made['id']}")


async def test_a_change_that_commits_behind_a_later_one_is_seen(house: House) -> None:
    """
    A slower transaction has the lower mark: who knows the state between the two has not seen it all.
    """
    await house.hears(created(), scheduled(END_OF_2021), scheduled(SUMMIT))
    path = (await house.makes())["paths"][0]
    change = "update calendar_entry set mark = nextval('calendar_mark') where milestone_id = $1"

    async with house.database.transaction() as slower:
        await slower.execute(change, END_OF_2021.id)
        await house.sql(change, SUMMIT.id)
        between = (await house.reads(path)).headers["etag"]

    assert (await house.reads(path, **{"if-none-match": between})).status_code == 200


# Bulletins


async def entries(house: House, path: str) -> list[Any]:
    found = feedparser.parse((await house.reads(path)).content)
    assert not found.bozo
    return list(found.entries)


async def test_events_are_told_newest_first_with_their_own_ids(house: House) -> None:
    heard = [
        *await house.hears(created()),
        *await house.hears(scheduled(END_OF_2021), at=THEN + timedelta(minutes=1)),
        *await house.hears(changed(Status.AT_RISK), at=THEN - timedelta(hours=1)),
    ]
    house.clock.set(utc(2021, 12, 24, 15))
    await Tick(house.database, house.clock).once()
    assert await house.gathers() == 1
    assert await house.gathers() == 0
    made = await house.makes(language="es")
    [due] = await house.sql("select event_id from outbox where topic = 'milestone-due'")

    for path in made["paths"][1:]:
        found = await entries(house, path)
        assert [entry.id for entry in found] == [
            f"urn:uuid:{id_}" for id_ in (due["event_id"], *(heard[n].envelope.id for n in (1, 0, 2)))
        ]
        assert found[0].title == "Vence en 7 días: No new public finance"
        assert [entry.published_parsed[:5] for entry in found[::3]] == [(2021, 12, 24, 15, 0), (2021, 11, 18, 17, 0)]


async def test_a_repeat_of_an_event_changes_no_feed(house: House) -> None:
    received = await house.hears(created(), scheduled(END_OF_2021), changed(Status.IN_PROGRESS))
    made = await house.makes()
    tags = [(await house.reads(path)).headers["etag"] for path in made["paths"]]

    house.clock.set(THEN + timedelta(days=1))
    await Planner(house.database, house.clock).apply([*received, *received])

    assert [(await house.reads(path)).headers["etag"] for path in made["paths"]] == tags


async def test_a_reminder_of_somebodys_own_ladder_is_nobody_elses_news(house: House) -> None:
    await house.hears(created(), scheduled(END_OF_2021))
    house.clock.set(utc(2021, 12, 24, 15))
    await Tick(house.database, house.clock).once()
    await house.sql(
        "update outbox set value = convert_to(jsonb_set(convert_from(value, 'UTF8')::jsonb, '{audience}',"
        f" '\"{uuid4()}\"')::text, 'UTF8')"
    )

    await house.gathers()

    titles = [entry.title for entry in await entries(house, (await house.makes())["paths"][1])]
    assert [title for title in titles if title.startswith("Due")] == []
    assert len(titles) == 2


async def test_a_reminder_that_commits_behind_a_later_one_is_not_overlooked(house: House) -> None:
    insert = (
        "insert into outbox (event_id, topic, key, headers, value, created_at, written_at)"
        " select $1, topic, key, headers, value, created_at, written_at from outbox where id = $2"
    )
    await house.hears(created(), scheduled(END_OF_2021))
    house.clock.set(utc(2021, 12, 24, 15))
    await Tick(house.database, house.clock).once()
    [first] = await house.sql("select id from outbox")
    slow, fast = uuid4(), uuid4()

    async with house.database.transaction() as connection:
        await connection.execute(insert, slow, first["id"])
        await house.sql(insert, fast, first["id"])
        assert await house.gathers() == 2
    assert await house.gathers() == 1

    told = {row["event_id"] for row in await house.sql("select event_id from feed_event where topic = 'milestone-due'")}
    assert {slow, fast} <= told
    await house.sql("update outbox set written_at = written_at - interval '3 minutes'")
    await house.gathers()
    [place] = await house.sql("select outbox_id = (select max(id) from outbox) as at_the_end from feed_place")
    assert place["at_the_end"]


async def test_a_feed_tells_the_newest_hundred_of_four_hundred_days(house: House) -> None:
    await house.hears(*(changed(Status.IN_PROGRESS, seq) for seq in range(1, 121)))
    path = (await house.makes())["paths"][1]
    assert len(await entries(house, path)) == 100

    house.clock.set(THEN + KEEP_EVENTS_FOR)
    assert len(await entries(house, path)) == 100
    house.clock.set(THEN + KEEP_EVENTS_FOR + timedelta(seconds=1))
    assert await entries(house, path) == []
    await house.gathers()
    assert await house.sql("select from feed_event") == []
    await house.hears(changed(Status.MET, 121), at=THEN)
    assert await house.sql("select from feed_event") == [], "what is too old when it is heard is no news"


# The tables


async def test_what_was_planned_before_there_were_calendars_is_in_them(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    """
    The revision makes entries of the plans that it finds: open, met, withdrawn, and none of the undated.
    """
    url = await fresh_database({})
    await upgrade(url, "scheduler", VERSIONS, "0004")
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    plans = {
        "open": (END_OF_2021, False, "announced"),
        "met": (SUMMIT, True, "met"),
        "withdrawn": (SUMMIT, True, "withdrawn"),
        "undated": (milestone(None), False, "announced"),
    }
    async with database.connection() as connection:
        for name, (what, settled, overall) in plans.items():
            await connection.execute(
                "insert into commitment_state (commitment_id, overall, seq, countries) values ($1, $2, 0, '{}')",
                name,
                overall,
            )
            await connection.execute(
                "insert into milestone_plan (milestone_id, commitment_id, schedule_version, commitment, milestone,"
                " settled, scheduled_at) values ($1, $1, 3, $2, $3, $4, $5)",
                name,
                brief(name).model_dump(mode="json"),
                what.model_copy(update={"id": name}).model_dump(mode="json"),
                settled,
                THEN,
            )

    await upgrade(url, "scheduler", VERSIONS)

    async with database.connection() as connection:
        rows = await connection.fetch("select milestone_id, state, version, countries, changed_at from calendar_entry")
    await database.close()
    assert {row["milestone_id"]: row["state"] for row in rows} == {n: n for n in ("open", "met", "withdrawn")}
    assert {(row["version"], *row["countries"], row["changed_at"]) for row in rows} == {(3, "CA", "MX", "US", THEN)}


async def test_a_summit_goes_from_a_year_to_days_in_a_calendar(house: House) -> None:
    fuzzy = SUMMIT.model_copy(update={"reading": Reading.ON})
    exact = milestone(date(2023, 1, 10), id_="summit", earliest=date(2023, 1, 9), reading=Reading.ON)
    await house.hears(created(), scheduled(fuzzy))
    path = (await house.makes(language="fr"))["paths"][0]
    before = only((await house.reads(path)).content)

    await house.hears(scheduled(exact, 2, change="more-precise"))

    after = only((await house.reads(path)).content)
    assert before.summary.value == "No new public finance (date non fixée : 2022)"
    assert (before.status.value, after.status.value) == ("TENTATIVE", "CONFIRMED")
    assert (before.uid.value, after.sequence.value) == (after.uid.value, "1")
    assert days(after) == (date(2023, 1, 9), date(2023, 1, 10))
    assert UUID((await house.http.get("/feeds")).json()["items"][0]["id"]).version == 7
