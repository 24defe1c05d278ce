"""Regions: who asks for one is written to as it writes, from the one catalogue of its language and what differs."""

from datetime import UTC, date, datetime

import pytest
from fastapi import Request

from contracts.vocabulary import Text
from services.i18n.languages import (
    LANGUAGES,
    REGIONS,
    choose_language,
    is_same_language,
    languages_to_ask_for,
    nearest_language,
    written_as,
    written_languages,
)
from services.i18n.names import theme_title
from services.i18n.prose import Prose, marked_text
from services.i18n.words import answer_language, words_in
from services.plumbing.business_days import DayOff
from services.portal.page_renderer import PageRenderer
from services.scheduler.previews.rules.holiday_names import holiday_name
from tests.i18n.outputs import PLACES, every_output
from tests.notifier.rendering.material import GOLDEN, mail, payload

AFTERNOON = datetime(2022, 7, 1, 20, 5, tzinfo=UTC)


def test_one_may_ask_for_each_language_and_for_the_regions_that_it_is_written_for() -> None:
    assert set(languages_to_ask_for()) == {"en", "en-US", "en-CA", "es", "es-MX", "fr", "fr-CA"}
    assert written_languages() == ["en", "en-CA", "es", "fr"]
    assert {tag: written_as(tag) for tag in languages_to_ask_for()} == {
        **{"en": "en", "en-US": "en", "en-CA": "en-CA"},
        **{"es": "es", "es-MX": "es", "fr": "fr", "fr-CA": "fr"},
    }


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("en-CA,en-US;q=0.9,en;q=0.8", "en-CA"),
        ("EN-ca", "en-CA"),
        ("en-US,en-CA;q=0.9", "en"),
        ("en-GB,en-CA;q=0.5", "en"),
        ("fr-FR;q=0.9, de", "fr"),
        ("es-419", "es"),
        ("zh-Hant-CA, en-CA;q=0.1", "en-CA"),
    ],
)
def test_a_region_that_is_not_here_is_its_language(accepted: str, chosen: str) -> None:
    assert chosen == choose_language(None, None, accepted) == answer_language(accepted)[0]


def test_a_process_of_before_writes_the_language_without_the_region() -> None:
    assert [nearest_language(tag) for tag in ("en-CA", "fr-CA", "en-NZ", "pt-BR")] == ["en-CA", "fr", "en", "en"]


def test_days_times_numbers_and_lists_are_written_as_the_region_does() -> None:
    def told(tag: str) -> list[str]:
        words = words_in(tag)
        written = (
            words.moment(AFTERNOON, "America/Toronto", form="medium"),
            words.number(12345),
            words.listed(["a", "b", "c"]),
            words.days(date(2021, 12, 9), date(2021, 12, 10), "medium"),
        )
        return [one.replace("\u202f", " ").replace("\u2009", " ").replace("\u00a0", " ") for one in written]

    assert told("en-US") == ["Jul 1, 2022, 4:05 PM (Toronto)", "12,345", "a, b, and c", "Dec 9 – 10, 2021"]
    assert told("en-CA") == ["Jul 1, 2022, 4:05 p.m. (Toronto)", "12,345", "a, b and c", "Dec 9–10, 2021"]
    assert told("es-MX") == ["1 jul 2022, 4:05 p.m. (Toronto)", "12,345", "a, b y c", "9–10 de dic de 2021"]
    assert told("fr-CA") == ["1er juill. 2022, 16 h 05 (Toronto)", "12 345", "a, b et c", "9–10 déc. 2021"]


def test_a_number_with_a_noun_is_grouped_too() -> None:
    told = [
        words_in(tag).ngettext("%(number)s day", "%(number)s days", 1234).replace("\u00a0", " ")
        for tag in ("en-US", "en-CA", "es-MX", "fr-CA")
    ]

    assert told == ["1,234 days", "1,234 days", "1,234 días", "1 234 jours"]


def test_a_region_has_words_of_its_own_and_the_others_of_its_language() -> None:
    labor_day = DayOff(date(2022, 9, 5), "holiday", "CA", "labor-day")

    assert [holiday_name(labor_day, words_in(tag)).text for tag in ("en-US", "en-CA", "es-MX", "fr-CA")] == [
        "Labor Day",
        "Labour Day",
        "Día del Trabajo",
        "Fête du Travail",
    ]
    assert theme_title("work", words_in("en-CA")) == "Labour rights and skills"
    assert words_in("en-CA").gettext("Delivered") == "Delivered"


@pytest.mark.parametrize("place", PLACES)
def test_whoever_names_the_region_of_a_row_reads_the_same(place: str) -> None:
    for language, conventions in LANGUAGES.items():
        assert list(every_output(place, conventions.region)) == list(every_output(place, language))


@pytest.mark.parametrize("place", [place for place in PLACES if place != "problems"])
def test_everything_goes_out_in_each_region(place: str) -> None:
    for region in REGIONS:
        told = list(every_output(place, region))
        assert len(told) == len(list(every_output(place, "en")))
        assert not [text for text in told if "%(" in text or "Labor" in text]


def test_a_mail_and_a_card_say_what_they_are_written_in() -> None:
    event = next(iter(GOLDEN.values()))

    assert [mail(event, tag)["content-language"] for tag in ("en-CA", "en-US", "fr-CA")] == ["en-CA", "en", "fr"]
    assert '"lang": "en-CA"' in str(payload(event, "teams", "en-CA")).replace("'", '"')


def test_words_of_another_region_are_no_other_language() -> None:
    canadian = words_in("en-CA")

    for text in (Text(en="A pledge"), Text(**{"en-GB": "A pledge"})):
        assert not any(run.language for run in Prose.read(marked_text(text, "en", canadian)).runs)
    assert [run.language for run in Prose.read(marked_text(Text(fr="Une promesse"), "fr", canadian)).runs] == ["fr"]
    assert is_same_language("zh-Hant", "zh-Hant-TW")
    assert not is_same_language("zh-Hant", "zh-Hans")
    assert not is_same_language("en", "es")


@pytest.mark.parametrize(
    ("query", "accepted", "language", "kept"),
    [
        (b"lang=en-CA", b"fr", "en-CA", "en-CA"),
        (b"lang=fr-CA", b"en", "fr", "fr"),
        (b"", b"en-CA,en;q=0.9", "en-CA", None),
        (b"lang=en-NZ", b"es-MX", "es", None),
    ],
)
def test_a_page_is_in_the_region_that_is_asked_for_and_says_so(
    query: bytes, accepted: bytes, language: str, kept: str | None
) -> None:
    headers = [(b"accept-language", accepted)]
    request = Request({"type": "http", "path": "/", "query_string": query, "headers": headers})

    answer = PageRenderer().show(request, "base.html")

    page = bytes(answer.body).decode()
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in page
    assert answer.headers.get("set-cookie", "").partition(";")[0] == (f"lang={kept}" if kept else "")
    assert [f'hreflang="{other}" href="/?lang={other}"' in page for other in written_languages()] == [True] * 4
