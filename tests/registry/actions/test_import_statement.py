"""A statement is imported on a real PostgreSQL: each thing once, edits without an event, copies with the same words."""

import asyncio

import pytest

from contracts.vocabulary import Text
from services.registry.actions.events import ActionContext
from services.registry.actions.import_statement import import_catalogue, read_catalogue
from services.registry.catalogue.loading import NALS_2021, load
from services.registry.rules.errors import AlreadyExists
from tests.registry.scenes import MOVED, NOW, Register


def reworded(text: Text, **words: str) -> Text:
    return Text(text.root | words)


async def test_an_import_publishes_each_commitment_and_each_milestone_once(register: Register) -> None:
    loaded = load()
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


async def test_importing_again_publishes_nothing(register: Register) -> None:
    before = await register.count("outbox")
    again = await register.send("POST", "/statements/import", {"catalogue": "nals-2021"})
    assert (again.json()["created"], again.json()["scheduled"]) == (0, 0)
    assert await register.count("outbox") == before


async def test_imports_at_once_publish_everything_once(register: Register) -> None:
    before = await register.count("outbox")
    answers = await asyncio.gather(
        *(register.send("POST", "/statements/import", {"catalogue": "nals-2021"}) for _ in range(4))
    )
    assert [a.status_code for a in answers] == [200] * 4
    assert await register.count("outbox") == before


async def test_an_edited_summary_is_taken_over_without_an_event(register: Register, joint: str) -> None:
    loaded, published = read_catalogue(NALS_2021)
    edited = loaded.commitments[0]
    edited = edited.model_copy(update={"summary": reworded(edited.summary, en="Said more clearly.")})
    changed = loaded.model_copy(update={"commitments": (edited, *loaded.commitments[1:])})
    await register.report(joint, status="at-risk")
    before = await register.count("outbox")
    async with register.database.transaction() as connection:
        taken = await import_catalogue(
            register.database, connection, register.holds, changed, published, ActionContext(NOW, "desk")
        )
    assert (taken.created, taken.scheduled, await register.count("outbox")) == (0, 0, before)
    record = await register.get(f"/commitments/{edited.id}")
    assert record["summary"]["en"] == "Said more clearly."
    assert (record["status"], record["version"]) == ("at-risk", 2), "its history is not the catalogue's"


async def test_an_import_does_not_take_back_what_became_known(register: Register) -> None:
    await register.send("PUT", "/anchors/nals-2022", MOVED)
    again = await register.send("POST", "/statements/import", {"catalogue": "nals-2021"})
    assert again.json()["scheduled"] == 0
    assert (await register.get("/anchors/nals-2022"))["span"]["edtf"] == "2023-01-10"


async def test_a_failed_import_leaves_nothing(register: Register) -> None:
    """A milestone id that another commitment has stops the whole."""
    loaded, published = read_catalogue(NALS_2021)
    owner = next(c for c in loaded.commitments if c.milestones)
    thief = loaded.commitments[0].model_copy(update={"id": "thief", "milestones": owner.milestones})
    changed = loaded.model_copy(update={"commitments": (*loaded.commitments, thief)})
    before = await register.count("outbox"), await register.count("commitment")
    with pytest.raises(AlreadyExists):
        async with register.database.transaction() as connection:
            await import_catalogue(
                register.database, connection, register.holds, changed, published, ActionContext(NOW, "desk")
            )
    assert (await register.count("outbox"), await register.count("commitment")) == before


async def test_renames_and_edited_words_publish_nothing(register: Register) -> None:
    loaded, published = read_catalogue(NALS_2021)
    renamed = [
        commitment.model_copy(
            update={
                "title": reworded(commitment.title, en="Another title"),
                "summary": reworded(commitment.summary, fr="Autre résumé"),
                "milestones": tuple(
                    m.model_copy(update={"title": reworded(m.title, es="Otro")}) for m in commitment.milestones
                ),
            }
        )
        for commitment in loaded.commitments
    ]
    anchors = [a.model_copy(update={"title": reworded(a.title, en="Renamed")}) for a in loaded.anchors]
    changed = loaded.model_copy(update={"commitments": tuple(renamed), "anchors": tuple(anchors)})
    before = (
        await register.count("outbox"),
        await register.count("anchor_news"),
        await register.count("milestone_schedule"),
    )
    async with register.database.transaction() as connection:
        await import_catalogue(
            register.database, connection, register.holds, changed, published, ActionContext(NOW, "desk")
        )
    after = (
        await register.count("outbox"),
        await register.count("anchor_news"),
        await register.count("milestone_schedule"),
    )
    assert after == before
    assert register.holds.taken == []
    assert (await register.get("/anchors/nals-2022"))["title"]["en"] == "Renamed"


async def test_a_copy_of_the_page_publishes_nothing_and_is_kept(register: Register) -> None:
    _, published = read_catalogue(NALS_2021)
    copied = (
        "\ufeff" + published.replace("www.whitehouse.gov", "www.gob.mx")
        .replace("North America", "North\u00a0America")
        .replace("competitive", "com\u200bpetitive")
        .replace("\n", "\r\n")
    )  # fmt: skip
    body = {"catalogue": "nals-2021", "copy": {"text": copied, "url": "https://www.gob.mx/sre/declaracion"}}
    before = await register.count("outbox")
    for _ in range(2):
        answer = await register.send("POST", "/statements/import", body)
        assert (answer.status_code, answer.json()["created"], answer.json()["scheduled"]) == (200, 0, 0)
    assert await register.count("outbox") == before
    statement = await register.get("/statements/nals-2021")
    assert [copy["url"] for copy in statement["copies"]] == ["https://www.gob.mx/sre/declaracion"]
    assert statement["copies"][0]["sha256"] != statement["sha256"]
    for commitment in load().commitments:
        quote = commitment.quote
        assert statement["text"][quote.start : quote.end] == quote.text


async def test_a_copy_with_other_words_is_refused_and_the_place_is_shown(register: Register) -> None:
    _, published = read_catalogue(NALS_2021)
    copy = {"text": published.replace("by 2050", "by 2040"), "url": "https://example.org/copy"}
    answer = await register.send("POST", "/statements/import", {"catalogue": "nals-2021", "copy": copy})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/other-words")
    assert "2050" in answer.json()["expected"]
    assert "2040" in answer.json()["found"]
    assert await register.count("statement_copy") == 0
