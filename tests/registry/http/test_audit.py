"""The audit log of the registry: what each route that changes something writes, who reads it, and what is refused."""

from typing import Any

from services.plumbing.audit.chaining import AuditChain, AuditSettings
from services.plumbing.http.api_key_text import new_key
from services.plumbing.outbox import Outgoing
from tests.architecture.audited_routes import actions_of
from tests.registry.http.test_ministries import MRE
from tests.registry.http.test_reports import report
from tests.registry.scenes import (
    MOVED,
    NEWS,
    STRICT,
    SUMMIT,
    TARGET,
    Register,
    dated,
    new_commitment,
    outcome,
)
from tests.stand_ins.known_keys import KnownKey


def lets_in(register: Register, client: str, *roles: str) -> str:
    """A key of a new client with these roles."""
    key = new_key()
    register.keys.keys.learn([KnownKey(key.id, key.sha256, client, roles)])
    register.keys.texts[client] = key.text  # type: ignore[index]  # it is a dict
    return client


async def written(register: Register) -> list[Any]:
    async with register.database.connection() as connection:
        return list(await connection.fetch("select * from audit_pending order by id"))


async def test_every_route_that_changes_something_writes_what_the_table_says(register: Register, joint: str) -> None:
    """
    Each with the key that was used; nothing that is personal stands in it, and a dry run writes nothing.
    """
    chief = lets_in(register, "chief", "admin", "reporter")
    before = len(await written(register))
    acts: list[tuple[str, str, Any, str]] = [
        ("POST", "/statements/import", {"catalogue": "nals-2021"}, "desk"),
        ("PUT", "/statements/nals-2021/reading-policy", STRICT, "desk"),
        ("POST", "/commitments", new_commitment(), "desk"),
        ("POST", f"/commitments/{joint}/status-updates", {"status": "in-progress"}, "mx"),
        ("POST", "/status-updates", {"reports": [report()]}, "mx"),
        ("POST", f"/commitments/{joint}/assessments", {"organisation": "W", "assessment": "unclear"}, "watch"),
        ("PUT", f"/milestones/{TARGET}/schedule", {"edtf": "2031", "source": NEWS, "known_on": "2022-03-01"}, "desk"),
        ("POST", "/anchors", SUMMIT, "desk"),
        ("PUT", "/anchors/summit-2024", dated("2024-06"), "desk"),
        ("POST", "/ministries", MRE, "operators"),
        ("PUT", "/ministries/br-mre", {name: MRE[name] for name in ("party", "name", "contact")}, "operators"),
        ("POST", "/keys", {"client": "tracker", "roles": ["reporter"]}, chief),
    ]
    for method, path, body, by in acts:
        tried = await register.send(method, f"{path}?dry_run=true", body, by=by)
        count = len(await written(register))
        answer = await register.send(method, path, body, by=by)
        assert answer.is_success, (path, answer.text)
        assert len(await written(register)) > count, path
        assert tried.status_code in (200, 201, 422), path
    revoked = await register.send("DELETE", f"/keys/{answer.json()['key_id']}", None, by=chief)
    assert revoked.is_success, revoked.text
    register.clock.at = register.clock.at.replace(year=2025)
    assert (await register.send("PUT", "/anchors/nals-2022", MOVED, by="desk")).is_success
    assert (await register.send("POST", "/anchors/nals-2022/outcome", outcome("held"), by="desk")).is_success

    rows = (await written(register))[before:]
    assert actions_of("registry") <= {row["action"] for row in rows}
    assert {row["client"] for row in rows} == {"desk", "mx", "watch", "operators", "chief"}
    assert all(row["key_id"] for row in rows)
    assert MRE["contact"] not in " ".join(str(value) for row in rows for value in row.values())


async def test_auditors_read_the_log_in_pages_and_nobody_else(register: Register, joint: str) -> None:
    auditor = lets_in(register, "court", "auditor")
    for _ in range(3):
        body = {"status": "in-progress", "note": "On."}
        await register.send("POST", f"/commitments/{joint}/status-updates", body, by="mx")
    refused = await register.send("POST", "/ministries", MRE, by="mx")
    assert refused.status_code == 403
    chain = AuditChain(
        register.database,
        register.clock,
        AuditSettings(),
        lambda id_, seq, position, hash_, now: Outgoing(id_, "audit-head-registry", "registry", {}, b"{}"),
    )
    while await chain.once():
        pass
    found: list[Any] = []
    cursor: str | None = None
    headers = {"authorization": f"Bearer {register.keys[auditor]}"}
    while True:
        params = {"who": "mx", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await register.client.get("/audit", params=params, headers=headers)).json()
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert [one["action"] for one in found] == ["status.updated"] * 3 + ["request.refused"]
    assert [one["after"]["version"] for one in found[:3]] == [2, 3, 4]
    assert found[-1]["after"] == {"tried": "POST /ministries", "reason": "403", "times_this_hour": 1}
    mine = {"authorization": f"Bearer {register.keys['desk']}"}
    assert (await register.client.get("/audit", headers=mine)).status_code == 403
    assert (await register.client.get("/audit")).status_code == 401
