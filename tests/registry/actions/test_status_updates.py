"""Status updates on a real PostgreSQL: recorded with their event as one, in order and without a gap."""

import asyncio

from contracts.events import StatusChanged
from contracts.vocabulary import Country, Status
from tests.registry.scenes import NOW, Register


async def test_an_update_is_answered_recorded_and_announced_as_one(register: Register, joint: str) -> None:
    answer = await register.report(joint, status="met", country="CA", note="done", expected_version=1)
    assert answer.status_code == 201
    ((envelope, event),) = await register.events("status-changed")
    assert isinstance(event, StatusChanged)
    assert answer.json()["event_id"] == str(envelope.id)
    assert (answer.json()["version"], event.version, event.seq) == (2, 2, 1)
    assert (event.country, event.previous, event.status) == (Country.CA, Status.ANNOUNCED, Status.MET)
    assert (event.overall, envelope.time) == (Status.PARTLY_MET, NOW)
    assert envelope.correlation_id == answer.headers["x-correlation-id"]
    assert envelope.traceparent
    standing = {s["country"]: s["status"] for s in (await register.get(f"/commitments/{joint}"))["country_statuses"]}
    assert standing == {"CA": "met", "MX": "announced", "US": "announced"}


async def test_when_the_countries_agree_again_the_whole_has_it(register: Register, joint: str) -> None:
    for country in ("CA", "MX", "US"):
        assert (await register.report(joint, status="met", country=country)).status_code == 201
    assert [e.overall for _, e in await register.events("status-changed")] == ["partly-met", "partly-met", "met"]
    assert await register.count("commitment_country_status") == 0


async def test_of_many_with_one_expected_version_one_wins(register: Register, joint: str) -> None:
    answers = await asyncio.gather(
        *(register.report(joint, status="in-progress", note=str(n), expected_version=1) for n in range(8))
    )
    assert sorted(a.status_code for a in answers) == [201] + [409] * 7
    assert {a.json()["current_version"] for a in answers if a.status_code == 409} == {2}


async def test_seq_and_version_have_no_gap_under_concurrency(register: Register) -> None:
    ids = [item["id"] for item in (await register.get("/commitments", limit=3))["items"]]
    answers = await asyncio.gather(*(register.report(ids[n % 3], status="in-progress", note=str(n)) for n in range(45)))
    assert {a.status_code for a in answers} == {201}
    events = [event for _, event in await register.events("status-changed")]
    for commitment_id in ids:
        mine = [e for e in events if e.commitment.id == commitment_id]
        assert [e.seq for e in mine] == list(range(1, 16)), "in the order of the outbox"
        assert [e.version for e in mine] == list(range(2, 17))
