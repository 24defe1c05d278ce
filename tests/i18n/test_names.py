"""Names of codes: each has one in each language, and themes are called as in the register."""

import pytest

from contracts.topics import MINISTRIES, PUBLIC
from contracts.vocabulary import Country, Language, Status, Strength
from services.i18n import names
from services.i18n.words import words_in
from services.registry import catalogue


@pytest.mark.parametrize("language", Language)
def test_every_code_has_a_name(language: Language) -> None:
    words = words_in(language)

    assert set(names.STATUSES) == set(Status)
    assert set(names.STRENGTHS) == set(Strength)
    assert set(names.MINISTRIES) == set(MINISTRIES)
    assert set(names.FOLLOWED_EVENTS) == {topic.name for topic in PUBLIC if "notifier" in topic.readers}
    assert len(set(names.country_names(Country, words))) == len(Country)


@pytest.mark.parametrize("language", Language)
def test_themes_are_called_as_in_the_register(language: Language) -> None:
    themes = catalogue.load().themes

    assert themes
    for theme in themes:
        assert names.theme_title(theme.id, words_in(language)) == theme.title.in_language(language)


def test_a_code_that_has_no_name_is_shown_as_it_is() -> None:
    words = words_in("fr")

    assert names.theme_title("deep-sea", words) == names.short_theme("deep-sea", words) == "Deep sea"
    assert names.ministry_name("mx-semarnat", words) == "MX-SEMARNAT"
