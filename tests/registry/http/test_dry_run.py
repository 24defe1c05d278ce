"""A request with `dry_run` is answered as the same request without would be, and leaves nothing behind."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.vocabulary import Status
from tests.registry.scenes import COAL, STRICT, TARGET, Register, dated, new_commitment, outcome

EVIDENCE = {"title": "A page", "url": "https://example.org/page", "retrieved_on": "2022-03-01"}
MINISTRY = {"code": "br-mre", "party": "BR", "name": {"pt": "Itamaraty"}}
WRITES = [
    ("POST", f"/commitments/{COAL}/status-updates", {"status": "in-progress", "party": "MX"}, "mx"),
    ("POST", "/commitments", new_commitment(), "desk"),
    ("POST", "/statements/import", {"catalogue": "nals-2021"}, "desk"),
    ("PUT", "/statements/nals-2021/reading-policy", STRICT, "desk"),
    ("PUT", f"/milestones/{TARGET}/schedule", dated("2031"), "desk"),
    ("PUT", "/anchors/nals-2022", dated("2023-02-01"), "desk"),
    ("POST", "/anchors/nals-2022/outcome", outcome("cancelled", "2022-03-01"), "desk"),
    ("POST", "/ministries", MINISTRY, "operators"),
]


async def everything(register: Register) -> dict[str, Any]:
    """All rows of all tables, but for those about refused attempts: to try what is forbidden is one as well."""
    async with register.database.connection() as connection:
        tables = await connection.fetch(
            "select table_name as name from information_schema.tables where table_schema = current_schema()"
        )
        return {
            row["name"]: sorted(
                found["t"]
                for found in await connection.fetch(f"select t::text from {row['name']} t")
                if "request.refused" not in found["t"]
            )
            for row in tables
            if row["name"] != "audit_refusal"
        }


def bare(answer: Any) -> Any:
    """An answer without what differs from one try to the next: ids of events."""
    if isinstance(answer, dict):
        return {name: bare(value) for name, value in answer.items() if name not in ("event_id", "dry_run", "report_id")}
    return [bare(one) for one in answer] if isinstance(answer, list) else answer


@pytest.mark.parametrize(("method", "path", "body", "by"), WRITES)
async def test_every_write_can_be_tried(register: Register, method: str, path: str, body: Any, by: str) -> None:
    before = await everything(register)
    tried = await register.send(method, f"{path}?dry_run=true", body, by=by, key="the-same")
    assert await everything(register) == before
    assert register.holds.taken == []

    real = await register.send(method, path, body, by=by, key="the-same")

    assert tried.status_code == real.status_code < 300, tried.text
    assert tried.json()["dry_run"] is True
    assert "dry_run" not in real.json()
    assert bare(tried.json()) == bare(real.json())
    assert await everything(register) != before or path == "/statements/import"


REPORTS = st.lists(
    st.fixed_dictionaries(
        {"status": st.sampled_from([status.value for status in Status])},
        optional={
            "party": st.sampled_from(["MX", "CA", "XX"]),
            "note": st.sampled_from(["It goes on", "\u200b"]),
            "evidence": st.just(EVIDENCE),
            "expected_version": st.integers(1, 4),
        },
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=REPORTS, commitment=st.sampled_from([COAL, "nals-2021-make-democracy-deliver", "no-such"]))
async def test_what_a_dry_run_says_is_what_happens(
    register: Register, reports: list[dict[str, Any]], commitment: str
) -> None:
    for report in reports:
        before = await everything(register)
        path = f"/commitments/{commitment}/status-updates"
        tried = await register.send("POST", f"{path}?dry_run=true", report, by="mx")
        assert await everything(register) == before

        real = await register.send("POST", path, report, by="mx")

        assert (tried.status_code, bare(tried.json())) == (real.status_code, bare(real.json()))


async def test_a_key_that_was_tried_with_is_free(register: Register) -> None:
    path = f"/commitments/{COAL}/status-updates"
    tried = await register.send("POST", f"{path}?dry_run=true", {"status": "at-risk", "party": "MX"}, by="mx", key="k")
    other = await register.send("POST", path, {"status": "in-progress", "party": "MX"}, by="mx", key="k")

    assert (tried.status_code, other.status_code) == (201, 201)
    again = await register.send("POST", f"{path}?dry_run=1", {"status": "missed", "party": "MX"}, by="mx", key="k")
    assert again.json()["type"] == "/problems/key-reused"
