"""The other pages behind links: who lost theirs, what a channel has changed, and saying that one is on it."""

import re
from datetime import timedelta
from typing import Any

import pytest

from services.notifier.subscriptions.subscription_links import SHARED_DAYS
from tests.notifier.scenes import NOW, TOKENS, UNDO_TOKENS
from tests.portal.conftest import ServedPortal
from tests.portal.readers import FORM, Reader, fields, reader, url
from tests.portal.test_pages import COAL, words_in

__all__ = ["reader", "url"]
LAST_DAY = NOW.date() + timedelta(days=SHARED_DAYS)


async def test_who_lost_the_link_is_answered_alike_whoever_it_is(reader: Reader) -> None:
    await reader.subscribed()
    answers = []
    for address in ("reader@example.org", "nobody@example.org", "reader@example.org"):
        page = await reader.open("/lost-link")
        answers.append(await reader.send("/lost-link", page, address=address))
    shown = words_in(await reader.open(answers[0].headers["location"]))
    async with reader.database.connection() as connection:
        rows = await connection.fetch("select * from link_request")

    assert {(one.status_code, one.headers["location"], one.content) for one in answers} == {
        (303, "/lost-link?asked=1", b"")
    }
    assert "If we write to this address, a mail with the links is on its way" in shown
    assert len(rows) == 2 and "example.org" not in str([dict(row) for row in rows])


async def test_who_asks_without_end_waits_and_what_is_no_address_stands_beside_its_field(reader: Reader) -> None:
    page = await reader.open("/lost-link")
    wrong = await reader.send("/lost-link", page, address="no address")
    answers = [await reader.send("/lost-link", page, address=f"a{n}@example.org") for n in range(8)]
    foreign = await reader.browser.post("/lost-link", data={"address": "a@example.org"}, headers=FORM)

    assert (wrong.status_code, 'id="wrong-address"' in wrong.text) == (422, True)
    assert (answers[0].status_code, answers[-1].status_code, foreign.status_code) == (303, 429, 403)
    assert "a7@example.org" in answers[-1].text, "what was entered is still there"


async def test_what_is_changed_by_a_channels_link_is_put_back_on_a_page(reader: Reader) -> None:
    id_, endless = await reader.subscribed("slack")
    path = f"/subscriptions/{TOKENS.token(id_, LAST_DAY)}"
    await reader.send(path, await reader.open(path), language="es", ladder="day")
    async with reader.database.connection() as connection:
        change = await connection.fetchval("select id from shared_change")
    undo = f"/undo/{UNDO_TOKENS.token(change, LAST_DAY)}"
    page = await reader.open(undo)
    looked = dict(await reader.row(id_))
    done = await reader.send(undo, page)
    after = await reader.row(id_)

    assert (await reader.browser.get(endless)).status_code == 410
    text = words_in(page).replace("\xa0", " ")
    assert "Antes Idioma inglés" in text and "Ahora Idioma español" in text
    assert looked["language"] == "es", "looking changes nothing"
    assert (done.status_code, after["language"], after["ladder"]) == (303, "en", None)
    assert "It has been put back." in words_in(await reader.open(undo))
    foreign = await reader.browser.post(undo, data={"do": "undo"}, headers=FORM)
    assert foreign.status_code == 403


async def test_a_link_of_a_channel_that_has_ended_says_where_another_is(reader: Reader) -> None:
    id_, _ = await reader.subscribed("teams")
    over = await reader.browser.get(f"/subscriptions/{TOKENS.token(id_, NOW.date() - timedelta(days=1))}")

    assert over.status_code == 410
    assert "Open the one in the newest message there." in words_in(over.text)


def on_it(portal: ServedPortal, **changes: Any) -> str:
    """The page of somebody who is asked about coal finance."""
    portal.services.ask_about(COAL.rpartition("/")[2], **changes)
    return "/on-it/asked"


async def test_who_was_asked_says_on_the_page_that_they_are_on_it(reader: Reader, portal: ServedPortal) -> None:
    path = on_it(portal, language="es")
    page = await reader.open(path)
    assert "Nadie ha avisado" in words_in(page)
    assert portal.services.acknowledged == []
    done = await reader.send(path, page, name="Ana Ruiz, SRE", note="Esta semana.\nCon las tres.")
    again = await reader.send(path, page, name="Ana Ruiz, SRE", note="Esta semana.\nCon las tres.")
    after = words_in(await reader.open(done.headers["location"]))

    assert (done.status_code, again.status_code) == (303, 303)
    [(key, made), (repeated, _)] = portal.services.acknowledged
    assert key == repeated, "the same form again is the same request"
    assert made == {"name": "Ana Ruiz, SRE", "note": "Esta semana. Con las tres."}
    assert "Gracias. Ana Ruiz, SRE se hace cargo." in after


async def test_a_name_is_needed_and_what_was_entered_stays(reader: Reader, portal: ServedPortal) -> None:
    path = on_it(portal)
    page = await reader.open(path)
    nameless = await reader.send(path, page, note="This week.")
    hidden = await reader.send(path, page, name="A\u202eB")
    foreign = await reader.browser.post(path, data=fields(page) | {"name": "Eve", "form-key": "x"}, headers=FORM)

    assert (nameless.status_code, hidden.status_code, foreign.status_code) == (422, 422, 403)
    assert 'id="wrong-name"' in nameless.text and "This week." in nameless.text
    assert portal.services.acknowledged == []


async def test_who_is_on_it_already_is_named_and_taken_over_from_by_name(reader: Reader, portal: ServedPortal) -> None:
    path = on_it(portal)
    early = await reader.open(path)
    portal.services.let_be_on_it("Luc Roy")
    refused = await reader.send(path, early, name="Ana Ruiz")
    taken = await reader.send(path, refused.text, name="Ana Ruiz")

    assert refused.status_code == 409
    assert "Luc Roy has been on it since" in words_in(refused.text)
    assert "Take it over from Luc Roy" in words_in(refused.text) and 'value="Ana Ruiz"' in refused.text
    assert (taken.status_code, portal.services.acknowledged[-1][1]["take_over_from"]) == (303, "Luc Roy")


@pytest.mark.parametrize(("state", "said"), [("settled", "It is met or withdrawn"), ("dormant", "It is not overdue")])
async def test_where_nobody_is_needed_there_is_no_form(
    reader: Reader, portal: ServedPortal, state: str, said: str
) -> None:
    page = await reader.open(on_it(portal, state=state))

    assert said in words_in(page)
    assert not re.search("<form", page)


@pytest.mark.parametrize("token", ["nobody", "a/b", "%00"])
async def test_a_link_that_was_not_made_leads_nowhere(reader: Reader, token: str) -> None:
    for page in ("on-it", "undo", "subscriptions"):
        assert (await reader.browser.get(f"/{page}/{token}")).status_code == 404
