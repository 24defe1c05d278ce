"""The register on a real PostgreSQL, through its HTTP interface in process and through its intake."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.envelope import Envelope
from contracts.events import CommitmentCreated, MilestoneScheduled, StatusChanged, StatusReported
from contracts.vocabulary import Country, Status
from services.registry import catalogue
from services.registry.actions import import_statement as importing
from services.registry.actions.events import Occasion
from services.registry.http.idempotency import AnswerSettings, Forgetting
from services.registry.intake import Received, ReportChanged, ReportIntake
from services.registry.rules.errors import AlreadyThere, Unknown
from services.registry.rules.status import StatusRefused, VersionDiffers
from tests.registry.scenes import NOW, Register, StoppedClock

NEWS = {"text": "White House releases of 2023-01-09 and 2023-01-10", "url": "https://example.org/release"}
MOVED = {"edtf": "2023-01-10", "source": NEWS, "known_on": "2023-01-10"}

# Importing


async def test_an_import_says_each_commitment_and_each_milestone_once(register: Register) -> None:
    loaded = catalogue.load()
    created = [event for _, event in await register.events("commitment-created")]
    scheduled = [event for _, event in await register.events("milestone-scheduled")]
    assert [e.commitment.id for e in created] == [c.id for c in loaded.commitments]
    assert {e.seq for e in created} == {1}
    assert {e.milestone.id for e in scheduled} == {m.id for c in loaded.commitments for m in c.milestones}
    assert {(e.change, e.schedule_version, e.previous) for e in scheduled} == {("first", 1, None)}
    assert any(e.milestone.span.edtf is None for e in scheduled), "the undated are scheduled too"
    hanging = [e for e in scheduled if e.milestone.anchor_id]
    assert hanging
    assert all(e.source for e in hanging), "an anchor's date comes with its source"


async def test_importing_again_says_nothing(register: Register) -> None:
    before = await register.count("outbox")
    again = await register.send("POST", "/statements/import", {"catalogue": "nals-2021"})
    assert (again.json()["created"], again.json()["scheduled"]) == (0, 0)
    assert await register.count("outbox") == before


async def test_imports_at_once_say_everything_once(register: Register) -> None:
    before = await register.count("outbox")
    answers = await asyncio.gather(
        *(register.send("POST", "/statements/import", {"catalogue": "nals-2021"}) for _ in range(4))
    )
    assert [a.status_code for a in answers] == [200] * 4
    assert await register.count("outbox") == before


async def test_an_edited_summary_is_taken_over_without_a_word(register: Register, joint: str) -> None:
    loaded, published = importing.read(catalogue.HERE)
    edited = loaded.commitments[0]
    edited = edited.model_copy(update={"summary": edited.summary.model_copy(update={"en": "Said more clearly."})})
    changed = loaded.model_copy(update={"commitments": (edited, *loaded.commitments[1:])})
    await register.report(joint, status="in-progress")
    before = await register.count("outbox")
    async with register.database.transaction() as connection:
        taken = await importing.import_catalogue(
            register.database, connection, changed, published, Occasion(NOW, "desk")
        )
    assert (taken.created, taken.scheduled, await register.count("outbox")) == (0, 0, before)
    record = await register.get(f"/commitments/{edited.id}")
    assert record["summary"]["en"] == "Said more clearly."
    assert (record["status"], record["version"]) == ("in-progress", 2), "its history is not the catalogue's"


async def test_an_import_does_not_take_back_what_became_known(register: Register) -> None:
    await register.send("PUT", "/anchors/nals-2022", MOVED)
    again = await register.send("POST", "/statements/import", {"catalogue": "nals-2021"})
    assert again.json()["scheduled"] == 0
    assert (await register.get("/anchors/nals-2022"))["span"]["edtf"] == "2023-01-10"


async def test_a_failed_import_leaves_nothing(register: Register) -> None:
    """A milestone id that another commitment has stops the whole."""
    loaded, published = importing.read(catalogue.HERE)
    owner = next(c for c in loaded.commitments if c.milestones)
    thief = loaded.commitments[0].model_copy(update={"id": "thief", "milestones": owner.milestones})
    changed = loaded.model_copy(update={"commitments": (*loaded.commitments, thief)})
    before = await register.count("outbox"), await register.count("commitment")
    with pytest.raises(AlreadyThere):
        async with register.database.transaction() as connection:
            await importing.import_catalogue(register.database, connection, changed, published, Occasion(NOW, "desk"))
    assert (await register.count("outbox"), await register.count("commitment")) == before


# Reading


async def test_pages_hold_every_commitment_once_in_the_order_of_the_text(register: Register) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await register.get("/commitments", limit=7, **cursor)
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    loaded = sorted(catalogue.load().commitments, key=lambda c: (c.quote.start, c.id))
    assert seen == [c.id for c in loaded]


async def test_filters_choose(register: Register, joint: str) -> None:
    loaded = catalogue.load().commitments

    async def ids(**params: Any) -> set[str]:
        return {item["id"] for item in (await register.get("/commitments", limit=200, **params))["items"]}

    assert await ids(theme="climate") == {c.id for c in loaded if "climate" in c.themes}
    assert await ids(section="climate-crisis") == {c.id for c in loaded if c.section == "climate-crisis"}
    assert await ids(country="CA") == {c.id for c in loaded if Country.CA in c.countries}
    due = {c.id for c in loaded for m in c.milestones if m.span.latest and m.span.latest.year <= 2022}
    assert await ids(due_to="2022-12-31") == due
    assert not await ids(due_from="2060-01-01")
    assert joint in await ids(q=loaded[0].title.fr.upper())
    assert not await ids(q="%")
    await register.report(joint, status="met", country="MX")
    assert await ids(status="partly-met") == {joint}
    assert await ids(status="met", country="MX") == {joint}
    assert not await ids(status="met", country="CA")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/commitments?limit=0", 422),
        ("/commitments?limit=201", 422),
        ("/commitments?cursor=forged", 400),
        ("/commitments?cursor=YWZ0ZXI6bm93aGVyZQ", 400),  # well formed, and nowhere
        ("/commitments?due_from=1637193600", 422),
        ("/commitments?q=%00", 422),
        ("/commitments?theme=__class__", 422),
        ("/commitments/no-such-thing", 404),
        ("/commitments/%00", 404),
        ("/commitments/..%2Fanchors", 404),
        ("/anchors/{x}", 404),
        ("/statements/nobody", 404),
    ],
)
async def test_what_is_not_there_is_a_problem(register: Register, path: str, status: int) -> None:
    answer = await register.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["x-correlation-id"]


async def test_a_commitment_shows_its_words_where_they_stand_and_its_history(register: Register, joint: str) -> None:
    await register.report(joint, status="in-progress", note="began", evidence={"url": "https://example.org/a"})
    record = await register.get(f"/commitments/{joint}")
    passage = record["passage"]
    assert passage["text"][passage["start"] : passage["end"]] == record["quote"]["text"]
    text = (await register.get("/statements/nals-2021"))["text"]
    assert text[record["quote"]["start"] : record["quote"]["end"]] == record["quote"]["text"]
    (update,) = record["status_updates"]
    assert (update["previous"], update["status"], update["version"]) == ("announced", "in-progress", 2)
    assert update["reported_by"] == {"client": "mx", "ministry": "mx-sre"}


async def test_who_has_the_tag_is_not_sent_it_again(register: Register, joint: str) -> None:
    first = await register.client.get(f"/commitments/{joint}")
    tag = {"if-none-match": f'"other", W/{first.headers["etag"]}'}
    assert (await register.client.get(f"/commitments/{joint}", headers=tag)).status_code == 304
    await register.report(joint, status="met")
    assert (await register.client.get(f"/commitments/{joint}", headers=tag)).status_code == 200


# Status updates


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


async def test_twenty_at_once_with_one_key_make_one_event(register: Register, joint: str) -> None:
    body = {"status": "in-progress"}
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
    other = await register.send("POST", path, {"status": "at-risk"}, key="k", by="desk")
    reused = await register.send("POST", path, {"status": "met"}, key="k", by="mx")
    assert (first.status_code, other.status_code, reused.status_code) == (201, 201, 422)
    assert reused.json()["type"] == "/problems/key-reused"
    elsewhere = await register.send("PUT", "/anchors/nals-2022", MOVED, key="k", by="desk")
    assert elsewhere.json()["type"] == "/problems/key-reused"


async def test_a_refused_request_may_be_sent_again_when_it_fits(register: Register, joint: str) -> None:
    path = f"/commitments/{joint}/status-updates"
    early = await register.send("POST", path, {"status": "at-risk", "expected_version": 2}, key="k")
    assert (early.status_code, early.json()["current_version"]) == (409, 1)
    await register.report(joint, status="in-progress")
    assert (await register.send("POST", path, {"status": "at-risk", "expected_version": 2}, key="k")).status_code == 201


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
    ("body", "status", "kind"),
    [
        ({"status": "announced"}, 422, "status-not-allowed"),
        ({"status": "on-fire"}, 422, "invalid"),
        ({"status": "met", "expected_version": "1"}, 422, "invalid"),
        ({"status": "met", "ministry": "us-dos"}, 422, "invalid"),
        ({"status": "met", "note": "a\x00b"}, 422, "invalid"),
        ({"status": "met", "note": "\ud800"}, 422, "invalid"),
        ({"status": "met", "evidence": {"url": "javascript:alert(1)"}}, 422, "invalid"),
        ([], 422, "invalid"),
    ],
)
async def test_what_does_not_fit_is_refused(register: Register, joint: str, body: Any, status: int, kind: str) -> None:
    headers = {
        "authorization": f"Bearer {register.keys['mx']}", "idempotency-key": "k", "content-type": "application/json"
    }  # fmt: skip
    answer = await register.client.post(
        f"/commitments/{joint}/status-updates", content=json.dumps(body), headers=headers
    )
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert await register.count("status_update") == 0
    assert await register.count("api_request") == 0


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


async def test_the_history_is_only_ever_added_to(register: Register, joint: str) -> None:
    await register.report(joint, status="met")
    async with register.database.connection() as connection:
        for statement in (
            "update status_update set note = ''",
            "delete from milestone_schedule",
            "truncate anchor_news",
        ):
            with pytest.raises(asyncpg.RaiseError):
                await connection.execute(statement)


async def test_old_answers_are_forgotten_and_young_ones_kept(register: Register, joint: str) -> None:
    path = f"/commitments/{joint}/status-updates"
    for key in ("old", "young"):
        await register.send("POST", path, {"status": "in-progress", "note": key}, key=key)
    async with register.database.connection() as connection:
        await connection.execute(
            "update api_request set created_at = created_at - interval '8 days' where idem_key = 'old'"
        )
    await Forgetting(register.database, AnswerSettings()).forget_once()
    async with register.database.connection() as connection:
        assert await connection.fetchval("select array_agg(idem_key) from api_request") == ["young"]


async def test_without_a_database_the_answer_is_come_again(register: Register, joint: str) -> None:
    await register.database.close()
    for answer in (await register.client.get("/commitments"), await register.report(joint, status="met")):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.headers["x-correlation-id"]
    await register.database.open()


# Dates


async def test_a_moved_anchor_says_it_once_for_each_follower(register: Register) -> None:
    answer = await register.send("PUT", "/anchors/nals-2022", MOVED)
    followers = (await register.get("/anchors/nals-2022"))["milestones"]
    assert answer.json()["change"] == "moved"
    assert [r["milestone_id"] for r in answer.json()["rescheduled"]] == followers
    moves = [e for _, e in await register.events("milestone-scheduled") if e.schedule_version == 2]
    assert [e.milestone.id for e in moves] == followers
    for event in moves:
        assert isinstance(event, MilestoneScheduled)
        assert (event.change, event.seq) == ("moved", 2)
        assert (event.previous and event.previous.edtf, event.milestone.span.edtf) == ("2022", "2023-01-10")
        assert event.source and event.source.text == NEWS["text"]


async def test_news_that_confirm_a_date_are_kept_and_emit_nothing(register: Register) -> None:
    before = await register.count("outbox")
    answer = await register.send("PUT", "/anchors/nals-2022", {**MOVED, "edtf": "2022", "known_on": "2022-07-12"})
    assert (answer.json()["change"], answer.json()["rescheduled"]) == ("unchanged", [])
    assert await register.count("outbox") == before
    news = (await register.get("/anchors/nals-2022"))["news"]
    assert [(one["change"], one["known_on"]) for one in news] == [("first", "2021-11-18"), ("unchanged", "2022-07-12")]


async def test_a_milestone_on_an_anchor_moves_with_it_alone(register: Register) -> None:
    (follower, *_) = (await register.get("/anchors/nals-2022"))["milestones"]
    answer = await register.send("PUT", f"/milestones/{follower}/schedule", MOVED)
    assert (answer.status_code, answer.json()["anchor_id"]) == (409, "nals-2022")


async def test_a_milestone_of_its_own_moves_and_an_import_leaves_it_there(register: Register) -> None:
    milestone = next(
        m.id for c in catalogue.load().commitments for m in c.milestones if not m.anchor_id and m.span.edtf is None
    )
    answer = await register.send("PUT", f"/milestones/{milestone}/schedule", MOVED)
    assert (answer.json()["change"], answer.json()["milestone"]["schedule_version"]) == ("more-precise", 2)
    again = await register.send("POST", "/statements/import", {"catalogue": "nals-2021"})
    assert again.json()["scheduled"] == 0


async def test_a_date_that_is_none_is_refused(register: Register) -> None:
    for edtf in ("soon", "2022-02-30", "../2022", ""):
        answer = await register.send("PUT", "/anchors/nals-2022", {**MOVED, "edtf": edtf})
        assert answer.status_code == 422, edtf
    undated = await register.send("PUT", "/anchors/nals-2022", {**MOVED, "edtf": None})
    assert undated.json()["change"] == "moved"


# Entering


def new_commitment(**changes: Any) -> dict[str, Any]:
    words = {"en": "a", "es": "b", "fr": "c"}
    return {
        "id": "desk-made", "statement_id": "nals-2021", "quote": "we make goods together", "verb": "make",
        "title": words, "summary": words, "section": "opening", "themes": ["trade"], "strength": "reaffirm",
        "milestones": [
            {"id": "made-by-2022", "wording": "in 2022", "title": words, "reading": "by", "edtf": "2022"},
            {"id": "made-summit", "wording": "next year", "title": words, "reading": "on", "anchor_id": "nals-2022"},
        ],
        **changes,
    }  # fmt: skip


async def test_a_commitment_is_entered_with_its_milestones(register: Register) -> None:
    answer = await register.send("POST", "/commitments", new_commitment())
    assert answer.status_code == 201, answer.text
    created = (await register.events("commitment-created"))[-1]
    assert isinstance(created[1], CommitmentCreated)
    assert (str(created[0].id), created[1].commitment.id) == (answer.json()["event_id"], "desk-made")
    mine = [e for _, e in await register.events("milestone-scheduled") if e.commitment.id == "desk-made"]
    assert [(e.milestone.span.edtf, e.seq) for e in mine] == [("2022", 1), ("2022", 2)]
    assert mine[0].milestone.zone == "America/Mexico_City"
    taken = await register.send("POST", "/commitments", new_commitment())
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/already-there")


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"quote": "we make goods alone"}, 422, "quote"),
        ({"quote": "North America"}, 422, "quote"),  # more than once
        ({"section": "appendix"}, 422, "section"),
        ({"themes": ["whales"]}, 422, "themes"),
        ({"countries": ["CA"]}, 201, None),
        ({"statement_id": "nals-2044"}, 404, None),
    ],
)
async def test_a_commitment_has_to_fit_its_statement(
    register: Register, changes: dict[str, Any], status: int, field: str | None
) -> None:
    answer = await register.send("POST", "/commitments", new_commitment(**changes))
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
    assert await register.count("commitment where id = 'desk-made'") == (status == 201)


# Reports over Kafka: the handler behind the subscriber


def received(commitment: str, report_id: UUID | None = None, ministry: str = "mx-sre", **said: Any) -> Received:
    report = StatusReported(
        report_id=report_id or uuid4(), commitment_id=commitment, reported_at=NOW, **{"status": Status.MET, **said}
    )
    return Received(ministry, Envelope(uuid4(), NOW, commitment, "thread-1"), report)


async def test_reports_have_the_same_effect_and_are_heard_once(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    first = received(joint, country=Country.MX, status=Status.IN_PROGRESS)
    second = received(joint, country=Country.MX, status=Status.MET, expected_version=2)
    await intake.apply([first, first, second])
    await intake.apply([second, first])
    events = await register.events("status-changed")
    assert [(e.status, e.version, e.seq) for _, e in events] == [("in-progress", 2, 1), ("met", 3, 2)]
    assert {e.reported_by.ministry for _, e in events} == {"mx-sre"}
    assert {envelope.correlation_id for envelope, _ in events} == {"thread-1"}


async def test_two_members_with_the_same_batch_record_it_once(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    batch = [received(joint, status=Status.IN_PROGRESS, note=str(n)) for n in range(5)]
    await asyncio.gather(*(intake.apply(batch) for _ in range(4)))
    assert [e.version for _, e in await register.events("status-changed")] == [2, 3, 4, 5, 6]


async def test_ministries_do_not_share_their_report_ids(register: Register, joint: str) -> None:
    report_id = uuid4()
    intake = ReportIntake(register.database, StoppedClock())
    await intake.apply(
        [
            received(joint, report_id, "mx-sre", country=Country.MX),
            received(joint, report_id, "ca-gac", country=Country.CA),
        ]
    )
    assert [e.reported_by.client for _, e in await register.events("status-changed")] == ["mx-sre", "ca-gac"]


async def test_a_report_that_can_not_be_undoes_its_batch_and_says_why(register: Register, joint: str) -> None:
    intake = ReportIntake(register.database, StoppedClock())
    good = received(joint, status=Status.IN_PROGRESS)
    for bad, error in [
        (received("no-such-thing"), Unknown),
        (received(joint, expected_version=9), VersionDiffers),
        (received(joint, status=Status.ANNOUNCED), StatusRefused),
        (received(joint, good.report.report_id, status=Status.MISSED), ReportChanged),
    ]:
        with pytest.raises(error):
            await intake.apply([good, bad])
        assert (await register.count("inbox"), await register.count("status_update")) == (0, 0)
    await intake.apply([good])
    with pytest.raises(ReportChanged):
        await intake.apply([received(joint, good.report.report_id, status=Status.MISSED)])
