"""Ministries over HTTP: operators enter them, everybody reads them, and whose one is stays."""

from typing import Any
from uuid import uuid4

import pytest

from contracts.envelope import Envelope
from contracts.events import StatusReported
from contracts.vocabulary import Status
from services.registry.actions.rejections import RecordPlace
from services.registry.intake import ReportIntake
from services.registry.received_reports import ReceivedReport
from services.registry.rules.errors import RegistryError
from tests.registry.scenes import Register

MRE = {
    "code": "br-mre",
    "party": "BR",
    "name": {"pt": "Ministério das Relações Exteriores", "en": "Ministry of Foreign Affairs"},
    "contact": "imprensa@mre.example",
}


async def enter(register: Register, **changes: Any) -> Any:
    return await register.send("POST", "/ministries", MRE | changes, by="operators")


async def test_the_statements_own_are_there_and_none_is_compiled_in(register: Register) -> None:
    """
    They come with the catalogue; what an operator enters stands beside them.
    """
    found = (await register.get("/ministries"))["items"]
    assert [(one["code"], one["party"]) for one in found] == [("ca-gac", "CA"), ("mx-sre", "MX"), ("us-dos", "US")]
    assert all(set(one["name"]) == {"en", "es", "fr"} for one in found)

    answer = await enter(register)

    assert answer.status_code == 201, answer.text
    assert answer.json() == await register.get("/ministries/br-mre")
    assert answer.json()["reports_on"] == "status-reported-br-mre"
    assert len((await register.get("/ministries"))["items"]) == 4


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"code": "mx-sre"}, 409),
        ({"party": "XX"}, 422),
        ({"party": "Brazil"}, 422),
        ({"name": {}}, 422),
        ({"name": {"Portuguese": "Ministério"}}, 422),
        ({"name": {"pt": "\u200b"}}, 422),
        ({"code": "Br Mre"}, 422),
        ({"code": "br-mre-dead", "party": "BR"}, 422),
        ({"unknown": 1}, 422),
        ({"party": "org-african-union", "code": "au-commission"}, 201),
    ],
)
async def test_what_is_no_ministry_is_refused(register: Register, changes: dict[str, Any], status: int) -> None:
    assert (await enter(register, **changes)).status_code == status


async def test_only_operators_enter_and_change(register: Register) -> None:
    for by in ("desk", "mx"):
        assert (await register.send("POST", "/ministries", MRE, by=by)).status_code == 403
        facts = {name: MRE[name] for name in ("party", "name")}
        assert (await register.send("PUT", "/ministries/mx-sre", facts, by=by)).status_code == 403


async def test_what_it_is_called_can_change_and_whose_it_is_can_not(register: Register) -> None:
    name = {"es": "Cancillería"}

    changed = await register.send("PUT", "/ministries/mx-sre", {"party": "MX", "name": name}, by="operators")
    refused = await register.send("PUT", "/ministries/mx-sre", {"party": "BR", "name": name}, by="operators")
    unknown = await register.send("PUT", "/ministries/br-mre", {"party": "BR", "name": name}, by="operators")

    assert (changed.status_code, changed.json()["name"]) == (200, name)
    assert (refused.status_code, unknown.status_code) == (422, 404)


async def test_a_report_says_what_its_ministry_is_called(register: Register, joint: str) -> None:
    """
    In the event and in the history, so that who reads the event alone can show it.
    """
    await register.report(joint, status="in-progress", party="MX")

    ((_, event),) = await register.events("status-changed")
    assert event.reported_by.ministry == "mx-sre"
    assert event.reported_by.ministry_name.in_language("es").text == "Secretaría de Relaciones Exteriores de México"
    (update,) = (await register.get(f"/commitments/{joint}"))["status_updates"]
    assert update["reported_by"]["ministry_name"] == event.reported_by.ministry_name.root


async def test_a_ministry_that_nobody_has_entered_is_not_heard(register: Register, joint: str) -> None:
    """
    Its topic may be there already; what it says goes to the dead letters, with the reason, and can be replayed.
    """
    report = StatusReported(
        report_id=uuid4(), commitment_id=joint, status=Status.IN_PROGRESS, reported_at=register.clock.now()
    )
    place = RecordPlace("status-reported-br-mre", 0, 0)
    received = ReceivedReport("br-mre", place, Envelope(uuid4(), register.clock.now(), joint), report)
    intake = ReportIntake(register.database, register.clock)

    with pytest.raises(RegistryError, match="br-mre"):
        await intake.apply([received])
    await enter(register)
    await intake.apply([received])

    ((_, refused),) = await register.events("status-rejected-br-mre")
    assert refused.reason == "party-not-bound", "heard, and no party of the statement"
