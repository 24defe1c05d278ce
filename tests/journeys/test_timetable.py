"""The main job, told as a timetable: what is due when, who is told of it, in which words, and who is left in peace."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.cli.fleet import SERVICES
from services.registry.catalogue.contents import Catalogue, Commitment
from services.registry.catalogue.loading import load
from tests.journeys.instance import BOUND, LiveInstance, on

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COAL = "nals-2021-coal-finance"
DEMOCRACY = "nals-2021-summit-for-democracy"
AMERICAS = "nals-2021-summit-of-the-americas"
NEXT_SUMMIT = "nals-2021-next-summit"
SUBSIDIES = "nals-2021-fossil-subsidies-canada"

READERS: dict[str, tuple[str, str, dict[str, list[str]]]] = {
    "wire": ("webhook", "en", {}),
    "washington": ("email", "en", {"commitments": [COAL]}),
    "mexico": ("email", "es", {"commitments": [COAL]}),
    "ottawa": ("email", "fr", {"commitments": [COAL]}),
    "canada": ("slack", "fr", {"parties": ["CA"], "events": ["commitment-created"]}),
    "nature": ("email", "es", {"themes": ["nature"]}),
    "summits": ("teams", "fr", {"sections": ["road-to-the-summits"]}),
    "reminders": ("slack", "es", {"events": ["milestone-due"]}),
    "angeles": ("slack", "en", {"commitments": [AMERICAS]}),
    "cumbre": ("email", "es", {"commitments": [NEXT_SUMMIT]}),
}
"""Channel, language and filters of each."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture
async def furnished(instance: LiveInstance) -> LiveInstance:
    """The instance with its readers and the statement, so that each test may also run alone."""
    if not await instance.observer.connection.fetchval("select exists (select from notifier.subscription)"):
        for name, (channel, language, filters) in READERS.items():
            await instance.subscribe(channel, name, language=language, **filters)
        await instance.import_statement()
    return instance


@pytest.fixture(scope="module")
def plain(catalogue: Catalogue) -> "Iterable[str]":
    """Commitments without milestones, each for one test: a status there changes nothing else."""
    return iter([one.id for one in catalogue.commitments if not one.milestones and "MX" in BOUND[one.id]])


def asked(name: str, topic: str, commitment: Commitment) -> bool:
    """Whether a reader has asked for this; all filters have to agree, and an absent one asks for everything."""
    filters = READERS[name][2]
    about = {
        "events": {topic},
        "parties": set(commitment.parties),
        "themes": set(commitment.themes),
        "sections": {commitment.section},
        "commitments": {commitment.id},
    }
    return all(about[kind] & set(terms) for kind, terms in filters.items())


async def test_the_statement_is_told_to_those_who_asked_in_their_language_once(
    furnished: LiveInstance, catalogue: Catalogue
) -> None:
    instance = furnished
    told = [("commitment-created", c) for c in catalogue.commitments]
    told += [("milestone-scheduled", c) for c in catalogue.commitments for _ in c.milestones]
    owed = {name: [(topic, c) for topic, c in told if asked(name, topic, c)] for name in READERS}
    assert {name: len(events) for name, events in owed.items()} == {
        "wire": 99, "washington": 2, "mexico": 2, "ottawa": 2, "canada": 87, "nature": 5, "summits": 11,
        "reminders": 0, "angeles": 2, "cumbre": 2,
    }  # fmt: skip

    messages = {name: await instance.read(name) for name in READERS}

    assert Counter(m.commitment_id for m in messages["wire"]) == Counter(c.id for _, c in owed["wire"])
    titles = {c.id: c.title for c in catalogue.commitments}
    for name, (channel, language, _) in READERS.items():
        if channel == "webhook":
            continue
        # One import is one message; the longest lists are cut, and link to the page that has all.
        assert len(messages[name]) == bool(owed[name]), name
        for message in messages[name]:
            missing = {c.id for _, c in owed[name] if titles[c.id].in_language(language).text not in message.text}
            assert not missing or len(owed[name]) > 9, (name, missing)
            if channel == "email":
                assert message.headers["content-language"] == language
    receipts = await instance.observer.connection.fetch(
        "select s.subscriber, coalesce(d.message, d.id)::text as message, count(*) as n from notifier.delivery d"
        " join notifier.subscription s on s.id = d.subscription_id group by 1, 2"
    )
    by_message = {row["message"]: (row["subscriber"], row["n"]) for row in receipts}
    for name, received in messages.items():
        told_in = [by_message[m.delivery_id] for m in received]
        assert {who for who, _ in told_in} <= {f"Ministry of {name}"}
        assert sum(n for _, n in told_in) == len(owed[name]), "each event's receipt names the message that carried it"
    deliveries = [m.delivery_id for received in messages.values() for m in received]
    assert len(deliveries) == len(set(deliveries)) == len(by_message)
    await instance.assert_nothing_lost()


async def test_importing_again_tells_nobody(furnished: LiveInstance) -> None:
    instance = furnished
    await instance.begin(on(2021, 11, 19))

    again = (await instance.import_statement()).json()

    assert (again["commitments"], again["created"], again["scheduled"]) == (88, 0, 0)
    await instance.expect_nothing(*READERS)


async def test_the_same_request_again_is_the_same_update(furnished: LiveInstance, plain: Any) -> None:
    instance, commitment, key = furnished, next(plain), str(uuid4())
    await instance.begin(on(2021, 11, 19))

    first, second = [await instance.post_status(commitment, "in-progress", key=key) for _ in range(2)]
    other = await instance.post_status(commitment, "at-risk", key=key)
    stale = await instance.post_status(commitment, "at-risk", expected_version=1)
    await instance.rest()

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert (other.status_code, other.headers["content-type"]) == (422, "application/problem+json")
    assert (stale.status_code, stale.headers["content-type"]) == (409, "application/problem+json")
    assert stale.json()["type"] == "/problems/version-conflict"
    assert stale.json()["current_version"] == first.json()["version"] == 2
    await instance.expect_event("wire", "status-changed", commitment, status="in-progress", version=2)
    await instance.expect_nothing(*READERS)


async def test_a_report_that_a_ministry_sends_twice_is_heard_once(furnished: LiveInstance, plain: Any) -> None:
    instance, commitment, report_id, next_report = furnished, next(plain), uuid4(), uuid4()
    await instance.begin(on(2021, 11, 19))

    for _ in range(2):
        await instance.report_over_kafka("mx-sre", commitment, "in-progress", report_id=report_id, note="Ya empezó.")
    # Behind the two in the same partition: once it is heard, both have been.
    await instance.report_over_kafka("mx-sre", commitment, "at-risk", report_id=next_report)
    await instance.report_taken_in(next_report)

    told = [message.event["data"] for message in await instance.read("wire")]
    assert [(data["status"], data["seq"]) for data in told] == [("in-progress", 1), ("at-risk", 2)]
    reporter = told[0]["reported_by"]
    assert (reporter["client"], reporter["ministry"]) == ("mx-sre", "mx-sre")
    assert reporter["ministry_name"]["es"] == "Secretaría de Relaciones Exteriores de México"
    assert len((await instance.status_of(commitment))["status_updates"]) == 2
    assert await instance.read_topic("status-reported-mx-sre-dead") == []


async def test_the_thread_of_a_request_reaches_the_record_and_the_delivery(furnished: LiveInstance, plain: Any) -> None:
    instance, commitment = furnished, next(plain)
    await instance.begin(on(2021, 11, 20))
    thread = {
        "X-Correlation-Id": "memo-4711",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }

    answer = await instance.post_status(commitment, "in-progress", thread=thread)
    await instance.rest()

    assert answer.headers["x-correlation-id"] == "memo-4711"
    records = [dict(record.headers) for record in await instance.read_topic("status-changed")]
    (record,) = [r for r in records if r["ce_id"].decode() == answer.json()["event_id"]]
    assert record["ce_correlationid"] == b"memo-4711"
    assert trace_of(record["ce_traceparent"].decode()) == trace_of(thread["traceparent"])
    (delivered,) = await instance.read("wire")
    assert delivered.event["correlationid"] == "memo-4711"
    assert trace_of(delivered.event["traceparent"]) == trace_of(thread["traceparent"])


def trace_of(traceparent: str) -> str:
    """The id of the trace; the span's may be another at each station."""
    return traceparent.split("-")[1]


async def test_the_pages_show_the_status_and_its_history_and_nobody_who_was_told(
    furnished: LiveInstance, plain: Any
) -> None:
    instance, commitment = furnished, next(plain)
    await instance.begin(on(2021, 11, 20))
    await instance.subscribe("email", "minister", commitments=[commitment])
    stream = asyncio.create_task(live(instance, commitment, "status-changed"))

    posted = await instance.tell_status(commitment, "at-risk", note="The bill waits in committee.")
    await instance.expect_mail(to="minister", subject=" at risk: ")

    page = await instance.http.get(
        f"{instance.url('portal')}/commitments/{commitment}", headers={"Accept-Language": "en"}
    )
    assert page.status_code == 200
    shown = " ".join(re.sub(r"<[^>]*>", " ", page.text).split())
    _, _, reported = shown.partition("What has been reported")
    assert "Announced → then At risk The bill waits in committee. Reported by the register’s editors" in reported
    assert "minister" not in page.text, "who gets what is for owners and operators"
    async with asyncio.timeout(20):
        heard = await stream
    assert (heard["event_id"], heard["commitment"]) == (posted["event_id"], commitment)
    assert "The bill waits in committee." in heard["detail"]


async def live(instance: LiveInstance, commitment: str, topic: str) -> dict[str, Any]:
    """The first event of a topic on the live stream of a commitment."""
    url = f"{instance.url('portal')}/events"
    async with instance.http.stream("GET", url, params={"commitment": commitment, "lang": "en"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        named = ""
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                named = value
            elif name == "data" and named == topic:
                found: dict[str, Any] = json.loads(value)
                return found
    raise AssertionError("the stream ended")


async def test_a_receiver_that_fails_gets_the_same_message_again_at_the_times_of_the_table(
    furnished: LiveInstance, plain: Any
) -> None:
    instance, commitment = furnished, next(plain)
    await instance.begin(on(2021, 11, 21))
    made = await instance.subscribe("webhook", "weary", commitments=[commitment])
    await instance.behave("webhook", "weary", fail_first=2)

    await instance.tell_status(commitment, "in-progress")
    first_retry = await expect_retry(instance, made["id"], attempts=1, seconds=5)
    await instance.at(first_retry - timedelta(milliseconds=1))
    assert len(await instance.refusals("weary")) == 1

    await instance.at(first_retry)
    second_retry = await expect_retry(instance, made["id"], attempts=2, seconds=300)
    await instance.at(second_retry - timedelta(milliseconds=1))
    first, second = await instance.refusals("weary")
    await instance.expect_nothing("weary")

    # Signatures count whole seconds: in the next one a fresh signature differs from a kept one.
    await asyncio.sleep(int(second["at"]) + 1.01 - time.time())
    await instance.at(second_retry)
    (message,) = await instance.read("weary")
    assert message.headers["webhook-id"] == message.delivery_id == first["delivery_id"] == second["delivery_id"]
    assert int(message.headers["webhook-timestamp"]) > second["at"]
    delivery = await instance.http.get(
        f"{instance.url('notifier')}/deliveries/{message.delivery_id}", headers=instance.headers
    )
    assert (delivery.json()["state"], delivery.json()["attempts"]) == ("delivered", 3)
    assert [(one["outcome"], one["code"]) for one in delivery.json()["tries"]] == [
        ("refused", 503),
        ("refused", 503),
        ("delivered", 204),
    ]


async def expect_retry(instance: LiveInstance, subscription: str, *, attempts: int, seconds: float) -> datetime:
    """When the one delivery of a subscription is tried again: the table's time from now, a fifth more or less."""
    answer = await instance.http.get(
        f"{instance.url('notifier')}/deliveries", params={"subscription": subscription}, headers=instance.headers
    )
    (found,) = answer.json()["items"]
    assert (found["state"], found["attempts"]) == ("pending", attempts)
    at = datetime.fromisoformat(found["next_at"])
    assert 0.8 * seconds <= (at - instance.now).total_seconds() <= 1.2 * seconds
    return at


async def test_a_receiver_that_is_gone_is_left_in_peace(furnished: LiveInstance, plain: Any) -> None:
    instance, commitment = furnished, next(plain)
    await instance.begin(on(2021, 11, 21) + timedelta(hours=1))
    made = await instance.subscribe("webhook", "gone", commitments=[commitment])
    await instance.behave("webhook", "gone", fail_first=None, status=410)

    await instance.tell_status(commitment, "in-progress")
    await instance.tell_status(commitment, "at-risk")

    assert [refusal["status"] for refusal in await instance.refusals("gone")] == [410]
    found = await instance.http.get(f"{instance.url('notifier')}/subscriptions/{made['id']}", headers=instance.headers)
    assert found.json()["state"] == "disabled"
    assert [m.event["data"]["status"] for m in await instance.read("wire")] == ["in-progress", "at-risk"]


async def test_one_click_in_a_mail_ends_it_for_its_reader_and_nobody_else(furnished: LiveInstance, plain: Any) -> None:
    instance, commitment = furnished, next(plain)
    await instance.begin(on(2021, 11, 22))
    for name in ("leaver", "stayer"):
        await instance.subscribe("email", name, commitments=[commitment])
    await instance.tell_status(commitment, "in-progress")
    mail = await instance.expect_mail(to="leaver", subject=" in progress: ")
    await instance.expect_mail(to="stayer", subject=" in progress: ")
    for own in [url for url in mail.links if url.startswith((instance.url("portal"), instance.url("notifier")))]:
        assert (await instance.http.get(own)).status_code in (200, 303), own  # to unsubscribe one is led to the portal
    assert mail.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    link = mail.headers["list-unsubscribe"].strip("<>")

    # Every link has been opened, as scanners do; that has changed nothing.
    await instance.tell_status(commitment, "at-risk")
    await instance.expect_mail(to="leaver", subject=" at risk: ")
    await instance.expect_mail(to="stayer", subject=" at risk: ")

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    clicked = await instance.http.post(link, content="List-Unsubscribe=One-Click", headers=form)
    again = await instance.http.post(link, content="List-Unsubscribe=One-Click", headers=form)
    await instance.tell_status(commitment, "in-progress")
    assert (clicked.status_code, again.status_code) == (200, 200)
    await instance.expect_nothing("leaver")
    await instance.expect_mail(to="stayer", subject=" in progress: ")
    forged = f"{link[:-3]}{'abc' if link[-3:] != 'abc' else 'xyz'}"
    assert (await instance.http.post(forged, headers=form)).status_code == 404


async def test_coal_finance_climbs_its_ladder_in_three_languages(furnished: LiveInstance) -> None:
    instance = furnished
    await instance.begin(on(2021, 11, 30))

    await instance.at(on(2021, 12, 1))
    await coal_is_due(instance, "ahead", 30, "In 30 days", "En 30 días", "Dans 30 jours")
    await instance.at(on(2021, 12, 2))
    await coal_is_silent(instance)
    await instance.at(on(2021, 12, 23))
    await coal_is_silent(instance)
    await instance.at(on(2021, 12, 24))
    await coal_is_due(instance, "ahead", 7, "In 7 days", "En 7 días", "Dans 7 jours")
    await instance.at(on(2021, 12, 29))
    await coal_is_silent(instance)
    await instance.at(on(2021, 12, 30))
    await coal_is_due(instance, "ahead", 1, "In 1 day", "En 1 día", "Dans 1 jour")
    await instance.at(on(2021, 12, 31))
    await coal_is_due(instance, "today", 0, "Today", "Hoy", "Aujourd’hui")
    await instance.at(on(2022, 1, 1))
    await coal_is_due(instance, "overdue", 1, "Overdue by 1 day", "Vencido hace 1 día", "En retard de 1 jour")
    await instance.at(on(2022, 1, 2))
    await coal_is_silent(instance)
    await instance.at(on(2022, 1, 7))
    await coal_is_due(instance, "overdue", 7, "Overdue by 7 days", "Vencido hace 7 días", "En retard de 7 jours")
    await instance.at(on(2022, 1, 8))
    await coal_is_silent(instance)
    await instance.assert_nothing_lost()


async def coal_is_due(instance: LiveInstance, phase: str, days: int, english: str, spanish: str, french: str) -> None:
    """Today's reminder, and none else, has gone to the wire and to each capital, in its language."""
    due = await instance.expect_event(
        "wire", "milestone-due", COAL, phase=phase, days=days, late=False, merged_steps=[]
    )
    nine_in_mexico_city = instance.now.replace(hour=15, minute=0)  # the quarter of an hour is that of the mails
    assert nine_in_mexico_city <= datetime.fromisoformat(due["due_at"]) < nine_in_mexico_city + timedelta(minutes=15)
    for capital, words in (("washington", english), ("mexico", spanish), ("ottawa", french)):
        mail = await instance.expect_mail(to=capital, subject=words)
        assert words in mail.text
    await coal_is_silent(instance)


async def coal_is_silent(instance: LiveInstance) -> None:
    await instance.expect_nothing("washington", "mexico", "ottawa")
    await instance.expect_nothing("wire", about=COAL)


async def test_a_summit_whose_date_becomes_precise_is_told_once_and_the_old_dates_never_come(
    furnished: LiveInstance,
) -> None:
    instance = furnished
    await instance.begin(on(2022, 1, 17))

    await instance.at(on(2022, 1, 18))
    moved = await instance.move_anchor("summit-of-the-americas-2022", "2022-06", source="White House release")
    assert (moved["change"], len(moved["rescheduled"])) == ("more-precise", 1)
    card = await instance.expect_card("angeles", "Exact date: The three governments participate")
    assert "in summer 2022, that is by August 31, 2022 → in June 2022, that is by June 30, 2022" in card.text
    await instance.expect_nothing("angeles")

    await instance.at(on(2022, 1, 19))
    same = await instance.move_anchor("summit-of-the-americas-2022", "2022-06", source="Another office says so too")
    assert (same["change"], same["rescheduled"]) == ("unchanged", [])
    await instance.expect_nothing("angeles")

    await instance.at(on(2022, 1, 20))
    await instance.read("wire")
    await instance.move_anchor(
        "summit-of-the-americas-2022", "2022-06-06/2022-06-10", source="Press call of 2022-01-20"
    )
    event = await instance.expect_event(
        "wire", "milestone-scheduled", AMERICAS, change="more-precise", schedule_version=3
    )
    assert (event["previous"]["edtf"], event["milestone"]["span"]["edtf"]) == ("2022-06", "2022-06-06/2022-06-10")
    card = await instance.expect_card("angeles", "Exact date: The three governments participate")
    assert "in June 2022, that is by June 30, 2022 → Jun 6\u2009–\u200910, 2022" in card.text
    assert "Press call of 2022-01-20" in card.text

    for when, phase, days in AMERICAS_TIMETABLE:
        await instance.at(when)
        if phase:
            await instance.expect_event("wire", "milestone-due", AMERICAS, phase=phase, days=days, schedule_version=3)
            await instance.expect_card("angeles", "The three governments participate in the Summit of the Americas")
        await instance.expect_nothing("angeles")
        await instance.expect_nothing("wire", about=AMERICAS)


AMERICAS_TIMETABLE: list[tuple[datetime, str | None, int]] = [
    (on(2022, 3, 8), "ahead", 90),
    (on(2022, 4, 1), None, 0),  # 90 days before the end of June
    (on(2022, 5, 7), "ahead", 30),
    (on(2022, 5, 30), "ahead", 7),
    (on(2022, 5, 31), None, 0),  # 30 days before the end of June
    (on(2022, 6, 2), None, 0),  # 90 days before the end of the summer
    (on(2022, 6, 5), "ahead", 1),
    (on(2022, 6, 6), "today", 0),
    (on(2022, 6, 10), None, 0),  # it is still on
    (on(2022, 6, 11), "asked", 1),
    (on(2022, 6, 17), "asked", 7),
    (on(2022, 6, 23), None, 0),  # 7 days before the end of June
    (on(2022, 6, 29), None, 0),
    (on(2022, 6, 30), None, 0),
    (on(2022, 7, 10), "asked", 30),
    (on(2022, 8, 1), None, 0),  # 30 days before the end of the summer
]


async def test_when_all_parties_have_met_it_there_are_no_reminders_any_more(furnished: LiveInstance) -> None:
    instance = furnished
    await instance.begin(on(2022, 8, 1))
    await instance.tell_status(DEMOCRACY, "met", party="CA")
    await instance.tell_status(DEMOCRACY, "met", party="MX")
    await instance.read_all()

    assert await instance.reminders_ahead(DEMOCRACY) == 1

    await instance.tell_status(DEMOCRACY, "met", party="US")
    await instance.expect_event("wire", "status-changed", DEMOCRACY, party="US", overall="met")
    assert await instance.reminders_ahead(DEMOCRACY) == 0
    await instance.at(on(2022, 9, 6))
    await instance.expect_nothing("wire", about=DEMOCRACY)


async def test_what_came_due_while_the_scheduler_was_down_is_told_once_and_late(furnished: LiveInstance) -> None:
    instance = furnished
    await instance.begin(on(2022, 9, 30))
    instance.fleet.stop("scheduler")
    instance.clock.set(on(2022, 10, 2))
    instance.clock.set(on(2022, 12, 1))
    instance.clock.set(on(2022, 12, 5))
    instance.fleet.start("scheduler")
    await asyncio.to_thread(instance.fleet.wait_ready, "scheduler")
    await instance.rest()

    await instance.expect_event(
        "wire", "milestone-due", NEXT_SUMMIT,
        phase="ahead", days=26, step="before-30d", late=True, merged_steps=["before-90d"],
    )  # fmt: skip
    mail = await instance.expect_mail(to="cumbre", subject="En 26 días: ")
    assert "90 días antes" in mail.text
    await instance.expect_nothing("cumbre")
    await instance.expect_nothing("wire", about=NEXT_SUMMIT)


async def test_a_summit_that_moves_is_told_with_before_after_and_source_and_counts_from_its_new_day(
    furnished: LiveInstance,
) -> None:
    instance = furnished
    await instance.begin(on(2023, 1, 9))

    await instance.at(datetime(2023, 1, 10, 12, tzinfo=UTC))
    moved = await instance.move_anchor("nals-2022", "2023-01-10", source="Casa Blanca, 2023-01-10")
    assert moved["change"] == "moved"
    event = await instance.expect_event("wire", "milestone-scheduled", NEXT_SUMMIT, change="moved", schedule_version=2)
    assert (event["previous"]["edtf"], event["milestone"]["span"]["edtf"]) == ("2022", "2023-01-10")
    mail = await instance.expect_mail(to="cumbre", subject="Nueva fecha 10 ene 2023: ")
    assert "10 de enero de 2023" in mail.text
    assert "Casa Blanca, 2023-01-10" in mail.text
    # "1 day before" lies behind now, was never told, and is told once.
    await instance.expect_event(
        "wire", "milestone-due", NEXT_SUMMIT, step="before-1d", phase="today", late=True, schedule_version=2
    )
    await instance.expect_mail(to="cumbre", subject="Hoy: ")
    await instance.expect_nothing("cumbre")

    await instance.move_anchor("nals-2022", "2023-01-10", source="Presidencia de México")
    await instance.expect_nothing("cumbre")

    for when, phase, days, told in (
        (on(2023, 1, 10), "today", 0, "Hoy: "),
        (on(2023, 1, 11), "asked", 1, "¿Ya se celebró?"),
        (on(2023, 1, 17), "asked", 7, "¿Ya se celebró?"),
        (on(2023, 1, 30), None, 0, ""),  # 30 days after the end of 2022
        (on(2023, 2, 9), "asked", 30, "¿Ya se celebró?"),
    ):
        await instance.at(when)
        if phase:
            await instance.expect_event(
                "wire", "milestone-due", NEXT_SUMMIT, phase=phase, days=days, schedule_version=2
            )
            mail = await instance.expect_mail(to="cumbre", subject=told)
            assert "10 de enero de 2023" in mail.text
        await instance.expect_nothing("cumbre")
        await instance.expect_nothing("wire", about=NEXT_SUMMIT)


async def test_what_is_withdrawn_is_not_reminded_of(furnished: LiveInstance) -> None:
    instance = furnished
    await instance.begin(on(2023, 10, 1))

    await instance.at(on(2023, 10, 2))
    await instance.expect_event("wire", "milestone-due", SUBSIDIES, phase="ahead", days=90)
    await instance.tell_status(SUBSIDIES, "withdrawn")
    await instance.expect_event("wire", "status-changed", SUBSIDIES, status="withdrawn")
    assert await instance.reminders_ahead(SUBSIDIES) == 0

    await instance.at(on(2023, 12, 1))
    await instance.expect_nothing("wire", about=SUBSIDIES)
    await instance.at(on(2023, 12, 31))
    await instance.expect_nothing("wire", about=SUBSIDIES)
    await instance.assert_nothing_lost()


BUS = {
    "pledgewire_events_published", "pledgewire_outbox_unpublished", "pledgewire_events_consumed",
    "pledgewire_consumer_lag", "pledgewire_dead_letters", "pledgewire_dead_letter_depth",
    "pledgewire_partition_stands_seconds", "pledgewire_oldest_waiting_seconds", "pledgewire_sending_closed",
    "pledgewire_recovery_held",
}  # fmt: skip
METRICS = {
    "registry": BUS,
    "scheduler": BUS
    | {"pledgewire_reminders_fired", "pledgewire_due_to_outbox_seconds", "pledgewire_tick_age_seconds"},
    "notifier": BUS
    | {
        "pledgewire_deliveries",
        "pledgewire_attempts",
        "pledgewire_delivery_latency_seconds",
        "pledgewire_reminder_due_to_sent_seconds",
        "pledgewire_queue_depth",
        "pledgewire_sending_stopped",
        "pledgewire_sending_held",
        "pledgewire_silences",
    },
    "portal": {"pledgewire_feed_events", "pledgewire_feed_readers"},
}


async def test_each_service_counts_what_happens_and_nothing_else(furnished: LiveInstance, plain: Any) -> None:
    """
    A status update, which one receiver refuses at first: every figure that it concerns moves, by as much as it should.
    """
    instance, commitment = furnished, next(plain)
    await instance.begin(on(2024, 1, 10))
    made = await instance.subscribe("webhook", "counting", commitments=[commitment])
    await instance.behave("webhook", "counting", fail_first=1)
    await instance.expect_metric("notifier", "pledgewire_queue_depth", "pending", 0)
    await instance.logs_told()
    before, arrived = {name: await instance.metrics(name) for name in SERVICES}, len(await instance.arrivals())

    await instance.tell_status(commitment, "in-progress")
    retry = await expect_retry(instance, made["id"], attempts=1, seconds=5)
    await instance.expect_metric("notifier", "pledgewire_queue_depth", "pending", 1)
    await instance.at(retry)
    await instance.expect_metric("notifier", "pledgewire_queue_depth", "pending", 0)

    await instance.logs_told()
    came = len(await instance.arrivals()) - arrived
    after = {name: await instance.metrics(name) for name in SERVICES}

    def moved(service: str, name: str) -> dict[str, float]:
        return after[service].moved(f"pledgewire_{name}", before[service])

    # The news, the state that it makes, and the head of the log that tells who changed it.
    assert moved("registry", "events_published") == {
        "status-changed": 1,
        "commitment-state": 1,
        "audit-head-registry": 1,
    }
    assert moved("scheduler", "events_consumed") == moved("notifier", "events_consumed") == {"status-changed": 1}
    assert moved("scheduler", "events_published") == moved("scheduler", "reminders_fired") == {}
    assert moved("notifier", "events_published") == {"delivery-settled": 2}  # at first, and after the second attempt
    ended, attempts = moved("notifier", "deliveries"), moved("notifier", "attempts")
    assert {labels.split()[1] for labels in ended} == {"delivered"}
    assert sum(ended.values()) == moved("notifier", "delivery_latency_seconds")["count"] == came
    assert attempts.pop("webhook refused") == 1
    assert sum(attempts.values()) == came
    for name in SERVICES:
        if name != "portal":
            assert moved(name, "dead_letters") == moved(name, "dead_letter_depth") == {}


async def test_a_reminder_is_counted_by_all_through_whose_hands_it_goes(furnished: LiveInstance) -> None:
    """
    What the scheduler fires is what it publishes, what the notifier hears and what its receivers get in time.
    """
    instance = furnished
    await instance.begin(on(2024, 1, 11))
    listed = await instance.http.get(f"{instance.url('scheduler')}/reminders", params={"state": "pending", "limit": 1})
    [reminder] = listed.json()["items"]
    before = {name: await instance.metrics(name) for name in SERVICES}

    await instance.at(datetime.fromisoformat(reminder["due_at"]))

    after = {name: await instance.metrics(name) for name in SERVICES}

    def moved(service: str, name: str) -> dict[str, float]:
        return after[service].moved(f"pledgewire_{name}", before[service])

    fired = sum(moved("scheduler", "reminders_fired").values())
    assert fired >= 1
    assert moved("scheduler", "events_published")["milestone-due"] == fired
    assert moved("notifier", "events_consumed")["milestone-due"] == fired
    assert moved("notifier", "reminder_due_to_sent_seconds")["count"] >= 1


async def test_the_portal_counts_who_listens(furnished: LiveInstance) -> None:
    instance, feed = furnished, f"{furnished.url('portal')}/events"
    async with instance.http.stream("GET", feed) as first, instance.http.stream("GET", feed) as second:
        assert (first.status_code, second.status_code) == (200, 200)
        await instance.expect_metric("portal", "pledgewire_feed_readers", "", 2)
    await instance.expect_metric("portal", "pledgewire_feed_readers", "", 0)


@pytest.mark.parametrize("service", SERVICES)
async def test_each_service_says_how_it_is(furnished: LiveInstance, service: str) -> None:
    instance = furnished
    await instance.rest()

    alive = await instance.http.get(f"{instance.url(service)}/livez")
    ready = await instance.http.get(f"{instance.admin_url(service)}/readyz")
    metrics = (await instance.metrics(service)).values

    assert (alive.status_code, alive.json()) == (200, {"status": "alive", "service": service})
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert set(ready.json()["checks"].values()) == {"ok"}
    assert METRICS[service] - set(metrics) == set()
    match service:
        case "registry":
            assert metrics["pledgewire_events_published"]["commitment-created"] == 88
        case "scheduler":
            assert metrics["pledgewire_tick_age_seconds"][""] < 5
        case "notifier":
            assert metrics["pledgewire_deliveries"]["webhook delivered"] >= 98
            await instance.expect_metric(service, "pledgewire_consumer_lag", "notifier 0 milestone-due", 0.0)
            assert metrics["pledgewire_dead_letters"] == {}
