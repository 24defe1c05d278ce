"""Commitments over HTTP: pages, filters, one with its words and history, and its tag."""

import unicodedata
from typing import Any, Literal

import pytest

from services.registry.catalogue.loading import load
from tests.registry.scenes import PROOF, Register


async def test_pages_hold_every_commitment_once_in_the_order_of_the_text(register: Register) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await register.get("/commitments", limit=7, **cursor)
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    loaded = sorted(load().commitments, key=lambda c: (c.quote.start, c.id))
    assert seen == [c.id for c in loaded]


async def test_filters_choose(register: Register, joint: str) -> None:
    loaded = load().commitments

    async def ids(**params: Any) -> set[str]:
        return {item["id"] for item in (await register.get("/commitments", limit=200, **params))["items"]}

    assert await ids(theme="climate") == {c.id for c in loaded if "climate" in c.themes}
    assert await ids(section="climate-crisis") == {c.id for c in loaded if c.section == "climate-crisis"}
    assert await ids(party="CA") == {c.id for c in loaded if "CA" in c.parties}
    due = {c.id for c in loaded for m in c.milestones if m.span.latest and m.span.latest.year <= 2022}
    assert await ids(due_to="2022-12-31") == due
    assert not await ids(due_from="2060-01-01")
    assert joint in await ids(q=loaded[0].title.root["fr"].upper())
    assert not await ids(q="%")
    await register.report(joint, status="met", party="MX")
    assert await ids(status="partly-met") == {joint}
    assert await ids(status="met", party="MX") == {joint}
    assert not await ids(status="met", party="CA")


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
async def test_words_are_found_however_they_are_composed(
    register: Register, form: Literal["NFC", "NFD", "NFKC", "NFKD"]
) -> None:
    """What is canonically equal is equal, and accents, case, apostrophes and space don't count."""
    slug = "nals-2021-aviation-net-zero"
    title = next(one for one in load().commitments if one.id == slug).title.root["fr"]
    bare = "".join(c for c in unicodedata.normalize("NFD", title) if not unicodedata.combining(c))

    for words in (title, bare, bare.upper(), title.replace("’", "'"), title.replace(" ", "\u00a0")):
        found = await register.get("/commitments", q=unicodedata.normalize(form, words)[:100])
        assert [item["id"] for item in found["items"]] == [slug], words
    assert (await register.get("/commitments", q="oeuvrer", limit=200))["items"]


async def test_a_hyphen_is_found_by_every_hyphen_and_dash(register: Register) -> None:
    """
    Word processors write another one than keyboards, and nobody sees which it is.
    """
    expected = await ids_of(register, "COVID-19")

    assert expected
    for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d":
        assert await ids_of(register, f"covid{dash}19") == expected, f"U+{ord(dash):04X}"
    assert await ids_of(register, "covid19") != expected


async def ids_of(register: Register, words: str) -> set[str]:
    """The commitments that are found by these words."""
    return {item["id"] for item in (await register.get("/commitments", q=words, limit=200))["items"]}


async def test_a_commitment_shows_its_words_where_they_stand_and_its_history(register: Register, joint: str) -> None:
    await register.report(joint, status="in-progress", note="began", evidence=PROOF)
    record = await register.get(f"/commitments/{joint}")
    passage = record["passage"]
    assert passage["text"][passage["start"] : passage["end"]] == record["quote"]["text"]
    text = (await register.get("/statements/nals-2021"))["text"]
    assert text[record["quote"]["start"] : record["quote"]["end"]] == record["quote"]["text"]
    (update,) = record["status_updates"]
    assert (update["previous"], update["status"], update["version"]) == ("announced", "in-progress", 2)
    assert (update["reported_by"]["client"], update["reported_by"]["ministry"]) == ("mx", "mx-sre")


async def test_who_has_the_tag_is_not_sent_it_again(register: Register, joint: str) -> None:
    first = await register.client.get(f"/commitments/{joint}")
    tag = {"if-none-match": f'"other", W/{first.headers["etag"]}'}
    assert (await register.client.get(f"/commitments/{joint}", headers=tag)).status_code == 304
    await register.report(joint, status="met")
    assert (await register.client.get(f"/commitments/{joint}", headers=tag)).status_code == 200
