"""A commitment is entered on a real PostgreSQL, where it fits its statement."""

from typing import Any

import pytest

from contracts.events import CommitmentCreated
from tests.registry.scenes import Register, new_commitment


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


async def test_a_milestone_s_words_stand_in_its_own_quote(register: Register) -> None:
    """Words that stand elsewhere in the statement date another undertaking."""
    words = {"en": "a", "es": "b", "fr": "c"}
    elsewhere = {"id": "made-elsewhere", "wording": "by 2030", "title": words, "reading": "by", "edtf": "2030"}

    answer = await register.send("POST", "/commitments", new_commitment(milestones=[elsewhere]))

    assert (answer.status_code, answer.json()["field"]) == (422, "wording")
    assert await register.count("commitment where id = 'desk-made'") == 0
