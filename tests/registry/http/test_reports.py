"""Many reports in one request are answered one by one; each takes effect once, and its sender may ask for it."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.topics import STATUS_CHANGED
from contracts.vocabulary import Status
from tests.registry.http.test_dry_run import EVIDENCE, bare, everything
from tests.registry.scenes import COAL, Register

OTHER = "nals-2021-make-democracy-deliver"
IDS = [UUID(int=number) for number in range(1, 5)]


def report(commitment: str = COAL, status: str = "in-progress", **more: Any) -> dict[str, Any]:
    return {"report_id": str(uuid4()), "commitment_id": commitment, "status": status, **more}


async def sent(register: Register, *reports: Any, by: str = "mx", query: str = "", language: str = "en") -> Any:
    headers = {"authorization": f"Bearer {register.keys[by]}", "accept-language": language}
    answer = await register.client.post(f"/status-updates{query}", json={"reports": reports}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def asked(register: Register, report_id: str, by: str = "mx", language: str = "en") -> Any:
    headers = {"authorization": f"Bearer {register.keys[by]}", "accept-language": language}
    return await register.client.get(f"/reports/{report_id}", headers=headers)


async def test_each_row_has_its_own_result_and_holds_up_no_other(register: Register) -> None:
    good, late = report(), report(OTHER)
    rows = [
        good,
        report("no-such"),
        report(status="met"),
        {"report_id": str(uuid4()), "status": 3, "colour": "red"},
        report(party="CA"),
        late,
        good,
    ]
    answer = await sent(register, *rows)

    results = answer["results"]
    assert [one["report_id"] for one in results] == [row["report_id"] for row in rows]
    assert [one["result"] for one in results] == [
        "recorded", "refused", "refused", "refused", "refused", "recorded", "known"
    ]  # fmt: skip
    assert (answer["recorded"], answer["known"], answer["refused"]) == (2, 1, 4)
    assert [one["problem"]["type"].rpartition("/")[2] for one in results if one["problem"]] == [
        "not-found", "evidence-needed", "invalid", "not-your-party"
    ]  # fmt: skip
    faults = {(fault["pointer"], fault["code"]) for fault in results[3]["problem"]["errors"]}
    assert faults == {
        ("#/commitment_id", "missing"), ("#/status", "not-in-list"), ("#/colour", "unknown-member")
    }  # fmt: skip
    told = [event for _, event in await register.events(STATUS_CHANGED.name)]
    assert [str(event.report_id) for event in told] == [good["report_id"], late["report_id"]]
    assert told[0].cause == told[1].cause, "what comes in one request belongs together"
    assert (told[0].cause.kind, told[0].cause.count) == ("status-report", 2)


async def test_the_whole_may_be_sent_again_and_what_was_refused_comes_mended(register: Register) -> None:
    rows = [report(), report(OTHER, "met")]
    first = await sent(register, *rows)
    before = await register.count("status_update"), await register.count("outbox")
    again = await sent(register, rows[0], {**rows[1], "evidence": EVIDENCE}, {**rows[0], "status": "at-risk"})

    assert [one["result"] for one in first["results"]] == ["recorded", "refused"]
    assert [one["result"] for one in again["results"]] == ["known", "recorded", "refused"]
    assert again["results"][0]["event_id"] == first["results"][0]["event_id"]
    assert again["results"][2]["problem"]["type"] == "/problems/report-changed"
    assert await register.count("status_update") == before[0] + 1
    assert await register.count("refused_report") == 0


async def test_a_refusal_twice_in_one_request_is_one_refusal(register: Register) -> None:
    wrong = report(status="met")
    answer = await sent(register, wrong, wrong)

    assert [one["result"] for one in answer["results"]] == ["refused", "refused"]
    assert await register.count("refused_report") == 1


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "report_id": st.sampled_from(IDS).map(str),
            "commitment_id": st.sampled_from([COAL, OTHER, "no-such"]),
            "status": st.sampled_from([status.value for status in Status]),
        },
        optional={"note": st.just("It goes on"), "evidence": st.just(EVIDENCE), "party": st.sampled_from(["MX", "CA"])},
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
async def test_what_a_dry_run_of_many_says_is_what_happens(register: Register, rows: list[dict[str, Any]]) -> None:
    before = await everything(register)
    tried = await sent(register, *rows, query="?dry_run=true")
    assert await everything(register) == before

    real = await sent(register, *rows)

    assert tried["dry_run"] is True
    assert [bare(one) for one in tried["results"]] == [bare(one) for one in real["results"]]
    again = await sent(register, *rows)
    assert again["recorded"] == 0, "nothing is recorded twice"


async def test_who_sent_a_report_may_ask_what_became_of_it(register: Register) -> None:
    recorded, refused = report(), report(OTHER, "met")
    await sent(register, recorded, refused)
    first = await asked(register, recorded["report_id"])
    second = await asked(register, refused["report_id"], language="es")

    assert (first.json()["state"], first.json()["recorded"]["version"]) == ("recorded", 2)
    told = second.json()
    assert (told["state"], told["problem"]["type"]) == ("refused", "/problems/evidence-needed")
    assert told["problem"]["errors"][0]["pointer"] == "#/evidence"
    assert "prueba" in told["problem"]["detail"]
    for report_id, by in ((recorded["report_id"], "desk"), (refused["report_id"], "desk"), (str(uuid4()), "mx")):
        assert (await asked(register, report_id, by)).status_code == 404

    late = report(status="at-risk", reported_at="2022-03-01T00:00:00Z")
    await sent(register, late)
    history = (await asked(register, late["report_id"])).json()
    assert (history["state"], history["recorded"]["current"]) == ("history", False)


@pytest.mark.parametrize("own", [True, False])
async def test_one_report_says_where_to_ask_for_it(register: Register, own: bool) -> None:
    body = {"status": "in-progress"} | ({"report_id": str(uuid4())} if own else {})
    answer = await register.report(COAL, **body)

    assert answer.headers["location"] == f"/reports/{answer.json()['report_id']}"
    found = (await asked(register, answer.json()["report_id"])).json()
    assert found["recorded"]["event_id"] == answer.json()["event_id"]
    again = await register.report(COAL, **body)
    assert again.status_code == (201 if own else 422), "without an id it is news, and says nothing new"
    assert await register.count("status_update") == 1


async def test_an_editors_reports_have_ids_too(register: Register) -> None:
    correction = report(party="CA", note="As it was meant")
    answers = [await sent(register, correction, by="desk") for _ in range(2)]

    assert [one["results"][0]["result"] for one in answers] == ["recorded", "known"]
    assert (await asked(register, correction["report_id"], "desk")).json()["state"] == "recorded"


async def test_more_rows_than_are_taken_are_refused_as_a_whole(register: Register) -> None:
    headers = {"authorization": f"Bearer {register.keys['mx']}"}
    for rows, code in (([report()] * 201, "too-many"), ([], "too-few"), ([{"status": "met"}], "missing")):
        answer = await register.client.post("/status-updates", json={"reports": rows}, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code), answer.text
    assert await register.count("status_update") == 0
