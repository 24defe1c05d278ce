"""Independent assessors: a second opinion beside the statuses, on a scale of its own."""

from typing import Any

import httpx2

from tests.registry.scenes import PROOF, Register


async def assess(register: Register, commitment: str, by: str = "watch", **body: Any) -> httpx2.Response:
    return await register.send("POST", f"/commitments/{commitment}/assessments", body, by=by)


WATCH: dict[str, Any] = {"organisation": "Promise Watch", "assessment": "off-track"}


async def test_a_view_is_shown_beside_and_changes_no_status(register: Register, joint: str) -> None:
    await register.report_all(joint, status="met")
    before = await register.get(f"/commitments/{joint}")

    first = await assess(register, joint, **WATCH, note="Nothing to be seen", evidence=PROOF)
    second = await assess(register, joint, **WATCH | {"assessment": "stalled"})
    of_one = await assess(register, joint, **WATCH, party="MX")

    assert [a.status_code for a in (first, second, of_one)] == [201, 201, 201]
    record = await register.get(f"/commitments/{joint}")
    assert {k: v for k, v in record.items() if k != "assessments"} == {
        k: v for k, v in before.items() if k != "assessments"
    }
    assert [(one["assessment"], one["party"], one["previous"], one["is_newest"]) for one in record["assessments"]] == [
        ("off-track", None, None, False),
        ("stalled", None, "off-track", True),
        ("off-track", "MX", None, True),
    ]
    (item,) = [one for one in (await register.get("/commitments", limit=200))["items"] if one["id"] == joint]
    assert [one["assessment"] for one in item["assessments"]] == ["stalled", "off-track"]
    events = [event for _, event in await register.events("commitment-assessed")]
    assert [(e.seq, e.assessor, e.organisation, e.assessment) for e in events] == [
        (1, "watch", "Promise Watch", "off-track"),
        (2, "watch", "Promise Watch", "stalled"),
        (3, "watch", "Promise Watch", "off-track"),
    ]


async def test_only_an_assessor_assesses_and_an_assessor_does_nothing_else(register: Register, joint: str) -> None:
    for by in ("mx", "desk", "operators"):
        assert (await assess(register, joint, by, **WATCH)).status_code == 403
    assert (await register.report(joint, by="watch", status="met", party="MX")).status_code == 403
    assert await register.count("assessment") == await register.count("status_update") == 0


async def test_what_can_not_be_assessed(register: Register, joint: str) -> None:
    await assess(register, joint, **WATCH)
    for body, kind in [
        (WATCH, "nothing-new"),
        (WATCH | {"party": "BR"}, "party-not-bound"),
        (WATCH | {"party": "XX"}, "unknown-party"),
        (WATCH | {"assessment": "met"}, "invalid"),
        (WATCH | {"note": "more", "evidence": PROOF | {"retrieved_on": "2999-01-01"}}, "refused-by-rule"),
    ]:
        answer = await assess(register, joint, **body)
        assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}")
    assert (await assess(register, "no-such", **WATCH)).status_code == 404
    assert await register.count("assessment") == 1
