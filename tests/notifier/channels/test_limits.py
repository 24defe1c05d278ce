"""Whatever the contracts let in: payloads stay within the receivers' limits, and texts of others stay texts."""

import json
import re
from dataclasses import replace

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.envelope import schema_uri
from contracts.events import StatusChanged
from contracts.filters import Filters
from contracts.topics import BY_NAME, PUBLIC
from services.notifier.channels import CHANNELS, slack, teams
from services.notifier.channels.channel import ChatChannel
from services.notifier.delivery.messages import render_event
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.published_event import UnsupportedEvent
from services.notifier.rendering.page_links import PageLinks
from services.notifier.rendering.placeholders import DELIVERY_ID, Template
from tests.contracts import event_strategies
from tests.contracts.golden_records import PATHS
from tests.notifier.channels.checks import CHECKS, Page
from tests.notifier.rendering.material import (
    GOLDEN,
    LANGUAGES,
    LINKS,
    ONE_OF_EACH_KIND,
    mail,
    part,
    payload,
    posted,
    published,
    reader,
    sent,
    texts,
)

HOSTILE = (
    "<!channel> @here @everyone <@U012AB3CD> *bold* _it_ ~no~ `code` [text](https://evil.example) "
    "<https://evil.example|click> </td><script>alert(1)</script> {{DATE(2017-02-14T06:08:39Z, SHORT)}} ${x} {{ 7*7 }} "
    "\u202egnp.exe\u2069\u2028> quote\u2029# head &amp; &lt;b&gt; \U0001f600 שלום \\u007fdelivery-id\\u007f \\"
)
CHATS = [name for name, channel in CHANNELS.items() if isinstance(channel, ChatChannel)]
kinds = st.sampled_from(sorted(ONE_OF_EACH_KIND))
any_event = kinds.flatmap(lambda kind: st.tuples(st.just(kind), event_strategies.BY_EVENT[BY_NAME[kind].event]))
often = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def with_text(view, text, *, longest=False):
    """The event with a text of others wherever one may stand."""

    def changed(tree, key=""):
        if isinstance(tree, dict):
            return {k: changed(v, "quote" if k == "text" and "start" in tree else k) for k, v in tree.items()}
        if key in ("en", "es", "fr", "note", "quote"):
            return (text * 200)[:4000] if longest else text[:4000]
        if key in ("wording", "title", "text") and isinstance(tree, str):
            return (text * 20)[:300] if longest else text[:300]
        return tree

    return replace(view, value=json.dumps(changed(json.loads(view.value)), ensure_ascii=False).encode())


@pytest.fixture(params=sorted(GOLDEN))
def view(request):
    return GOLDEN[request.param]


@often
@given(any_event, st.sampled_from(LANGUAGES))
@pytest.mark.slow
def test_any_event_that_the_contracts_allow_makes_a_valid_message_on_every_channel(told, language):
    view = published(*told)

    for name, check in CHECKS.items():
        check(sent(view, name, language), language)
    assert payload(view, "webhook", language)["data"] == json.loads(view.value)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("longest", [False, True], ids=["short", "longest"])
def test_hostile_text_stays_text(view, language, longest):
    hostile = with_text(view, HOSTILE, longest=longest)

    for name, check in CHECKS.items():
        check(sent(hostile, name, language), language)
    assert "<!channel> @here" in Page(part(mail(hostile, language), "html")).seen
    for channel in CHATS:
        assert not any(
            re.search("[\u202a-\u202e\u2066-\u2069\u2028]", text) for text in texts(payload(hostile, channel, language))
        )


@pytest.mark.parametrize("name", ["{{DATE(1)}} ${x}", "<", "[a](https://x.example)", "*a* _b_ `c`"])
def test_the_name_of_an_organisation_stays_text(name):
    data = json.loads(GOLDEN["status-changed.v1.canada-seul"].value)
    union = {"code": "org-union", "name": {"en": name}, "zone": "Europe/Brussels"}
    data["commitment"] |= {"parties": [*data["commitment"]["parties"], union["code"]], "organisations": [union]}
    view = published("status-changed", StatusChanged.model_validate_json(json.dumps(data | {"party": union["code"]})))

    for channel, check in CHECKS.items():
        check(sent(view, channel, "es"), "es")


@pytest.mark.parametrize("character", ["&", "<", "_", "\\", "\U0001f600", "é", '"', "*"])
def test_the_longest_texts_fit_whatever_they_cost_to_escape(view, character):
    longest = with_text(view, character, longest=True)
    follows = Filters(sections=frozenset({view.data.commitment.section}))

    for channel in set(CHATS) & set(CHECKS):
        CHECKS[channel](posted(longest, channel, "en", filters=follows), "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_to_the_commitment_is_never_cut(view, language):
    longest = with_text(view, HOSTILE, longest=True)
    url = LINKS.commitment(view.data.commitment.id)

    for channel in CHATS:
        addresses = re.findall(r"https://[^\s\"'<>|)]+", " ".join(texts(payload(longest, channel, language))))
        assert url in addresses
    assert url in Page(part(mail(longest, language), "html")).addresses


def test_nobody_writes_a_placeholder_into_a_text():
    """The names of placeholders, their edges as escapes: the only way to write them where edges are refused."""
    view = with_text(GOLDEN["status-changed.v1.canada-seul"], "\\u007fdelivery-id\\u007f delivery-id \\")

    for channel in CHATS:
        body = posted(view, channel, "en")
        assert body.count(str(reader().delivery_id).encode()) == 1
        json.loads(body)
    assert Template.parse(f"a{DELIVERY_ID}b").pieces == ("a", "delivery-id", "b")


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_webhook_is_the_cloud_event_that_stands_on_the_topic(name):
    view = GOLDEN[name]
    body = posted(view, "webhook", "en")
    on_topic = json.loads(next(p for p in PATHS if p.stem == name).read_text(encoding="utf-8"))["headers"]

    event = from_structured(KafkaMessage({"content-type": b"application/cloudevents+json"}, None, body), JSONFormat())
    read = json.loads(body)
    assert len(body) < 20_000
    assert view.value in body
    assert event.get_id() == str(view.id)
    expected = {k.removeprefix("ce_"): v for k, v in on_topic.items() if k.startswith("ce_")}
    # What travels on an internal topic goes out under the name and the schema of the public event that it is told as.
    told_as = EVENT_TYPES[view.topic].told_as
    assert told_as in PUBLIC
    assert told_as.event.as_read(json.dumps(read["data"])).commitment.id == read["subject"]
    expected |= {"type": told_as.event_type, "dataschema": schema_uri(told_as)}
    assert expected == {k: v for k, v in read.items() if k not in ("data", "datacontenttype")}
    assert read["datacontenttype"] == "application/json"


def test_a_webhook_has_the_same_bytes_for_everyone(view):
    bodies = {
        posted(view, "webhook", language, delivery_id=reader().subscription_id, zone=zone)
        for language, zone in [("en", "America/Toronto"), ("es", "America/Mexico_City"), ("fr", "UTC")]
    }

    assert len(bodies) == 1


@pytest.mark.parametrize("channel", CHATS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chat_message_names_its_delivery_and_its_reason(view, channel, language):
    shown = " ".join(texts(payload(view, channel, language)))

    assert str(reader().delivery_id) in shown
    assert LINKS.subscription(reader().subscription_id) in shown
    assert reader().unsubscribe_url not in shown


def test_one_rendering_serves_readers_in_different_zones(view):
    view = GOLDEN["status-changed.v1.canada-seul"]
    rendered = render_event(view, "slack", "en", LINKS)
    shown = [
        CHANNELS["slack"].body(rendered.template, rendered.values_for(reader(zone=zone))).decode()
        for zone in ("America/Toronto", "America/Mexico_City")
    ]

    assert "(Toronto)" in shown[0]
    assert "(Mexico City)" in shown[1]


def test_what_cannot_be_rendered_is_refused_by_name():
    view = ONE_OF_EACH_KIND["milestone-due"]

    with pytest.raises(ValueError, match="there is no channel pigeon"):
        render_event(view, "pigeon", "en", LINKS)
    with pytest.raises(UnsupportedEvent):
        _ = replace(view, topic="delivery-settled").data


def test_rendering_is_a_function_of_its_arguments(view):
    for channel in CHANNELS:
        once, again = (render_event(view, channel, "fr", PageLinks("https://p.example", str)) for _ in range(2))
        assert once.template == again.template


@given(st.text())
def test_slack_shows_what_was_written(text):
    shown = slack.escape(text).replace("\u2060", "")

    assert text.replace("\u2060", "") == shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def with_evidence(**evidence):
    """A status change with this evidence."""
    view = GOLDEN["status-changed.v1.canada-seul"]
    shown = {"url": "https://www.gob.mx/sre/acuerdo", "title": "Acuerdo", "retrieved_on": "2023-01-02"} | evidence
    data = json.loads(view.value) | {"evidence": shown}
    return published(view.topic, type(view.data).model_validate_json(json.dumps(data)))


@pytest.mark.parametrize("letter", ["ñ", "字"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_button_whose_address_is_too_long_is_left_out_and_the_message_goes_out(letter, language):
    view = with_evidence(url="https://www.gob.mx/sre/documentos/" + letter * 600, title="Acuerdo")

    for name, check in CHECKS.items():
        check(sent(view, name, language), language)
    (buttons,) = (b["elements"] for b in payload(view, "slack", language)["blocks"] if b["type"] == "actions")
    assert [button["url"] for button in buttons] == [LINKS.commitment(view.data.commitment.id)]
    assert "Acuerdo" in {text.strip() for text in texts(payload(view, "slack", language))}


@pytest.mark.parametrize("title", ["\ufeff", "\u202e", "\u200b", "\uffff", " ", "\u3164"])
def test_a_title_of_which_nothing_is_seen_gives_way_to_the_host(title):
    view = with_evidence(title=title)

    for name, check in CHECKS.items():
        check(sent(view, name, "es"), "es")
    assert "www.gob.mx" in {text.strip() for text in texts(payload(view, "slack", "es"))}


@pytest.mark.parametrize("text", event_strategies.STRANGE)
def test_whatever_stands_in_all_texts_every_channel_takes_the_message(view, text):
    for longest in (False, True):
        strange = with_text(view, text, longest=longest)
        for name, check in CHECKS.items():
            check(sent(strange, name, "fr"), "fr")


def test_teams_shows_an_entity_as_it_was_written():
    assert teams.escape("a &lt; b &#60; c & d;") == "a &amp;lt; b &amp;#60; c & d;"


def test_the_last_day_of_all_calendars_has_no_end():
    view = ONE_OF_EACH_KIND["milestone-due"]
    data = json.loads(view.value)
    data["milestone"]["span"] = {"edtf": "9999", "earliest": "9999-01-01", "latest": "9999-12-31", "precision": "year"}
    last = published(view.topic, type(view.data).model_validate_json(json.dumps(data)))

    assert "9999" in part(mail(last, "en"), "plain")
