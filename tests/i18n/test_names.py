"""Names of codes: every code of the contracts has one in every language, and themes are called as in the register."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from contracts.events import MilestoneScheduled
from contracts.topics import MINISTRIES, PUBLIC
from contracts.vocabulary import Channel, Country, Language, Outcome, Reading, Status, Strength, Text
from services.i18n import delivery_names, event_names, names
from services.i18n.words import words_in
from services.notifier.channels.outcomes import FailureReason
from services.notifier.delivery.answers import DeliveryState
from services.notifier.subscriptions.answers import SubscriptionState
from services.registry.catalogue.loading import load
from services.scheduler.escalation.book import read_escalation_book

TABLES: dict[str, tuple[Mapping[Any, Any], set[Any]]] = {
    "statuses": (names.STATUSES, set(Status)),
    "strengths": (names.STRENGTHS, set(Strength)),
    "readings": (names.READINGS, set(Reading)),
    "ministries": (names.MINISTRIES, set(MINISTRIES)),
    "levels": (names.LEVELS, {level.level for level in read_escalation_book().levels}),
    "events": (event_names.EVENTS, {topic.name for topic in PUBLIC}),
    "followed events": (
        event_names.FOLLOWED_EVENTS,
        {topic.name for topic in PUBLIC if "notifier" in topic.readers},
    ),
    "changes of a date": (
        event_names.DATE_CHANGES,
        set(get_args(MilestoneScheduled.model_fields["change"].annotation)),
    ),
    "channels": (delivery_names.CHANNELS, set(get_args(Channel))),
    "outcomes": (delivery_names.OUTCOMES, set(get_args(Outcome))),
    "states of a delivery": (delivery_names.DELIVERY_STATES, set(get_args(DeliveryState))),
    "states of a subscription": (delivery_names.SUBSCRIPTION_STATES, set(get_args(SubscriptionState))),
}
"""Each table of names, and the codes that it has to hold, neither more nor fewer."""


@pytest.mark.parametrize("table", TABLES)
def test_every_code_has_a_name_and_no_other_has(table: str) -> None:
    named, codes = TABLES[table]

    assert set(named) == codes


def test_every_reason_of_the_notifier_has_a_name() -> None:
    assert set(FailureReason) <= set(delivery_names.DELIVERY_REASONS)


@pytest.mark.parametrize("language", Language)
def test_no_two_codes_of_a_table_have_the_same_name(language: Language) -> None:
    words = words_in(language)

    for named, _ in TABLES.values():
        for at in range(2):
            told = [words.gettext(name if isinstance(name, str) else name[at]) for name in named.values()]
            assert len(set(told)) == len(told) and all(told)
    assert len(set(names.country_names(Country, words))) == len(Country)
    assert len({names.language_name(other, words) for other in Language}) == len(Language)


@pytest.mark.parametrize("language", Language)
def test_themes_are_called_as_in_the_register(language: Language) -> None:
    for theme in load().themes:
        if language in type(theme.title).model_fields:
            assert names.theme_title(theme.id, words_in(language)) == theme.title.in_language(language)


def test_a_status_has_one_name_in_mail_feeds_and_pages() -> None:
    french = words_in("fr")

    assert [names.status_name(status, french) for status in Status] == [
        "annoncé",
        "en cours",
        "à risque",
        "respecté",
        "respecté en partie",
        "non respecté",
        "retiré",
    ]
    assert names.status_label(Status.AT_RISK, french) == "À risque"


def test_a_code_that_has_no_name_is_shown_as_it_is() -> None:
    words = words_in("fr")

    assert names.theme_title("deep-sea", words) == names.short_theme("deep-sea", words) == "Deep sea"
    assert names.ministry_name("mx-semarnat", words) == "MX-SEMARNAT"
    assert names.level_name("head-of-state", words) == "head of state"
    assert delivery_names.channel_name("carrier-pigeon", words) == "carrier pigeon"


def test_names_come_in_the_language() -> None:
    spanish = words_in("es")

    assert names.country_list([Country.CA, Country.MX, Country.US], spanish) == "Canadá, México y Estados Unidos"
    assert names.language_name("fr", spanish) == "francés"
    assert spanish.place("America/Mexico_City") == "Ciudad de México"
    assert spanish.place("Mars/Olympus_Mons") == "Mars/Olympus_Mons"


def test_a_text_that_there_is_not_in_a_language_is_shown_in_english() -> None:
    text = Text(en="a pledge", es="una promesa", fr="une promesse")

    assert [text.in_language(language) for language in ("en", "es", "fr", "pt")] == [
        "a pledge",
        "una promesa",
        "une promesse",
        "a pledge",
    ]
