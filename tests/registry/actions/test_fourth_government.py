"""A fourth government comes with its statement alone, in a language that nobody here reads: on a real PostgreSQL.

Its events are those of the contracts as they are committed, so nothing that other systems have changes.
"""

from typing import Any

import pytest

from contracts.topics import BY_NAME
from tests.registry.catalogue.material import BRAZIL
from tests.registry.scenes import Register, pointed_at, take_in
from tests.registry.schemas import faults

RESTORE = "florestas-2022-restaurar"
REPORT = "Publicaremos um relatório de progresso todos os anos."


@pytest.fixture
async def brazil(register: Register) -> Register:
    taken = await take_in(register.database, BRAZIL)
    assert (taken.created, taken.scheduled) == (1, 1)
    return register


def new(**milestone: Any) -> dict[str, Any]:
    words = {"pt": "Publicar um relatório todos os anos"}
    return {
        "id": "florestas-2022-relatorio", "statement_id": "florestas-2022", "quote": REPORT, "verb": "Publicaremos",
        "title": words, "summary": words, "section": "florestas", "themes": ["nature"], "strength": "commit",
        "milestones": [{"id": "florestas-2022-anual", "wording": "todos os anos", "title": words, **milestone}],
    }  # fmt: skip


async def test_its_events_hold_the_committed_schemas(brazil: Register) -> None:
    answer = await brazil.report(RESTORE, status="in-progress", party="BR")
    assert answer.status_code == 201, answer.text

    async with brazil.database.connection() as connection:
        rows = await connection.fetch("select topic, value from outbox where key = $1 order by id", RESTORE)
    assert [row["topic"] for row in rows] == ["commitment-created", "milestone-scheduled", "status-changed"]
    for row in rows:
        assert faults(row["topic"], row["value"]) == []
        event: Any = BY_NAME[row["topic"]].event.as_read(row["value"])
        assert (event.commitment.language, event.commitment.parties) == ("pt", ("BR",))
        assert event.commitment.title.languages == {"pt"}
    scheduled: Any = BY_NAME["milestone-scheduled"].event.as_read(rows[1]["value"])
    assert (scheduled.milestone.zone, scheduled.milestone.wording_language) == ("America/Sao_Paulo", "pt")


async def test_its_time_words_are_shown_unsettled(brazil: Register) -> None:
    """The date is the editor's; of the words nobody says that they hold none."""
    (milestone,) = (await brazil.get(f"/commitments/{RESTORE}"))["milestones"]

    read_as = milestone["read_as"]
    assert (milestone["span"]["edtf"], read_as["edtf"]) == ("2030", None)
    assert (read_as["settled"], read_as["rules"]) == (False, ["no-lexicon"])
    assert [one["rule"] for one in read_as["alternatives"]] == ["by-a-person"]


async def test_an_editor_says_what_its_time_words_mean(brazil: Register) -> None:
    left_out = await brazil.send("POST", "/commitments", new())
    assert (left_out.status_code, left_out.json()["type"]) == (422, "/problems/language-unread")
    assert pointed_at(left_out) == "#/milestones/0/reading"
    assert "(pt)" in left_out.json()["detail"]
    on_an_anchor = await brazil.send("POST", "/commitments", new(anchor_id="nals-2022"))
    assert on_an_anchor.json()["type"] == "/problems/language-unread"

    said = await brazil.send("POST", "/commitments", new(reading="recurring"))
    assert said.status_code == 201, said.text
    (milestone,) = said.json()["commitment"]["milestones"]
    assert (milestone["reading"], milestone["span"]["edtf"], milestone["wording_language"]) == ("recurring", None, "pt")


async def test_another_reading_policy_moves_nothing_of_it(brazil: Register) -> None:
    answer = await brazil.send(
        "PUT", "/statements/florestas-2022/reading-policy", {"policy": {"deadline": "start-of-span"}}
    )
    assert (answer.status_code, answer.json()["rescheduled"]) == (200, [])


async def test_it_is_found_by_its_own_words(brazil: Register) -> None:
    found = await brazil.get("/commitments", q="DOZE MILHOES", party="BR")
    assert [one["id"] for one in found["items"]] == [RESTORE]
