"""A ladder that the scheduler has put aside: its subscription says so, and its reader is reminded all the same."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx2 as httpx
import pytest
from aiokafka import ConsumerRecord

from contracts.filters import Filters
from contracts.topics import LADDER_CHOSEN, MILESTONE_DUE
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.fan_out import FanOut, IncomingEvent
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.rendering.footer_reason import MatchedEvent, footer_reason
from services.notifier.subscriptions.refused_ladders import RefusedLadder, RefusedLadders, read
from services.plumbing.database import Database
from services.plumbing.ids import new_id
from services.plumbing.kafka.dead_letters import _dead_record, dead_letter
from tests.notifier.rendering.material import LANGUAGES, ONE_OF_EACH_KIND
from tests.notifier.scenes import MUCH_CAPACITY, NO_CAPACITY, NOW, published_ladders

LADDER = {"rungs": [{"step": "before-3bd", "at": "09:00"}], "holidays": None}
REASON = "there is no zone America/Nowhere"
SUBSCRIPTION = {
    "subscriber": "A desk",
    "channel": "email",
    "address": "desk@example.org",
    "ladder": LADDER,
    "filters": {"events": ["milestone-due"]},
}


def put_aside(key: bytes | None, value: bytes | None, reason: str = REASON) -> ConsumerRecord:
    """A choice as it lies in the dead-letter topic."""
    record: ConsumerRecord = ConsumerRecord("ladder-chosen", 0, 7, 0, 0, key, value, None, 0, 0, [("ce_id", b"1")])
    topic, key, value, headers = _dead_record("scheduler", dead_letter(record, ValueError(reason)))
    assert topic == LADDER_CHOSEN.dead
    return ConsumerRecord(topic, 0, 0, 0, 0, key, value, None, 0, 0, headers)


def reminder(audience: UUID | None = None) -> IncomingEvent:
    golden = ONE_OF_EACH_KIND["own-ladder-due" if audience else "milestone-due"]
    data = golden.data.model_copy(update={"subscription_id": audience} if audience else {})
    event = replace(golden, id=new_id(), value=data.model_dump_json().encode()).already_read(data)
    return IncomingEvent(event, 1, None, EVENT_TYPES[event.topic].traits(data), data.cause)


async def told(database: Database, event: IncomingEvent) -> int:
    """How many are told of an event."""
    out = await FanOut(database, lease_seconds=60).apply([event], NOW, NO_CAPACITY)
    return out.waiting


async def test_a_refused_ladder_is_shown_and_the_usual_reminders_come(database: Database, http: httpx.AsyncClient):
    made = (await http.post("/subscriptions", json=SUBSCRIPTION)).json()
    id_, (chosen,) = UUID(made["id"]), await published_ladders(database)
    assert made["ladder_refused"] is None
    assert (await told(database, reminder()), await told(database, reminder(id_))) == (0, 1)

    refused = read(put_aside(str(id_).encode(), chosen.model_dump_json().encode()))
    for _ in range(2):
        await RefusedLadders(database).apply([refused])

    shown = (await http.get(f"/subscriptions/{id_}")).json()
    assert (shown["ladder"], shown["ladder_refused"]) == (LADDER, REASON)
    assert (await told(database, reminder()), await told(database, reminder(id_))) == (1, 0)
    async with database.connection() as connection:
        await connection.execute("delete from delivery")
    assert await told(database, reminder()) == 1, "it waits for the others of its day"
    (delivery,) = await DeliveryClaims(database, lease_seconds=60).claim(NOW + timedelta(days=1), MUCH_CAPACITY)
    assert delivery.recipient.ladder_refused


async def test_a_ladder_that_is_chosen_anew_is_refused_by_nobody_yet(database: Database, http: httpx.AsyncClient):
    id_ = (await http.post("/subscriptions", json=SUBSCRIPTION)).json()["id"]
    await RefusedLadders(database).apply([RefusedLadder(UUID(id_), None, REASON)])

    kept = (await http.patch(f"/subscriptions/{id_}", json={"language": "fr"})).json()
    assert kept["ladder_refused"] == REASON
    changed = (await http.patch(f"/subscriptions/{id_}", json={"ladder": {"rungs": "-7d"}})).json()
    assert changed["ladder_refused"] is None

    await RefusedLadders(database).apply([RefusedLadder(UUID(id_), 1, REASON)])  # the first one, read late
    assert (await http.get(f"/subscriptions/{id_}")).json()["ladder_refused"] is None
    await RefusedLadders(database).apply([RefusedLadder(UUID(id_), 2, REASON)])
    assert (await http.get(f"/subscriptions/{id_}")).json()["ladder_refused"] == REASON


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"nobody", str(UUID(int=7)).encode()])
@pytest.mark.parametrize("value", [None, b"", b"\xff\x00", b"[" * 100_000, b'{"seq": "1"}', b'{"seq": 1e400}', b"7"])
async def test_whatever_lies_there_is_read(database: Database, key: bytes | None, value: bytes | None):
    refused = read(put_aside(key, value, "why\r\n\u202e" + "y" * 900))

    assert refused.seq is None
    assert refused.reason.startswith("why y")
    assert len(refused.reason) <= 300
    await RefusedLadders(database).apply([refused])


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_reminder_says_that_it_is_a_usual_one(language: str):
    event = ONE_OF_EACH_KIND["milestone-due"]
    matched = MatchedEvent(MILESTONE_DUE.name, frozenset(), event.data.commitment)
    usual = footer_reason(Filters(), matched, language)
    refused = footer_reason(Filters(), matched, language, ladder_refused=True)

    assert refused.startswith(usual)
    assert len(refused) > len(usual) + 40
    other = MatchedEvent("status-changed", frozenset(), event.data.commitment)
    assert footer_reason(Filters(), other, language, ladder_refused=True) == usual
