"""A statement by twenty parties, two of them organisations, in Spanish, beside one by three in English."""

import re

import pytest

from contracts.vocabulary import Status
from services.registry.views.commitments import PartyStatusEntry
from tests.portal.conftest import ServedPortal
from tests.portal.spoken import heard
from tests.portal.test_pages import words_in

ALL = "/commitments/valparaiso-2022-aguas-protegidas"
WATER_ID = "valparaiso-2022-agua-escuelas"
WATER = f"/commitments/{WATER_ID}"
MAP = "/commitments/valparaiso-2022-mapa-cuencas"


def test_the_parties_to_choose_from_are_those_of_the_statements(both: ServedPortal) -> None:
    page = both.get("/", accept_language="fr").text
    select = page[page.index('<select id="party"') : page.index("</select>", page.index('<select id="party"'))]
    options = re.findall(r'<option value="([^"]+)"( lang="[a-z]+")?>([^<]+)</option>', select)
    statements = both.services.register.statements()

    assert {code for code, _, _ in options} == {code for one in statements for code in one.parties}
    assert [name for _, _, name in options if name.startswith(("E", "É", "Un"))] == [
        "Espagne",
        "États-Unis",
        "Unión Africana",
        "Union européenne",
    ]
    assert [(code, lang) for code, lang, _ in options if lang] == [("org-african-union", ' lang="es"')]


def test_what_an_organisation_has_signed_can_be_asked_for(both: ServedPortal) -> None:
    page = both.get("/?party=org-european-union")

    assert any("party=org-european-union&" in path for path in both.services.asked)
    assert '<option value="org-european-union" selected>European Union</option>' in page.text
    assert "5 commitments in this choice" in words_in(page.text)


def test_many_parties_are_counted_on_the_list_and_named_on_their_page(both: ServedPortal) -> None:
    listed, page, few = (words_in(both.get(path).text) for path in ("/", ALL, MAP))

    assert "Announced 20 parties “para 2030”" in listed or "Announced 20 parties para 2030" in listed
    assert "Parties African Union, Argentina, Brazil, Cape Verde, Chile" in page
    assert "Spain, and Uruguay" in page
    assert "Parties African Union and European Union" in few


def test_many_parties_that_differ_stand_by_their_statuses(both: ServedPortal) -> None:
    records = both.services.register.records
    statuses = [Status.MET, Status.ANNOUNCED] + [Status.IN_PROGRESS] * 18
    told = tuple(
        PartyStatusEntry(party=party, status=status)
        for party, status in zip(records[WATER_ID].parties, statuses, strict=True)
    )
    records[WATER_ID] = records[WATER_ID].model_copy(update={"party_statuses": told})

    assert "Announced Brazil In progress African Union, Cape Verde," in words_in(both.get(WATER).text)
    assert "Met Argentina" in words_in(both.get(WATER).text)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_text_is_in_the_nearest_language_that_there_is(both: ServedPortal, language: str) -> None:
    spoken = dict(heard(both.get(WATER, accept_language=language).text))

    assert spoken["Llevar agua potable a todas las escuelas rurales"] == "es"
    assert spoken["Todas las escuelas rurales tienen agua potable"] == "es"
    waters = dict(heard(both.get(ALL, accept_language=language).text))
    assert waters["Protect 30% of the waters" if language == "en" else "Proteger el 30 % de las aguas"] == (
        "en" if language == "en" else "es"
    )
