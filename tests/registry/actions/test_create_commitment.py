"""A commitment is entered on a real PostgreSQL, where it fits its statement."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import CommitmentCreated, StatementRef
from services.registry.actions.create_commitment import fit_to_statement
from services.registry.actions.inputs import NewCommitment
from services.registry.rules.errors import Invalid
from services.registry.store.statements import StatementFacts
from services.registry.wordings import DEFAULT
from tests.registry.catalogue.material import CATALOGUE
from tests.registry.scenes import Register, field_of, new_commitment, pointed_at


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
        ({"parties": ["CA"]}, 201, None),
        ({"parties": ["CA", "BR"]}, 422, "parties"),
        ({"statement_id": "nals-2044"}, 404, None),
    ],
)
async def test_a_commitment_has_to_fit_its_statement(
    register: Register, changes: dict[str, Any], status: int, field: str | None
) -> None:
    answer = await register.send("POST", "/commitments", new_commitment(**changes))
    assert (answer.status_code, field_of(answer)) == (status, field), answer.text
    assert await register.count("commitment where id = 'desk-made'") == (status == 201)


def made_with(**milestone: Any) -> dict[str, Any]:
    """A milestone of a new commitment, behind one that fits."""
    first, second = new_commitment()["milestones"]
    return new_commitment(milestones=[first, {**second, **milestone}])


@pytest.mark.parametrize(
    ("body", "kind", "pointer"),
    [
        (new_commitment(parties=["CA", "XX"]), "unknown-party", "#/parties/1"),
        (new_commitment(parties=["org-african-union"]), "unknown-party", "#/parties/0"),
        (new_commitment(parties=["CA", "BR"]), "refused-by-rule", "#/parties/1"),
        (made_with(parties=["MX", "UK"]), "unknown-party", "#/milestones/1/parties/1"),
        (made_with(parties=["BR"]), "refused-by-rule", "#/milestones/1/parties/0"),
        (new_commitment(title={"es": "b", "pt": "d"}), "refused-by-rule", "#/title"),
        (new_commitment(summary={"en-CA": "a"}), "refused-by-rule", "#/summary"),
        (made_with(title={"fr": "c"}), "refused-by-rule", "#/milestones/1/title"),
        (made_with(wording="in the year of the dragon"), "refused-by-rule", "#/milestones/1/wording"),
        (made_with(anchor_id="no-such"), "refused-by-rule", "#/milestones/1/anchor_id"),
    ],
)
async def test_what_does_not_fit_is_pointed_at(
    register: Register, body: dict[str, Any], kind: str, pointer: str
) -> None:
    answer = await register.send("POST", "/commitments", body)

    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}"), answer.text
    assert pointed_at(answer) == pointer
    assert await register.count("commitment where id = 'desk-made'") == 0


async def test_words_in_other_languages_are_welcome(register: Register) -> None:
    words = {"en": "a", "pt": "d", "zh-Hant": "e"}
    answer = await register.send("POST", "/commitments", new_commitment(title=words, summary=words))

    assert answer.status_code == 201, answer.text
    record = await register.get("/commitments/desk-made")
    assert (record["title"], record["summary"]) == (words, words)


TAGS = st.sampled_from(["en", "es", "es-MX", "fr", "pt", "zh-Hant"])
TEXTS = st.dictionaries(TAGS, st.just("words"), min_size=1)


@given(TAGS, TEXTS, TEXTS, TEXTS)
def test_words_are_taken_exactly_where_the_original_is_among_them(
    language: str, title: dict[str, str], summary: dict[str, str], milestone: dict[str, str]
) -> None:
    statement = CATALOGUE.statement
    facts = StatementFacts(
        ref=StatementRef(**{name: getattr(statement, name) for name in StatementRef.model_fields}),
        parties=statement.parties,
        organisations=(),
        text=statement.text,
        sections=CATALOGUE.sections,
        themes=CATALOGUE.themes,
        language=language,
        policy=DEFAULT,
    )
    (first, _) = new_commitment()["milestones"]
    body = new_commitment(title=title, summary=summary, milestones=[{**first, "title": milestone}])
    new = NewCommitment.model_validate_json(json.dumps(body))

    if language in title.keys() & summary.keys() & milestone.keys():
        made = fit_to_statement(new, facts, {})
        assert (made.title.root, made.summary.root, made.milestones[0].title.root) == (title, summary, milestone)
    else:
        with pytest.raises(Invalid, match="own language"):
            fit_to_statement(new, facts, {})


async def test_a_milestone_s_words_stand_in_its_own_quote(register: Register) -> None:
    """Words that stand elsewhere in the statement date another undertaking."""
    words = {"en": "a", "es": "b", "fr": "c"}
    elsewhere = {"id": "made-elsewhere", "wording": "by 2030", "title": words, "reading": "by", "edtf": "2030"}

    answer = await register.send("POST", "/commitments", new_commitment(milestones=[elsewhere]))

    assert (answer.status_code, field_of(answer)) == (422, "wording")
    assert await register.count("commitment where id = 'desk-made'") == 0
