"""A statement by twenty parties, two of them organisations, in Spanish, fits: on a real PostgreSQL, beside another."""

from typing import Any

import pytest

from contracts.events import CommitmentCreated, MilestoneScheduled
from contracts.topics import BY_NAME
from contracts.vocabulary import Reading
from services.registry.wordings import read
from tests.contracts.golden_records import SOME_CAUSE
from tests.registry.catalogue.material import TWENTY_PARTIES, first_events, twenty_parties
from tests.registry.scenes import Register, schedule_events, take_in
from tests.registry.schemas import faults

ORGANISATIONS = ("org-african-union", "org-european-union")
SCHOOLS = "valparaiso-2022-agua-escuelas"
MAP = "valparaiso-2022-mapa-cuencas"
BUOYS = "valparaiso-2022-red-boyas"


@pytest.fixture
async def twenty(register: Register) -> Register:
    taken = await take_in(register.database, TWENTY_PARTIES)
    assert (taken.statement_id, taken.created, taken.scheduled) == ("valparaiso-2022", 6, 6)
    return register


async def of_the_statement(register: Register, topic: str) -> list[Any]:
    events = [event for _, event in await register.events(topic)]
    return [event for event in events if event.commitment.statement_id == "valparaiso-2022"]


async def test_its_events_say_whom_it_binds_and_in_which_language(twenty: Register) -> None:
    created = await of_the_statement(twenty, "commitment-created")
    scheduled = await of_the_statement(twenty, "milestone-scheduled")

    found = [event.model_copy(update={"cause": SOME_CAUSE}) for event in (*created, *scheduled)]
    assert found == sorted(first_events(twenty_parties()), key=lambda event: isinstance(event, MilestoneScheduled))
    for event in created:
        brief = event.commitment
        assert brief.language == "es"
        assert {"es"} <= brief.title.languages & brief.section_title.languages
        assert [one.code for one in brief.organisations] == [one for one in brief.parties if one.startswith("org-")]
    by_id = {event.commitment.id: event.commitment for event in created}
    assert len(by_id[SCHOOLS].parties) == 20
    assert [one.name.root["es"] for one in by_id[SCHOOLS].organisations] == ["Unión Africana", "Unión Europea"]
    assert by_id[MAP].parties == ORGANISATIONS
    assert (by_id[BUOYS].parties, by_id[BUOYS].organisations) == (("BR", "PT"), ())
    assert by_id[SCHOOLS].title.languages == {"es"}
    assert by_id[BUOYS].title.in_language("fr", "es") == ("Tender una red de boyas en el Atlántico", "es")


async def test_every_event_of_it_is_one_by_the_committed_schemas(twenty: Register) -> None:
    await twenty.report(MAP, status="in-progress", party="org-european-union")
    async with twenty.database.connection() as connection:
        rows = await connection.fetch("select topic, value from outbox where key = any($1)", [SCHOOLS, MAP, BUOYS])

    assert {row["topic"] for row in rows} == {"commitment-created", "milestone-scheduled", "status-changed"}
    for row in rows:
        assert faults(row["topic"], row["value"]) == []
        assert BY_NAME[row["topic"]].event.as_read(row["value"])


async def test_a_joint_deadline_ends_in_the_last_capital_or_seat(twenty: Register) -> None:
    zones = {
        event.milestone.id: event.milestone.zone for event in await of_the_statement(twenty, "milestone-scheduled")
    }

    assert zones == {
        f"{SCHOOLS}-plazo": "America/Costa_Rica",  # San José and Mexico City keep the same hours
        f"{MAP}-plazo": "Europe/Brussels",  # Addis Ababa ends a day before
        "valparaiso-2022-aguas-protegidas-meta": "America/Costa_Rica",
        f"{BUOYS}-plazo": "America/Sao_Paulo",
        "valparaiso-2022-revision-ritmo": "America/Costa_Rica",
        "valparaiso-2022-primeros-resultados-cumbre": "Africa/Nairobi",  # the event is where it takes place
    }


async def test_the_answer_tells_of_its_organisations_and_language(twenty: Register) -> None:
    statement = await twenty.get("/statements/valparaiso-2022")

    assert (statement["language"], len(statement["parties"])) == ("es", 20)
    assert [(one["code"], one["zone"]) for one in statement["organisations"]] == [
        ("org-african-union", "Africa/Addis_Ababa"),
        ("org-european-union", "Europe/Brussels"),
    ]
    assert statement["organisations"][1]["name"]["fr"] == "Union européenne"
    other = await twenty.get("/statements/nals-2021")
    assert (other["language"], other["organisations"]) == ("en", [])


async def test_each_of_twenty_has_its_status_and_the_whole_follows(twenty: Register) -> None:
    parties = twenty_parties().statement.parties
    for number, party in enumerate(parties, 1):
        answer = await twenty.report(SCHOOLS, status="met", party=party)
        assert answer.status_code == 201, answer.text
        record = await twenty.get(f"/commitments/{SCHOOLS}")
        assert [one["status"] for one in record["party_statuses"]] == ["met"] * number + ["announced"] * (20 - number)
        assert record["status"] == ("met" if number == 20 else "partly-met")

    told = await of_the_statement(twenty, "status-changed")
    assert [event.party for event in told] == list(parties)
    assert [event.seq for event in told] == list(range(1, 21))


async def test_lists_are_filtered_by_an_organisation_and_its_own_status(twenty: Register) -> None:
    async def ids(**wanted: str) -> list[str]:
        return [one["id"] for one in (await twenty.get("/commitments", limit=200, **wanted))["items"]]

    bound = [one.id for one in twenty_parties().commitments if "org-african-union" in one.parties]
    assert await ids(party="org-african-union") == bound
    await twenty.report(MAP, status="in-progress", party="org-european-union")
    assert await ids(party="org-european-union", status="in-progress") == [MAP]
    assert await ids(party="org-african-union", status="in-progress") == []
    assert await ids(party="JP") == []


@pytest.mark.parametrize("words", ["Tender una red de boyas", "rede de BOIAS", "instalarao uma rede"])
async def test_words_are_found_in_whatever_language_they_are_there(twenty: Register, words: str) -> None:
    found = await twenty.get("/commitments", q=words)
    assert [one["id"] for one in found["items"]] == [BUOYS]


async def test_when_the_summit_has_a_day_what_hangs_on_it_has_it(twenty: Register) -> None:
    (entry, *_) = twenty_parties().chronicle
    assert entry.span
    moved = {"edtf": entry.span.edtf, "source": {"text": entry.source.text}, "known_on": "2022-03-20"}

    assert (await twenty.send("PUT", "/anchors/cumbre-nairobi-2023", moved)).status_code == 200

    first, second = await schedule_events(twenty, "valparaiso-2022-primeros-resultados-cumbre")
    assert (first.milestone.span.edtf, second.milestone.span.edtf) == ("2023", "2023-06-06/2023-06-07")
    assert second.commitment == first.commitment


async def test_taking_it_in_again_publishes_nothing(twenty: Register) -> None:
    before = await twenty.count("outbox")
    again = await take_in(twenty.database, TWENTY_PARTIES)
    assert (again.created, again.scheduled, await twenty.count("outbox")) == (0, 0, before)


def test_its_time_words_are_read_as_its_catalogue_has_them() -> None:
    catalogue = twenty_parties()
    for commitment in catalogue.commitments:
        for milestone in commitment.milestones:
            found = read(milestone.wording, "es", catalogue.statement.made_on)
            if milestone.anchor_id:
                assert found.anchor and found.anchor.kind == "next-summit"
            else:
                assert (found.edtf, found.reading) == (milestone.span.edtf, milestone.reading), milestone.wording
                assert found.review_months == milestone.review_months
    assert {m.reading for c in catalogue.commitments for m in c.milestones} == {
        Reading.BY,
        Reading.ON,
        Reading.RECURRING,
    }


def test_what_is_told_first_holds_its_contracts() -> None:
    events = list(first_events(twenty_parties()))
    assert [type(event) for event in events] == [CommitmentCreated, MilestoneScheduled] * 6
    for event in events:
        assert type(event).as_read(event.model_dump_json()) == event
