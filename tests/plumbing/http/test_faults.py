"""What a request lacks is told part by part: where, by a code, and in the caller's language."""

import asyncio
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import httpx2 as httpx
import pytest
from fastapi import Body, Header, Query
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import Field
from pydantic_core._pydantic_core import list_all_errors

from contracts.entered import EnteredLine
from contracts.vocabulary import Day
from services.i18n.languages import LANGUAGES, SOURCE
from services.i18n.words import answer_language, words_in
from services.plumbing.http.app import web_app
from services.plumbing.http.faults import pointer_to
from services.plumbing.http.form_faults import FORM_FAULTS, OTHER_FAULT
from services.plumbing.http.forms import StrictRequestModel, strict_body
from services.plumbing.http.problem_documents import PROBLEM_SCHEMA


class Part(StrictRequestModel):
    """A part."""

    name: EnteredLine
    on: Day | None = None
    count: int = 0
    kind: Literal["one", "other"] = "one"


class Whole(StrictRequestModel):
    """A whole."""

    parts: list[Part]
    words: dict[str, EnteredLine] = Field(default_factory=dict)


def client() -> httpx.AsyncClient:
    """A client of an interface with these forms."""
    app = web_app("test", "Test", {}, languages=answer_language)

    @app.post("/wholes")
    async def make(whole: Annotated[Whole, Body(), strict_body(Whole)]) -> None:
        """Make it."""

    @app.get("/wholes")
    async def look(limit: Annotated[int, Query(ge=1)], x_part: Annotated[int, Header()] = 1) -> None:
        """Look."""

    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here")


async def told(body: Any, language: str = "en") -> httpx.Response:
    async with client() as http:
        return await http.post("/wholes", json=body, headers={"Accept-Language": language})


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "#/parts", "missing"),
        ([], "#", "not-object"),
        ({"parts": {}}, "#/parts", "not-list"),
        ({"parts": [{"name": "a"}, {}]}, "#/parts/1/name", "missing"),
        ({"parts": [{"name": 3}]}, "#/parts/0/name", "not-text"),
        ({"parts": [{"name": "a\u0007"}]}, "#/parts/0/name", "pattern"),
        ({"parts": [{"name": "\u200b"}]}, "#/parts/0/name", "refused-by-rule"),
        ({"parts": [{"name": "a", "on": "tomorrow"}]}, "#/parts/0/on", "not-day"),
        ({"parts": [{"name": "a", "count": "3"}]}, "#/parts/0/count", "not-whole-number"),
        ({"parts": [{"name": "a", "kind": "third"}]}, "#/parts/0/kind", "not-in-list"),
        ({"parts": [], "a/b~c d": 1}, "#/a~1b~0c%20d", "unknown-member"),
        ({"parts": [], "words": {"x": 1}}, "#/words/x", "not-text"),
    ],
)
async def test_each_fault_has_its_place_and_a_code_that_is_the_same_in_every_language(
    body: Any, pointer: str, code: str
) -> None:
    documents = {}
    for language in LANGUAGES:
        answer = await told(body, language)
        assert (answer.status_code, answer.headers["content-language"]) == (422, language)
        assert answer.headers["vary"] == "Accept-Language"
        documents[language] = answer.json()
        Draft202012Validator(dict(PROBLEM_SCHEMA)).validate(answer.json())

    assert {(f["pointer"], f["code"]) for d in documents.values() for f in d["errors"]} == {(pointer, code)}
    assert len({d["type"] for d in documents.values()}) == 1
    assert len({d["title"] for d in documents.values()}) == len({d["errors"][0]["detail"] for d in documents.values()})
    assert len({d["title"] for d in documents.values()}) == len(LANGUAGES)


async def test_parameters_and_headers_are_named() -> None:
    async with client() as http:
        answer = await http.get("/wholes?limit=0", headers={"X-Part": "many", "Accept-Language": "fr-CA, en;q=0.5"})

    faults = answer.json()["errors"]
    assert [(f.get("parameter"), f.get("header"), f["code"]) for f in faults] == [
        ("limit", None, "too-small"),
        (None, "x-part", "not-whole-number"),
    ]
    assert faults[0]["detail"] == words_in("fr").gettext("It has to be %(ge)s or more", ge=1)


@pytest.mark.parametrize(
    ("accepted", "language"), [("de", "en"), ("de, es;q=0.4", "es"), ("*", "en"), ("x" * 900, "en")]
)
async def test_who_accepts_none_of_our_languages_is_answered_in_english(accepted: str, language: str) -> None:
    assert (await told({}, accepted)).headers["content-language"] == language


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["parts", "words", "name", "on", "kind", "x"]) | st.text(max_size=5), inner
            )
        ),
        max_leaves=12,
    )
)
def test_every_pointer_leads_into_the_body(body: Any) -> None:
    """Or, of what is missing, to where it would stand."""
    answer = asyncio.run(told(body))
    if answer.status_code != 422:
        return
    for fault in answer.json().get("errors", []):
        place = body
        parts = [unquote(part).replace("~1", "/").replace("~0", "~") for part in fault["pointer"][1:].split("/")[1:]]
        for number, part in enumerate(parts):
            if fault["code"] == "missing" and number == len(parts) - 1:
                assert part not in place
            else:
                place = place[int(part)] if isinstance(place, list) else place[part]


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != SOURCE])
def test_nothing_of_pydantic_is_left_in_english(language: str) -> None:
    says = words_in(language).gettext
    for known in {error["type"]: error for error in list_all_errors()}:
        if known in ("value_error", "assertion_error"):
            continue
        message = FORM_FAULTS.get(known, OTHER_FAULT).message.message
        assert says(message) != message, known


def test_what_pydantic_gives_is_all_that_its_sentences_ask_for() -> None:
    given_by_type = {error["type"]: set(error.get("example_context") or {}) for error in list_all_errors()}
    for name, fault in FORM_FAULTS.items():
        assert set(fault.values) <= given_by_type.get(name, set()), name


def test_a_pointer_is_escaped_as_a_fragment() -> None:
    assert pointer_to() == "#"
    assert pointer_to("a/b", 0, "~", "é f") == "#/a~1b/0/~0/%C3%A9%20f"
