"""Who may write, and once for each idempotency key."""

import asyncio

from services.plumbing.http.idempotency import AnswerExpiry, IdempotencySettings
from tests.registry.scenes import MOVED, SUMMIT, Register, history_of, outcome


async def test_twenty_at_once_with_one_key_make_one_event(register: Register, joint: str) -> None:
    body = {"status": "in-progress", "party": "CA"}
    path = f"/commitments/{joint}/status-updates"
    answers = await asyncio.gather(*(register.send("POST", path, body, key="one") for _ in range(20)))
    done = [a for a in answers if a.status_code == 201]
    waiting = [a for a in answers if a.status_code == 409]
    assert done
    assert len(done) + len(waiting) == 20
    assert {a.json()["type"] for a in waiting} <= {"/problems/request-in-flight"}
    assert all(a.headers["retry-after"] for a in waiting)
    later = await register.send("POST", path, body, key="one")
    assert {a.text for a in (*done, later)} == {later.text}, "the same answer, to the byte"
    ((envelope, _),) = await register.events("status-changed")
    assert later.json()["event_id"] == str(envelope.id)


async def test_keys_are_their_clients_own(register: Register, joint: str) -> None:
    path = f"/commitments/{joint}/status-updates"
    first = await register.send("POST", path, {"status": "in-progress"}, key="k", by="mx")
    other = await register.send("POST", path, {"status": "at-risk", "party": "CA"}, key="k", by="desk")
    reused = await register.send("POST", path, {"status": "met"}, key="k", by="mx")
    assert (first.status_code, other.status_code, reused.status_code) == (201, 201, 422)
    assert reused.json()["type"] == "/problems/key-reused"
    elsewhere = await register.send("PUT", "/anchors/nals-2022", MOVED, key="k", by="desk")
    assert elsewhere.json()["type"] == "/problems/key-reused"


async def test_a_refused_request_may_be_sent_again_when_it_fits(register: Register, joint: str) -> None:
    path = f"/commitments/{joint}/status-updates"
    early = await register.send("POST", path, {"status": "at-risk", "expected_version": 2}, key="k", by="mx")
    assert (early.status_code, early.json()["current_version"]) == (409, 1)
    await register.report(joint, status="in-progress")
    assert (
        await register.send("POST", path, {"status": "at-risk", "expected_version": 2}, key="k", by="mx")
    ).status_code == 201


async def test_writing_needs_a_key_a_role_json_and_an_idempotency_key(register: Register, joint: str) -> None:
    path = f"/commitments/{joint}/status-updates"
    body = {"status": "met"}
    known = {"authorization": f"Bearer {register.keys['mx']}"}
    assert (await register.client.post(path, json=body)).status_code == 401
    assert (await register.client.post(path, json=body, headers=known)).status_code == 400
    assert (await register.send("PUT", "/anchors/nals-2022", MOVED, by="mx")).status_code == 403
    plain = await register.client.post(
        path, content=b'{"status":"met"}', headers={**known, "content-type": "text/plain"}
    )
    assert plain.status_code == 415
    unknown = await register.report("no-such-thing", status="met")
    assert unknown.status_code == 404


async def test_an_outcome_needs_an_editor_and_happens_once_for_a_key(register: Register) -> None:
    path = "/anchors/nals-2022/outcome"
    assert (await register.send("POST", path, outcome("cancelled"), by="mx")).status_code == 403
    assert (await register.send("POST", "/anchors", SUMMIT, by="mx")).status_code == 403
    first = await register.send("POST", path, outcome("cancelled"), key="k")
    second = await register.send("POST", path, outcome("cancelled"), key="k")
    assert (first.status_code, second.text) == (200, first.text)
    assert len(await history_of(register, "nals-2022")) == 2
    assert (await register.send("POST", "/anchors/no-such/outcome", outcome("cancelled"))).status_code == 404


async def test_old_answers_are_forgotten_and_young_ones_kept(register: Register, joint: str) -> None:
    path = f"/commitments/{joint}/status-updates"
    for key in ("old", "young"):
        await register.send("POST", path, {"status": "in-progress", "note": key}, key=key, by="mx")
    async with register.database.connection() as connection:
        await connection.execute(
            "update api_request set created_at = created_at - interval '8 days' where idem_key = 'old'"
        )
    await AnswerExpiry(register.database, IdempotencySettings()).expire_once()
    async with register.database.connection() as connection:
        assert await connection.fetchval("select array_agg(idem_key) from api_request") == ["young"]
