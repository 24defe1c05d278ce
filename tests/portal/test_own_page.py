"""The page of one's own behind the link of a message: the portal and the real notifier, over real HTTP."""

import re
from typing import Any

import pytest

from services.portal.clients.notifier import NotifierApi
from services.portal.clients.service_client import ServiceClient, http_client
from services.portal.routes.posted_form import KEY_FIELD
from tests.notifier.scenes import LADDER, Filters
from tests.portal.conftest import ServedPortal
from tests.portal.readers import FORM, Reader, fields, reader, url
from tests.portal.test_pages import checked, words_in

__all__ = ["reader", "url"]


async def test_what_is_chosen_is_saved_and_said_and_the_page_turns_to_the_new_language(reader: Reader) -> None:
    id_, path = await reader.subscribed(filters=Filters(events=("milestone-due", "consistency-flagged")))
    page = await reader.open(path)
    answer = await reader.send(
        path, page, language="fr", zone="America/Toronto", events=["milestone-due"], ladder="week-day"
    )
    again = await reader.open(answer.headers["location"])
    row = await reader.row(id_)

    assert answer.status_code == 303
    assert (row["language"], row["zone"], row["events"]) == ("fr", "America/Toronto", ["milestone-due"])
    assert [rung["step"] for rung in row["ladder"]["rungs"]] == ["before-7d", "before-1d"]
    assert '<html lang="fr">' in again
    assert "Enregistré. Voici ce qui vaut désormais : Langue français" in words_in(again).replace("\xa0", " ")
    assert checked(again) == ["milestone-due", "week-day", "immediate", "none"]
    async with reader.database.connection() as connection:
        [told] = await connection.fetch("select action, client, before, after from audit_pending")
    assert (told["action"], told["client"]) == ("subscription.changed", "subscription-link")
    assert "reader@" not in str(dict(told))


async def test_only_what_differs_is_sent_and_nothing_where_nothing_does(reader: Reader) -> None:
    id_, path = await reader.subscribed(ladder=LADDER)
    before = dict(await reader.row(id_))
    answer = await reader.send(path, page := await reader.open(path))
    more = await reader.send(path, page, zone="America/Tijuana")
    after = dict(await reader.row(id_))

    assert "saved=nothing" in answer.headers["location"]
    assert "Nothing was different" in words_in(await reader.open(answer.headers["location"]))
    assert "saved=zone" in more.headers["location"]
    assert after == before | {"zone": "America/Tijuana"}


async def test_all_kinds_of_news_but_what_has_to_be_named_are_asked_for_as_everything(reader: Reader) -> None:
    """
    So that a kind of a later release comes, too.
    """
    id_, path = await reader.subscribed(filters=Filters(events=("consistency-flagged", "milestone-due")))
    everything = ["commitment-created", "milestone-scheduled", "milestone-due", "status-changed"]
    await reader.send(path, await reader.open(path), events=everything)
    assert (await reader.row(id_))["events"] == []

    await reader.send(path, await reader.open(path), events=[*everything, "consistency-flagged"])
    assert set((await reader.row(id_))["events"]) == {*everything, "consistency-flagged"}


async def test_who_gives_up_escalations_is_not_asked_any_more(reader: Reader) -> None:
    id_, path = await reader.subscribed(level="director")
    page = await reader.open(path)
    assert "milestone-escalated" in checked(page)
    await reader.send(path, page, events=["milestone-due"])
    row = await reader.row(id_)

    assert (row["level"], row["events"]) == (None, ["milestone-due"])
    assert "milestone-escalated" not in await reader.open(path), "nobody names themselves"


async def test_what_is_wrong_stands_beside_its_field_and_what_was_entered_stays(reader: Reader) -> None:
    id_, path = await reader.subscribed()
    before = dict(await reader.row(id_))
    page = await reader.open(path)
    answer = await reader.send(path, page, language="fr", zone="Mars/Olympus", events=[], ladder="never")

    assert answer.status_code == 422
    assert set(re.findall(r'id="wrong-(\w+)"', answer.text)) == {"zone", "events", "ladder"}
    assert '<option value="fr" selected>' in answer.text
    assert dict(await reader.row(id_)) == before


async def test_a_page_that_was_read_before_a_change_overwrites_nothing(reader: Reader) -> None:
    id_, path = await reader.subscribed()
    old = await reader.open(path)
    await reader.send(path, old, language="es")
    late = await reader.send(path, old, language="fr")

    assert (late.status_code, (await reader.row(id_))["language"]) == (409, "es")
    assert '<option value="fr" selected>' in late.text, "what was entered is still there"
    assert (await reader.send(path, late.text)).status_code == 303
    assert (await reader.row(id_))["language"] == "fr"


async def test_looking_changes_nothing(reader: Reader) -> None:
    id_, path = await reader.subscribed()
    before = dict(await reader.row(id_))
    for address in (path, f"{path}?do=pause", f"{path}/stop", f"{path}/stop?do=stop", f"{path}?saved=state"):
        for method in ("GET", "HEAD", "OPTIONS"):
            assert (await reader.browser.request(method, address)).status_code in (200, 204)

    assert dict(await reader.row(id_)) == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda browser, data, headers: data.pop(KEY_FIELD),
        lambda browser, data, headers: data.update({KEY_FIELD: "0" * 64}),
        lambda browser, data, headers: browser.cookies.clear(),
        lambda browser, data, headers: headers.update({"sec-fetch-site": "cross-site"}),
        lambda browser, data, headers: headers.update({"sec-fetch-site": "same-site"}),
    ],
    ids=["no-key", "another-key", "no-cookie", "another-site", "a-sibling"],
)
async def test_a_form_that_did_not_come_from_the_page_changes_nothing(reader: Reader, spoil: Any) -> None:
    id_, path = await reader.subscribed()
    before = dict(await reader.row(id_))
    for address, entered in ((path, {"language": "fr"}), (path, {"do": "pause"}), (f"{path}/stop", {"do": "stop"})):
        data, headers = fields(await reader.open(address)) | entered, dict(FORM)
        spoil(reader.browser, data, headers)
        answer = await reader.browser.post(address, data=data, headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers

    assert dict(await reader.row(id_)) == before


async def test_the_key_of_one_link_is_none_of_another(reader: Reader) -> None:
    _, mine = await reader.subscribed()
    other_id, other = await reader.subscribed(filters=Filters(themes=("trade",)))
    key = fields(await reader.open(mine))[KEY_FIELD]
    answer = await reader.send(other, await reader.open(other), **{KEY_FIELD: key, "do": "pause"})

    assert (answer.status_code, (await reader.row(other_id))["state"]) == (403, "active")


async def test_a_pause_begins_and_ends_on_the_page(reader: Reader) -> None:
    id_, path = await reader.subscribed()
    await reader.send(path, await reader.open(path), do="pause")
    assert (await reader.row(id_))["state"] == "paused"
    answer = await reader.send(path, await reader.open(path), do="resume")

    assert (await reader.row(id_))["state"] == "active"
    assert "Subscription Active" in words_in(await reader.open(answer.headers["location"]))


async def test_one_click_stops_it_or_makes_it_less(reader: Reader) -> None:
    id_, path = await reader.subscribed(filters=Filters(events=("consistency-flagged", "status-changed")))
    stop = f"{path}/stop"
    await reader.send(stop, await reader.open(stop), do="no-flags")
    assert (await reader.row(id_))["events"] == ["status-changed"]
    await reader.send(stop, page := await reader.open(stop), do="stop")
    again = await reader.send(stop, page, do="stop")
    row = await reader.row(id_)

    assert again.status_code == 303
    assert (row["state"], row["reason"]) == ("ended", "unsubscribed")
    assert "It has ended; nothing more is sent." in words_in(await reader.open(path))
    late = await reader.send(path, page, do="resume")
    assert (late.status_code, (await reader.row(id_))["state"]) == (409, "ended")


async def test_what_was_switched_off_is_not_switched_on_by_the_link(reader: Reader) -> None:
    id_, path = await reader.subscribed()
    page = await reader.open(path)
    async with reader.database.connection() as connection:
        await connection.execute("update subscription set state = 'disabled', reason = 'gone' where id = $1", id_)
    answer = await reader.send(path, page, do="resume", version="")

    assert (answer.status_code, (await reader.row(id_))["state"]) == (409, "disabled")
    assert "switched off" in words_in(answer.text)


async def test_without_the_notifier_what_was_entered_is_said_not_to_be_saved(
    reader: Reader, portal: ServedPortal
) -> None:
    _, path = await reader.subscribed()
    page = await reader.open(path)
    portal.use_notifier(NotifierApi(ServiceClient(http_client(), "http://127.0.0.1:9")))
    answer = await reader.send(path, page, language="fr")

    assert answer.status_code == 503


@pytest.mark.parametrize("body", [b"%ff=1", b"\xff", b"&".join(b"a%d=1" % n for n in range(200)), b"do=dance"])
async def test_what_is_no_form_of_ours_is_refused(reader: Reader, body: bytes) -> None:
    id_, path = await reader.subscribed()
    await reader.open(path)
    for address in (path, f"{path}/stop"):
        assert (await reader.browser.post(address, content=body, headers=FORM)).status_code in (403, 415, 422)
    assert (await reader.row(id_))["state"] == "active"
