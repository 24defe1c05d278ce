"""Status updates on a real PostgreSQL: recorded with their event as one, in order and without a gap."""

import asyncio
from typing import Any

import pytest

from contracts.events import StatusChanged
from contracts.vocabulary import Status
from tests.registry.scenes import NOW, Register, pointed_at


async def test_an_update_is_answered_recorded_and_announced_as_one(register: Register, joint: str) -> None:
    answer = await register.report(joint, status="met", party="CA", note="done", expected_version=1)
    assert answer.status_code == 201
    ((envelope, event),) = await register.events("status-changed")
    assert isinstance(event, StatusChanged)
    assert answer.json()["event_id"] == str(envelope.id)
    assert (answer.json()["version"], event.version, event.seq) == (2, 2, 1)
    assert (event.party, event.previous, event.status) == ("CA", Status.ANNOUNCED, Status.MET)
    assert (event.overall, envelope.time) == (Status.PARTLY_MET, NOW)
    assert envelope.correlation_id == answer.headers["x-correlation-id"]
    assert envelope.traceparent
    standing = {s["party"]: s["status"] for s in (await register.get(f"/commitments/{joint}"))["party_statuses"]}
    assert standing == {"CA": "met", "MX": "announced", "US": "announced"}


async def test_when_the_parties_agree_again_the_whole_has_it(register: Register, joint: str) -> None:
    for party in ("CA", "MX", "US"):
        assert (await register.report(joint, status="met", party=party)).status_code == 201
    assert [e.overall for _, e in await register.events("status-changed")] == ["partly-met", "partly-met", "met"]
    assert await register.count("commitment_party_status") == 0


@pytest.mark.parametrize(
    ("party", "kind"),
    [("XX", "unknown-party"), ("org-african-union", "unknown-party"), ("BR", "party-not-bound")],
)
async def test_only_a_party_that_is_bound_has_a_status(register: Register, joint: str, party: str, kind: str) -> None:
    answer = await register.report(joint, status="met", party=party)

    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}")
    assert pointed_at(answer) == "#/party"
    assert await register.count("status_update") == 0


async def test_a_status_of_a_later_release_is_shown_and_left_to_it(register: Register, joint: str) -> None:
    """While an older registry runs beside a newer one, it reads what that wrote."""
    async with register.database.connection() as connection:
        await connection.execute("update commitment set status = 'suspended' where id = $1", joint)
        await connection.execute(
            "insert into commitment_party_status values ($1, 'CA', 'suspended'), ($1, 'MX', 'met')", joint
        )

    record = await register.get(f"/commitments/{joint}")
    (entry, *_) = (await register.get("/commitments", limit=1))["items"]
    assert record["status"] == entry["status"] == "suspended"
    assert [one["status"] for one in record["party_statuses"]] == ["suspended", "met", "suspended"]
    refused = await register.report(joint, status="met", party="CA")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/status-not-allowed")
    assert "suspended" in refused.json()["detail"]


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


@pytest.mark.parametrize(
    ("by", "body", "status", "kind"),
    [
        ("ca", {"status": "in-progress", "party": "MX"}, 403, "not-your-party"),
        ("ca", {"status": "withdrawn", "party": "MX", "note": "why"}, 403, "not-your-party"),
        ("voiceless", {"status": "in-progress", "party": "MX"}, 403, "forbidden"),
        ("desk", {"status": "in-progress"}, 422, "refused-by-rule"),
        ("mx", {"status": "met", "evidence": None}, 422, "evidence-needed"),
        ("mx", {"status": "in-progress", "occurred_at": "2022-03-22T15:00:00Z"}, 422, "refused-by-rule"),
        ("mx", {"status": "in-progress", "reported_at": "2022-03-20T15:00:00Z", "expected_version": 7}, 409,
         "version-conflict"),
    ],
)  # fmt: skip
async def test_what_is_refused_has_no_side_effect(
    register: Register, joint: str, by: str, body: dict[str, Any], status: int, kind: str
) -> None:
    """Ministry B doesn't touch what is A's, by whichever words."""
    before = await register.get(f"/commitments/{joint}")

    answer = await register.report(joint, by=by, **body)

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert await register.get(f"/commitments/{joint}") == before
    assert await register.count("status_update") == 0
    assert await register.events("status-changed") == []


async def test_a_ministry_s_report_is_its_own_party_s(register: Register, joint: str) -> None:
    assert (await register.report(joint, by="ca", status="in-progress")).status_code == 201
    ((_, event),) = await register.events("status-changed")
    assert (event.party, event.reported_by.ministry, event.current) == ("CA", "ca-gac", True)


async def test_an_editor_corrects_what_no_ministry_may_say(register: Register, joint: str) -> None:
    assert (await register.report(joint, status="in-progress")).status_code == 201
    again = {"status": "announced", "party": "MX", "note": "Entered by mistake"}
    assert (await register.report(joint, by="mx", **again)).json()["type"] == "/problems/status-not-allowed"
    assert (await register.report(joint, by="desk", **again)).status_code == 201


async def test_what_was_said_before_and_is_entered_late_is_history(register: Register, joint: str) -> None:
    await register.report(joint, status="in-progress")
    late = await register.report(joint, status="at-risk", reported_at="2022-03-01T12:00:00Z")
    assert (late.status_code, late.json()["update"]["current"], late.json()["version"]) == (201, False, 3)
    standing = {s["party"]: s["status"] for s in (await register.get(f"/commitments/{joint}"))["party_statuses"]}
    assert standing["MX"] == "in-progress"
