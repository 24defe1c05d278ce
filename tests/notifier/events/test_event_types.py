"""The table of event types: a row for each topic that the notifier reads, and each row whole."""

from typing import get_args
from uuid import UUID

import pytest

from contracts.filters import Filters
from contracts.topics import ALL, FOLLOWED, PUBLIC, STATUS_CHANGED
from services.i18n.event_names import followed_event
from services.i18n.words import words_in
from services.notifier.delivery.fan_out import FAN_OUT
from services.notifier.delivery.intake import TOPICS
from services.notifier.delivery.messages import matched_by
from services.notifier.events.event_types import EVENT_NAMES, EVENT_TYPES
from services.notifier.events.traits import EVERYBODY, SubscriptionTraits
from services.notifier.rendering.footer_reason import footer_reason
from services.notifier.subscriptions.filter_form import EventName
from services.notifier.subscriptions.matching import is_told
from tests.contracts.golden_records import PATHS, wire
from tests.notifier.rendering.material import GOLDEN, LANGUAGES, ONE_OF_EACH_KIND, message

every_type = pytest.mark.parametrize("topic", EVENT_TYPES)


def test_there_is_a_row_for_each_topic_whose_card_names_the_notifier():
    read = {topic.name: topic.event for topic in ALL if "notifier" in topic.readers and topic not in FOLLOWED}

    assert {name: row.topic.event for name, row in EVENT_TYPES.items()} == read
    assert set(TOPICS) == set(read), "what is read from Kafka"
    assert set(get_args(EventName)) == set(EVENT_NAMES), "what a subscription may name"
    assert set(EVENT_NAMES) < {topic.name for topic in PUBLIC}, "nobody is told of an event by an internal name"


@every_type
def test_there_is_a_golden_example_of_every_type(topic: str):
    assert topic in ONE_OF_EACH_KIND, "without one nobody has seen what people get"


@pytest.mark.parametrize("name", GOLDEN)
def test_traits_are_those_of_the_event(name: str):
    event = GOLDEN[name]
    traits, brief = event.traits, event.data.commitment

    assert (traits.event, traits.commitment, traits.section) == (event.told_as, brief.id, brief.section)
    assert traits.themes == set(brief.themes)
    assert traits.parties
    assert traits.parties <= {str(party) for party in brief.parties}


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_type_is_told_and_its_footer_names_it(name: str, language: str):
    event = GOLDEN[name]
    told = message(event, language)
    named = footer_reason(Filters(events=frozenset({event.told_as})), matched_by(event), language)

    assert all((told.subject, told.headline, told.title, told.facts, told.links))
    assert told.lead or told.change or told.ask or told.quotation
    if event.traits.level_title is None:
        assert followed_event(event.told_as, words_in(language)) in named


def test_sql_asks_for_each_audience_that_is_not_everybody():
    for topic in EVENT_NAMES:
        row = EVENT_TYPES[topic]
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


def test_nobody_is_told_of_what_came_late():
    """What has only its place in a history is nothing new; whoever reads the topic finds it there."""
    (late,) = [wire(path) for path in PATHS if path.stem == "status-changed.v1.llega-tarde"]
    _, event = late.read()
    kind = EVENT_TYPES[STATUS_CHANGED.name]

    for is_current in (True, False):
        traits = kind.traits(event.model_copy(update={"current": is_current}))
        for one in (SubscriptionTraits(UUID(int=7), Filters()), SubscriptionTraits(UUID(int=8), Filters(), level="x")):
            assert is_told(one, traits) == is_current
