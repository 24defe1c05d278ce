"""Names of codes: every code of the contracts has one in every language, and themes are called as in the register."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from contracts.commitments import Organisation
from contracts.events import MilestoneScheduled, Reporter
from contracts.open_lists import TOLERANT
from contracts.topics import PUBLIC
from contracts.vocabulary import Channel, LanguageTag, Outcome, Reading, ShownText, Status, Strength, Text
from services.i18n import delivery_names, event_names, names
from services.i18n.languages import LANGUAGES
from services.i18n.words import words_in
from services.notifier.channels.outcomes import FailureReason
from services.notifier.delivery.answers import DeliveryState
from services.notifier.subscriptions.answers import SubscriptionState
from services.plumbing.capital_zones import capital_zones
from services.registry.catalogue.loading import load
from services.scheduler.escalation.book import read_escalation_book

TABLES: dict[str, tuple[Mapping[Any, Any], set[Any]]] = {
    "statuses": (names.STATUSES, set(Status)),
    "strengths": (names.STRENGTHS, set(Strength)),
    "readings": (names.READINGS, set(Reading)),
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_codes_of_a_table_have_the_same_name(language: LanguageTag) -> None:
    words = words_in(language)

    for named, _ in TABLES.values():
        for at in range(2):
            told = [words.gettext(name if isinstance(name, str) else name[at]) for name in named.values()]
            assert len(set(told)) == len(told) and all(told)
    assert len({names.party_name(country, words) for country in capital_zones()}) == len(capital_zones())
    assert len({names.language_name(other, words) for other in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_themes_are_called_as_in_the_register(language: LanguageTag) -> None:
    for theme in load().themes:
        if language in theme.title.languages:
            assert names.theme_title(theme.id, words_in(language)) == theme.title.in_language(language).text


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

    assert names.theme_title("deep-sea", words) == "Deep sea"
    assert names.level_name("head-of-state", words) == "head of state"
    assert delivery_names.reason_name("full-moon", words) == "full moon"


@pytest.mark.parametrize(("language", "other"), [("en", "other"), ("es", "otro"), ("fr", "autre")])
def test_a_word_of_a_later_release_is_shown_as_other(language: LanguageTag, other: str) -> None:
    words, new = words_in(language), "of-a-later-release"
    status, strength, reading = (
        TypeAdapter(kind).validate_python(new, context=TOLERANT) for kind in (Status, Strength, Reading)
    )
    shown = [
        names.status_name(status, words),
        names.strength_name(strength, words),
        names.reading_name(reading, words),
        event_names.date_change(new, words),
        delivery_names.channel_name(new, words),
        delivery_names.delivery_state(new, words),
    ]

    assert set(shown) == {other}
    assert names.status_label(status, words) == names.strength_label(strength, words) == other.capitalize()


UNION = Organisation(
    code="org-european-union", name=Text(fr="Union européenne", es="Unión Europea"), zone="Europe/Brussels"
)


def test_an_organisation_is_called_as_the_record_calls_it() -> None:
    codes = ["MX", UNION.code]

    assert names.party_list(codes, words_in("fr"), [UNION]) == "Mexique et Union européenne"
    assert names.shown_party(UNION.code, words_in("fr"), [UNION]) == ShownText("Union européenne", "fr")
    assert names.shown_party(UNION.code, words_in("en"), [UNION], "es") == ShownText("Unión Europea", "es")
    assert names.shown_party("MX", words_in("en"), [UNION], "es") == ShownText("Mexico", "en")
    assert names.party_names(["org-african-union", "ZZ"], words_in("en"), [UNION]) == [
        "org-african-union",
        "Unknown Region",
    ]


def test_a_name_as_long_as_a_text_may_be_is_cut() -> None:
    long = Organisation(code="org-x", name=Text(en="Ministers of " * 300), zone="UTC")
    ministry = Reporter(client="sre", ministry="mx-sre", ministry_name=long.name)

    for name in (names.party_name("org-x", words_in("en"), [long]), names.reporter_name(ministry, words_in("en")).text):
        assert len(name) <= 160
        assert name.endswith("Ministers of…")


def test_who_reported_is_called_as_the_event_calls_them() -> None:
    french = words_in("fr")
    ministry = Reporter(client="sre", ministry="mx-sre", ministry_name=Text(es="Secretaría de Relaciones Exteriores"))

    assert names.reporter_name(ministry, french) == ShownText("Secretaría de Relaciones Exteriores", "es")
    assert names.reporter_name(Reporter(client="sre", ministry="mx-sre"), french) == ShownText("MX-SRE", "fr")
    assert names.reporter_name(Reporter(client="tracker"), french) == ShownText("l’équipe du registre", "fr")


def test_names_come_in_the_language() -> None:
    spanish = words_in("es")

    assert names.party_list(["CA", "MX", "US"], spanish) == "Canadá, México y Estados Unidos"
    assert names.language_name("fr", spanish) == "francés"
    assert [names.language_name(tag, words_in("en")) for tag in ("es-MX", "fr-BJ", "zh-Hant", "qqq")] == [
        "Mexican Spanish",
        "French",
        "Traditional Chinese",
        "qqq",
    ]
    assert spanish.place("America/Mexico_City") == "Ciudad de México"
    assert spanish.place("Mars/Olympus_Mons") == "Mars/Olympus_Mons"


def test_a_text_that_there_is_not_in_a_language_is_shown_in_another() -> None:
    text = Text(en="a pledge", es="una promesa", fr="une promesse")

    assert [text.in_language(language).text for language in ("en", "es", "fr", "pt")] == [
        "a pledge",
        "una promesa",
        "une promesse",
        "a pledge",
    ]
    assert text.in_language("pt", "es") == ShownText("una promesa", "es"), "in that of the original"
