"""The audit log of the scheduler: feeds and the ladder book; acknowledgements are tried beside the escalation."""

from tests.architecture.audited_routes import actions_of
from tests.scheduler.feeds.serving import LiveScheduler

BOOK = b"ladders:\n  - name: all\n    steps: [before-7d]\n"


async def test_what_changes_feeds_and_ladders_is_written_and_never_an_address(scheduler: LiveScheduler) -> None:
    made = await scheduler.http.post("/feeds", json={"name": "Oficina", "filters": {"themes": ["climate"]}})
    id_ = made.json()["id"]
    rotated = await scheduler.http.post(f"/feeds/{id_}/rotate")
    await scheduler.http.delete(f"/feeds/{id_}")
    await scheduler.http.delete(f"/feeds/{id_}")
    shipped = (await scheduler.http.get("/ladders")).json()["text"]
    editor = scheduler.keys.header("gac") | {"content-type": "application/yaml"}
    applied = await scheduler.http.put("/ladders", content=shipped.encode() + b"\n# another\n", headers=editor)
    refused = await scheduler.http.put("/ladders", content=BOOK, headers={"content-type": "application/yaml"})
    assert (made.status_code, rotated.status_code, applied.status_code, refused.status_code) == (201, 200, 200, 403)

    async with scheduler.database.connection() as connection:
        rows = await connection.fetch("select * from audit_pending order by id")
    told = [(row["action"], row["client"]) for row in rows]
    assert told == [
        ("feed.created", "sre"),
        ("feed.rotated", "sre"),
        ("feed.revoked", "sre"),
        ("ladders.applied", "gac"),
        ("request.refused", "sre"),
    ]
    assert actions_of("scheduler") == {action for action, _ in told[:4]} | {"milestone.acknowledged"}
    everything = " ".join(str(value) for row in rows for value in row.values())
    tokens = [address.split("/")[-2] for answer in (made, rotated) for address in answer.json()["addresses"].values()]
    assert [token for token in tokens if token in everything] == []
