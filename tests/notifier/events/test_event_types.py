"""The table of event types: a row for each topic that the notifier reads, and each row whole."""

from typing import get_args
from uuid import UUID

import pytest

from contracts.filters import Filters
from contracts.topics import ALL
from services.i18n.event_names import followed_event
from services.i18n.words import words_in
from services.notifier.delivery.fan_out import FAN_OUT
from services.notifier.delivery.intake import TOPICS
from services.notifier.delivery.messages import matched_by
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.traits import EVERYBODY
from services.notifier.rendering.footer_reason import footer_reason
from services.notifier.subscriptions.forms import EventName
from tests.notifier.rendering.material import GOLDEN, LANGUAGES, ONE_OF_EACH_KIND, message

every_type = pytest.mark.parametrize("topic", EVENT_TYPES)


def test_there_is_a_row_for_each_topic_whose_card_names_the_notifier():
    read = {topic.name: topic.event for topic in ALL if "notifier" in topic.readers}

    assert {name: row.topic.event for name, row in EVENT_TYPES.items()} == read
    assert set(TOPICS) == set(read), "what is read from Kafka"
    assert set(get_args(EventName)) == set(read), "what a subscription may name"


@every_type
def test_there_is_a_golden_example_of_every_type(topic: str):
    assert topic in ONE_OF_EACH_KIND, "without one nobody has seen what people get"


@pytest.mark.parametrize("name", GOLDEN)
def test_traits_are_those_of_the_event(name: str):
    event = GOLDEN[name]
    traits, brief = event.traits, event.data.commitment

    assert (traits.event, traits.commitment, traits.section) == (event.topic, brief.id, brief.section)
    assert traits.themes == set(brief.themes)
    assert traits.countries
    assert traits.countries <= {str(country) for country in brief.countries}


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_type_is_told_and_its_footer_names_it(name: str, language: str):
    event = GOLDEN[name]
    told = message(event, language)
    named = footer_reason(Filters(events=frozenset({event.topic})), matched_by(event), language)

    assert all((told.subject, told.headline, told.title, told.lead, told.facts, told.links))
    if event.traits.level_title is None:
        assert followed_event(event.topic, words_in(language)) in named


def test_sql_asks_for_each_audience_that_is_not_everybody():
    for topic, row in EVENT_TYPES.items():
        line = f"when '{topic}' then {row.audience.condition}"
        assert (line in FAN_OUT) == (row.audience is not EVERYBODY), topic


@every_type
def test_an_event_for_one_subscription_or_level_has_a_rule_for_it(topic: str):
    """Whoever lets an event name its addressee has to say who else does not get it."""
    for event in GOLDEN.values():
        named = event.traits.audience, event.traits.level
        if event.topic == topic and any(named):
            assert EVENT_TYPES[topic].audience is not EVERYBODY
            assert isinstance(event.traits.audience, UUID | None)
