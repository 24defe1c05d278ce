"""The audit log of the notifier: every change of a subscription, and nothing that is personal or secret."""

from datetime import timedelta
from uuid import UUID

import httpx2 as httpx

from services.notifier.subscriptions.auditing import subscription_facts
from services.plumbing.audit.keyed_hash import KeyedHash
from services.plumbing.database import Database
from tests.architecture.audited_routes import actions_of
from tests.notifier.delivery.dispatching import links
from tests.notifier.requests import HOOK, by, subscribed
from tests.notifier.scenes import NOW, empty


async def test_every_change_of_a_subscription_is_written_and_says_nothing_personal(
    http: httpx.AsyncClient, database: Database
) -> None:
    """
    The table of routes says what each writes. Addresses, secrets and readers' names are nowhere in the log's tables.
    """
    await empty(database)
    async with database.connection() as connection:
        await connection.execute("delete from audit_pending")
    first, second = [await subscribed(http, filters={"themes": [theme]}) for theme in ("climate", "trade")]
    mail = await subscribed(http, channel="email", address="alguien@sre.example", subscriber="Doña Inés")
    await http.patch(f"/subscriptions/{first['id']}", json={"state": "paused"})
    await http.delete(f"/subscriptions/{first['id']}")
    await http.delete(f"/subscriptions/{first['id']}")  # again: it changes nothing
    await http.post(httpx.URL(links().url([UUID(mail["id"])])).path)
    ends = {"reason": "A cyber incident", "ends": (NOW + timedelta(hours=4)).isoformat()}
    silence = await http.post("/silences", json=ends)
    await http.delete(f"/silences/{silence.json()['id']}")
    await http.delete(f"/silences/{silence.json()['id']}")
    await http.post("/sending/stop", json={"reason": "A wrong import"}, headers=by(http, "ops"))
    await http.post("/sending/stop", json={"reason": "A wrong import"}, headers=by(http, "ops"))
    await http.post("/sending/start", headers=by(http, "ops"))
    await http.post("/sending/start", headers=by(http, "ops"))
    foreign = await http.patch(f"/subscriptions/{second['id']}", json={"state": "paused"}, headers=by(http, "gac"))
    assert foreign.status_code == 404

    async with database.connection() as connection:
        rows = await connection.fetch("select * from audit_pending order by id")
    told = [(row["action"], row["subject"].split("/")[-1], row["client"]) for row in rows]
    assert told[:5] == [
        ("subscription.created", first["id"], "sre"),
        ("subscription.created", second["id"], "sre"),
        ("subscription.created", mail["id"], "sre"),
        ("subscription.changed", first["id"], "sre"),
        ("subscription.ended", first["id"], "sre"),
    ]
    assert [action for action, _, _ in told if action.startswith(("silence", "sending"))] == [
        *("silence.added", "silence.ended", "sending.stopped", "sending.started"),
    ]
    assert told[-1] == ("request.refused", second["id"], "gac")
    assert {action for action, _, _ in told} - {"request.refused"} == actions_of("notifier")
    everything = " ".join(str(value) for row in rows for value in row.values())
    secrets = [HOOK, "very-secret-token", "alguien", "Inés", "Climate desk", first["secret"], second["secret"]]
    assert [one for one in secrets if one in everything] == []
    assert [row["action"] for row in rows if not row["key_id"]] == ["subscription.ended"]  # by the link


def test_facts_of_a_subscription_hold_hashes_of_what_is_personal() -> None:
    names = "owner channel language zone events parties themes sections commitments ladder level timing state reason"
    row: dict[str, object] = dict.fromkeys(names.split())
    row |= {"address": "alguien@sre.example", "subscriber": "Doña Inés", "secret": "whsec_x", "fingerprint": b"x"}
    facts = subscription_facts(row, KeyedHash("k" * 32))
    assert not any(word in str(facts) for word in ("alguien", "Inés", "whsec_x"))
    assert set(facts["address"]) == {"hmac_sha256", "key"}
