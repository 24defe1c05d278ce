"""What a later release writes is told all the same: a word that we don't know is "other", or a general sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contracts.filters import Filters
from services.i18n.languages import LANGUAGES
from services.i18n.words import words_in
from services.notifier.channels import CHANNELS, FOR_PEOPLE
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.published_event import PublishedEvent
from services.notifier.events.traits import SubscriptionTraits
from services.notifier.subscriptions.matching import is_told
from tests.contracts.golden_records import NEW, open_places
from tests.notifier.channels.checks import CHECKS
from tests.notifier.rendering.material import GOLDEN, message, payload, reader, sent, write_as_a_later_release

EACH_PLACE = [(name, i) for name, event in GOLDEN.items() for i in range(len(open_places(json.loads(event.value))))]
EVERYTHING = Filters(events=frozenset(EVENT_TYPES))


def later(event: PublishedEvent, edit: Callable[[Any], None]) -> PublishedEvent:
    """The event as another release might have written it."""
    value = json.loads(event.value)
    edit(value)
    return replace(event, value=json.dumps(value, ensure_ascii=False).encode())


def with_new_word(name: str, place: int) -> PublishedEvent:
    def edit(value: Any) -> None:
        node, field = open_places(value)[place]
        node[field] = NEW

    return later(GOLDEN[name], edit)


@pytest.mark.parametrize(("name", "place"), EACH_PLACE)
def test_a_word_of_a_later_release_is_matched_and_told_on_every_channel_in_every_language(name: str, place: int):
    event = with_new_word(name, place)
    traits = event.traits
    ladder = traits.audience is not None
    subscription = SubscriptionTraits(traits.audience or event.id, EVERYTHING, ladder, traits.level)

    assert is_told(subscription, traits)
    for channel in CHANNELS:
        for language in LANGUAGES:
            told = sent(event, channel, language)
            CHECKS[channel](told, language)
            if channel in FOR_PEOPLE:
                assert NEW.encode() not in told


@pytest.mark.parametrize("name", GOLDEN)
def test_everything_of_a_later_release_at_once_is_told(name: str):
    event = later(GOLDEN[name], write_as_a_later_release)

    for channel in CHANNELS:
        for language in LANGUAGES:
            CHECKS[channel](sent(event, channel, language), language)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_system_is_handed_on_what_came(name: str):
    event = later(GOLDEN[name], write_as_a_later_release)

    assert payload(event, "webhook", "en")["data"] == json.loads(event.value)
    assert event.value.strip() in sent(event, "webhook", "en"), "byte by byte"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("status-changed.v1.canada-seul", "status"),
        ("status-changed.v1.canada-seul", "overall"),
        ("milestone-due.v1.rappel-tardif", "status"),
        ("commitment-created.v1.land-and-waters", "strength"),
    ],
)
def test_a_status_or_strength_that_we_do_not_know_is_told_as_other(name: str, field: str, language: str):
    told = message(later(GOLDEN[name], lambda value: value.update({field: NEW})), language)

    assert words_in(language).gettext("other") in [fact.value for fact in told.facts] + (
        [told.headline.rpartition(" ")[2]]
    )


@pytest.mark.parametrize(
    ("name", "field", "latest"),
    [
        ("milestone-due.v1.rappel-tardif", "phase", "a reminder"),
        ("milestone-scheduled.v1.cumbre-aplazada", "change", "news about the date"),
        ("consistency-flagged.v1.past-due", "rule", "something does not agree"),
    ],
)
def test_what_we_do_not_know_has_a_general_sentence_that_says_nothing_wrong(name: str, field: str, latest: str):
    event = later(GOLDEN[name], lambda value: value.update({field: NEW}))
    told = message(event)

    assert told.latest == latest
    assert told.headline == latest.capitalize()
    shown = f"{told.subject} {told.lead} {told.ask}"
    assert not [word for word in ("today", "verdue", "moved", "in 5 days", "ago)") if word in shown]
    for other in LANGUAGES:
        assert message(event, other).headline != told.headline or other == "en"


def test_a_language_of_a_later_release_is_written_to_in_the_nearest_of_ours():
    event = GOLDEN["status-changed.v1.canada-seul"]

    assert sent(event, "slack", "es-419") == sent(event, "slack", "es")
    assert sent(event, "email", "tlh", delivery_id=reader().delivery_id) is not None
    assert payload(event, "teams", "tlh") == payload(event, "teams", "en")
