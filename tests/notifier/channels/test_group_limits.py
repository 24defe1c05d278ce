"""However many events go out together, and whatever stands in them: payloads stay within limits, and texts texts."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.topics import BY_NAME
from services.i18n.words import words_in
from services.notifier.channels import FOR_PEOPLE
from services.notifier.channels.message_limits import SLACK
from services.notifier.rendering.group_words import and_more
from tests.contracts import event_strategies
from tests.notifier.channels.checks import CHECKS, Page
from tests.notifier.channels.test_limits import HOSTILE, with_text
from tests.notifier.rendering.kinds import EACH_GROUP, EACH_KIND, imported, mailed_group, named, reminders, sent_group
from tests.notifier.rendering.material import LANGUAGES, LINKS, ONE_OF_EACH_KIND, part, published, texts

kinds = st.sampled_from(sorted(ONE_OF_EACH_KIND))
any_events = st.lists(
    kinds.flatmap(lambda kind: st.tuples(st.just(kind), event_strategies.BY_EVENT[BY_NAME[kind].event])),
    min_size=1,
    max_size=8,
)
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CHATS = sorted(FOR_PEOPLE - {"email"})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EACH_GROUP)
@pytest.mark.parametrize("channel", sorted(FOR_PEOPLE))
def test_every_group_fits_the_channel_and_pings_nobody(channel: str, name: str, language: str):
    CHECKS[channel](sent_group(EACH_GROUP[name][0], channel, language, *EACH_GROUP[name][1:]), language)


@often
@given(any_events, st.sampled_from(["window", "digest", "deferred"]), st.sampled_from(LANGUAGES))
@pytest.mark.slow
def test_any_events_that_the_contracts_allow_make_a_valid_message_on_every_channel(told, kind, language):
    events = [published(*one) for one in told]

    for channel in FOR_PEOPLE:
        CHECKS[channel](sent_group(events, channel, language, kind), language)


@pytest.mark.parametrize("number", [1, 2, 24, 25, 26, 98, 400])
@pytest.mark.parametrize("channel", CHATS)
def test_a_chat_shows_as_many_as_it_can_and_counts_the_rest(channel: str, number: int):
    body = sent_group(reminders(number), channel, "en")
    CHECKS[channel](body, "en")

    shown = texts(json.loads(body))
    linked = {text for text in shown if re.fullmatch(rf"{LINKS.commitment('commitment-')}\d+", text)}
    assert len(linked) == number or and_more(number - len(linked), words_in("en")) in shown
    assert len(linked) >= min(number, 10)
    assert LINKS.commitments("soon") in shown, "the page that lists them all"


def test_slack_is_not_told_more_than_people_read_there():
    shown = texts(json.loads(sent_group(reminders(98), "slack", "fr")))

    assert and_more(98 - SLACK["items"], words_in("fr")) in shown


@pytest.mark.parametrize("text", [HOSTILE, "&", "<", "\\", "\U0001f600", '"', "*", *event_strategies.STRANGE])
@pytest.mark.parametrize("longest", [False, True], ids=["short", "longest"])
def test_texts_of_others_stay_texts_in_a_list_however_long_they_are(text: str, longest: bool):
    events = [with_text(named(event, at), text, longest=longest) for at, event in enumerate(EACH_KIND.values())] * 3

    for channel in FOR_PEOPLE:
        for kind in ("window", "digest"):
            CHECKS[channel](sent_group(events, channel, "es", kind), "es")


def test_a_mail_shows_the_hostile_text_as_it_stands():
    events = [with_text(event, HOSTILE) for event in imported(3)]

    assert "<!channel> @here" in Page(part(mailed_group(events, "en"), "html")).seen
