"""A text that is not there in the page's language is shown in the nearest that it is there in, and marked as such."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from contracts.vocabulary import ShownText, Text
from services.i18n.languages import LANGUAGES
from services.i18n.words import words_in
from services.notifier.subscriptions.forms import FilterForm
from services.portal.clients.registry import StatementView
from services.portal.event_lines import event_line
from services.portal.live_feed import live_event_of
from services.portal.page_renderer import parties_by_name
from services.portal.page_text import UNDETERMINED, PageText, localized, party_list, phrase
from tests.contracts.golden_records import Wire, example, record_of
from tests.portal.conftest import ServedPortal
from tests.portal.spoken import heard, in_one_language, texts_of
from tests.portal.test_pages import COAL, SUMMIT, SUMMIT_ID, stream

EVENTS = [
    "commitment-created.v1.land-and-waters",
    "milestone-due.v1.coal-finance-in-7-days",
    "milestone-scheduled.v1.coal-finance",
    "milestone-scheduled.v1.cumbre-aplazada",
    "status-changed.v1.canada-seul",
]


def in_spanish(name: str) -> Wire:
    """A golden record as it would be of a register whose texts are in Spanish alone."""
    record = example(name)
    return replace(record, value=json.dumps(in_one_language(json.loads(record.value or b""), "es")).encode())


def everything_in_spanish(portal: ServedPortal, reader: str = "en") -> tuple[list[str], set[str]]:
    """Let the register have Spanish texts alone; the pages that show them, and the texts.

    A subscription's own page is in its language, which is the reader's.
    """
    services = portal.services
    texts: set[str] = set()

    def rewrite(told: object) -> object:
        texts.update(texts_of(told, "es"))
        return in_one_language(told, "es")

    services.rewrite = rewrite
    asked = FilterForm(themes=("climate",), sections=("health-security",), commitments=(SUMMIT_ID,))
    subscription = services.subscribe("Cancillería", "email", filters=asked, language=reader)
    services.tell(subscription, "milestone-due", SUMMIT_ID)
    for name in EVENTS:
        portal.take(in_spanish(name))
        texts.update(texts_of(json.loads(in_spanish(name).value or b""), "es"))
    return ["/", COAL, SUMMIT, f"/subscriptions/{subscription}", "/live"], texts


def are_ours(texts: set[str], said: str) -> bool:
    """Whether it holds words of the register; short ones (a theme, "Salud") may be words of ours as well."""
    return any(text in said for text in texts if len(text) > 20)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_there_in_spanish_alone_is_spanish_on_every_page(portal: ServedPortal, language: str) -> None:
    pages, texts = everything_in_spanish(portal, language)
    for path in pages:
        said = heard(portal.get(path, accept_language=language).text)
        ours = [(text, spoken) for text, spoken in said if are_ours(texts, text)]

        assert ours, path
        assert [text for text, spoken in ours if spoken != "es"] == [], path
        assert {spoken for text, spoken in said if not are_ours(texts, text)} >= {language}


def test_on_a_spanish_page_nothing_of_it_is_marked(portal: ServedPortal) -> None:
    pages, _ = everything_in_spanish(portal, "es")
    for path in pages:
        html = portal.get(path, accept_language="es").text

        assert '<span lang="es">' not in html and '<option value="climate" lang' not in html


def test_the_head_and_the_quote_are_in_the_language_of_the_original(portal: ServedPortal) -> None:
    everything_in_spanish(portal)
    page = portal.get(SUMMIT).text

    assert '<title lang="es">' in page and '<blockquote lang="es">' in page
    assert '<title lang="es">' not in portal.get(SUMMIT, accept_language="es").text


def test_the_stream_says_which_words_are_in_which_language(portal: ServedPortal) -> None:
    portal.take(in_spanish("milestone-scheduled.v1.cumbre-aplazada"))
    (event,) = stream(portal, 1, "?lang=en")
    data = json.loads(event["data"])

    assert data["text"].endswith(": moved from 2022 to January 10, 2023")
    assert data["runs"]["title"] == [{"text": data["title"], "lang": "es"}]
    milestone, rest = data["runs"]["text"]
    assert milestone["lang"] == "es" and data["text"] == milestone["text"] + rest["text"]
    assert rest == {"text": ": moved from 2022 to January 10, 2023", "lang": None}
    (spanish,) = stream(portal, 1, "?lang=es")
    assert list(json.loads(spanish["data"])["runs"]) == ["detail"]


def test_what_nobody_has_told_the_language_of_is_marked_so(portal: ServedPortal) -> None:
    record = portal.services.register.records["nals-2021-coal-finance"]
    portal.take(example("milestone-scheduled.v1.cumbre-aplazada"))
    for language in LANGUAGES:
        html = portal.get(COAL, accept_language=language).text
        live = heard(portal.get("/live", accept_language=language).text)

        for note in (update.note for update in record.status_updates):
            assert (note, UNDETERMINED) in heard(html)
        assert ("White House releases of 2023-01-09 and 2023-01-10", UNDETERMINED) in live


def test_an_event_in_all_languages_has_only_its_quotes_marked() -> None:
    for name in EVENTS:
        live = live_event_of(record_of(example(name), 1))
        assert live
        for language in LANGUAGES:
            line = event_line(live, words_in(language))

            assert not line.title.lang and {one.language for one in line.text.runs} == {""}


TWO = StatementView.model_validate(
    {
        "id": "una",
        "language": "es",
        "title": {"es": "Una declaración"},
        "made_on": "2022-01-01",
        "parties": ["US", "org-union-europea", "CA", "org-unesco"],
        "organisations": [
            {"code": "org-union-europea", "name": {"es": "Unión Europea", "fr": "Union européenne"}, "zone": "Etc/UTC"},
            {"code": "org-unesco", "name": {"es": "UNESCO <París>"}, "zone": "Europe/Paris"},
        ],
    },
)


def test_organisations_have_the_names_that_their_statement_gives_them() -> None:
    french = party_list(TWO.parties, TWO, words_in("fr"))

    assert str(french) == "États-Unis, Union européenne, Canada et UNESCO <París>"
    assert french.__html__() == ('États-Unis, Union européenne, Canada et <span lang="es">UNESCO &lt;París&gt;</span>')
    assert str(party_list(["org-of-nobody", "XX"], None, words_in("fr"))) == "org-of-nobody et XX"


def test_parties_to_choose_from_stand_in_the_order_of_their_names() -> None:
    codes = dict.fromkeys(TWO.parties, TWO)

    assert [str(name) for _, name in parties_by_name(codes, words_in("fr"))] == [
        "Canada",
        "États-Unis",
        "UNESCO <París>",
        "Union européenne",
    ]


languages = st.sampled_from(["en", "es", "fr-CA", "zh-Hant"])
told_runs = st.lists(st.tuples(st.text(min_size=1, max_size=9), st.none() | languages), max_size=5)


@given(told_runs)
def test_what_is_marked_in_a_phrase_is_found_in_it(told: list[tuple[str, str | None]]) -> None:
    """
    Whatever the words are: the marks themselves, and markup, are none on the page.
    """
    text = PageText(ShownText(phrase(words).text, language or "") for words, language in told)
    again = phrase(f"before {text.written} after")

    assert again.text == f"before {text.text} after"
    marked = [(one.text, one.language) for one in text.runs if one.language and one.text]
    assert [(one.text, one.language) for one in again.runs if one.language] == marked
    html = again.__html__()
    assert html.count("<span lang=") == html.count("<") / 2 == len(marked)
    assert all(escape(words) in html for words, _ in marked)


@given(st.dictionaries(languages, st.just("words"), min_size=1), languages, languages)
def test_words_are_marked_when_they_are_in_another_language_and_only_then(
    told: dict[str, str], page: str, original: str
) -> None:
    page = page if page in LANGUAGES else "fr"
    text = localized(Text(told), TWO.model_copy(update={"language": original}), words_in(page))

    spoken = {language.partition("-")[0] for language in told}
    assert (text.lang == "") == (page.partition("-")[0] in spoken)
    assert text.lang in {"", *(f' lang="{language}"' for language in told)}
