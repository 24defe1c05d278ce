"""Reports that are posted at once are recorded in one transaction, and each is answered as it would be by itself."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.events import EnteredEvidence
from contracts.vocabulary import Status
from services.plumbing.database import Connection
from services.plumbing.http.idempotency import Answer
from services.registry.actions.events import ActionContext
from services.registry.actions.status_updates import ReportStatus
from services.registry.http.posted_reports import PostedReport, record_posted
from services.registry.rules.errors import RegistryError
from tests.registry.scenes import COAL, NOW, PROOF, Register

OTHER = "nals-2021-make-democracy-deliver"
SENDERS = {"mx": ActionContext(NOW, "mx", "mx-sre"), "desk": ActionContext(NOW, "desk"),
           "nobody": ActionContext(NOW, "x", "xx-none")}  # fmt: skip
EVIDENCE = EnteredEvidence.model_validate_json(json.dumps(PROOF))
WRITTEN = {
    "status_update": "to_jsonb(t)",
    "commitment": "to_jsonb(t)",
    "commitment_party_status": "to_jsonb(t)",
    "outbox": "to_jsonb(t) - '{id,written_at}'::text[]",
    "outbox_seq": "to_jsonb(t)",
    "audit_pending": "to_jsonb(t) - 'id'",
    "inbox": "to_jsonb(t)",
    "refused_report": "to_jsonb(t)",
}
REPORTS = st.builds(  # each by a request of its own
    lambda sender, own, **said: PostedReport(ReportStatus(**said), replace(SENDERS[sender]), is_fresh=not own),
    st.sampled_from(sorted(SENDERS)),
    st.booleans(),
    commitment_id=st.sampled_from([COAL, OTHER, "no-such", "No\x00Slug"]),
    status=st.sampled_from([Status.IN_PROGRESS, Status.AT_RISK, Status.MET, Status.ANNOUNCED]),
    party=st.sampled_from([None, "MX", "CA", "FR"]),
    note=st.sampled_from([None, "A note"]),
    evidence=st.sampled_from([None, EVIDENCE]),
    expected_version=st.sampled_from([None, None, 1, 2, 3]),
    reported_at=st.sampled_from([None, None, NOW.replace(year=2021)]),
    report_id=st.uuids(version=4),
)


async def rows(connection: Connection) -> dict[str, Counter[str]]:
    """What stands in the tables, without what counts tries."""
    return {
        table: Counter(row["r"] for row in await connection.fetch(f"select ({shown})::text as r from {table} t"))
        for table, shown in WRITTEN.items()
    }


def told(result: Answer | Exception | None) -> Any:
    """A result as it can be compared."""
    if isinstance(result, RegistryError):
        return type(result), str(result), result.pointer, result.members
    return result


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posted=st.lists(REPORTS, min_size=2, max_size=8, unique_by=lambda one: one.report.report_id))
async def test_together_they_have_the_answers_and_rows_that_they_have_one_by_one(
    register: Register, posted: list[PostedReport]
) -> None:
    async with register.database.dry_run() as connection:
        together = await record_posted(register.database, connection, posted)
        of_group = await rows(connection)
    async with register.database.dry_run() as connection:
        one_by_one = [result for one in posted for result in await record_posted(register.database, connection, [one])]
        of_singles = await rows(connection)

    assert list(map(told, together)) == list(map(told, one_by_one))
    assert of_group == of_singles


async def test_what_comes_at_once_is_answered_one_by_one(register: Register) -> None:
    """Good ones, a refused one and one of an unknown commitment, over HTTP."""
    path = f"/commitments/{COAL}/status-updates"
    bodies = [{"status": ("in-progress", "at-risk")[n % 2], "note": f"Number {n}"} for n in range(12)]
    answers = await asyncio.gather(
        *(register.send("POST", path, body, by="mx", key=f"k{n}") for n, body in enumerate(bodies)),
        register.send("POST", path, {"status": "met"}, by="mx", key="bare"),
        register.send("POST", "/commitments/no-such/status-updates", {"status": "at-risk"}, by="mx", key="lost"),
    )

    assert [one.status_code for one in answers] == [201] * 12 + [422, 404]
    assert sorted(one.json()["version"] for one in answers[:12]) == list(range(2, 14))
    again = await asyncio.gather(
        *(register.send("POST", path, body, by="mx", key=f"k{n}") for n, body in enumerate(bodies))
    )
    assert [one.text for one in again] == [one.text for one in answers[:12]], "the same answers, to the byte"
    history = (await register.get(f"/commitments/{COAL}"))["status_updates"]
    assert {one["event_id"]: one for one in history} == {
        one.json()["event_id"]: one.json()["update"] for one in answers[:12]
    }
    assert (
        await register.count("api_request")
        == await register.count("audit_pending where action = 'status.updated'")
        == 12
    )


async def test_one_whose_event_is_too_large_fails_alone(register: Register, monkeypatch: Any) -> None:
    from services.plumbing import outbox

    monkeypatch.setattr(outbox, "LARGEST_RECORD", 4000)
    notes = ["short", "x" * 3900, "short"]
    answers = await asyncio.gather(
        *(register.report(COAL, status="in-progress", note=note, report_id=str(uuid4())) for note in notes)
    )

    assert [one.status_code < 300 for one in answers] == [True, False, True]
    assert await register.count("status_update") == 2


async def test_one_id_in_two_requests_at_once_is_recorded_once(register: Register) -> None:
    id_ = str(UUID(int=7))
    same, other = await asyncio.gather(
        *(register.report(COAL, status="in-progress", report_id=id_, note=note) for note in ("a", "a"))
    )
    changed = await register.report(COAL, status="in-progress", report_id=id_, note="b")
    refused, mended = await asyncio.gather(
        *(
            register.report(OTHER, status="in-progress", report_id=str(UUID(int=8)), **more)
            for more in ({"expected_version": 9}, {"expected_version": 1})
        )
    )

    assert (same.status_code, other.status_code, changed.status_code) == (201, 201, 409)
    assert same.json()["event_id"] == other.json()["event_id"]
    assert (refused.status_code, mended.status_code) == (409, 201), "who was refused left no trace of the id"
    assert await register.count("status_update") == 2
