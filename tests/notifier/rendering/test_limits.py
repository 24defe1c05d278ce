"""Whatever the contracts let in: payloads stay within the receivers' limits, and texts of others stay texts."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts.topics import BY_NAME
from services.notifier.channels import slack, teams
from services.notifier.rendering.placeholders import DELIVERY_ID, Template
from services.notifier.rendering.render import PageLinks, UnsupportedEvent, for_delivery, render
from services.notifier.subscriptions.matching import Filters
from tests.contracts import event_strategies
from tests.contracts.golden_records import PATHS
from tests.notifier.rendering.material import (
    CHANNELS,
    GOLDEN,
    LANGUAGES,
    LINKS,
    NOW,
    ONE_OF_EACH_KIND,
    SENDER,
    event_view,
    mail,
    message,
    part,
    payload,
    reader,
    texts,
)

HOSTILE = (
    "<!channel> @here @everyone <@U012AB3CD> *bold* _it_ ~no~ `code` [text](https://evil.example) "
    "<https://evil.example|click> </td><script>alert(1)</script> {{DATE(2017-02-14T06:08:39Z, SHORT)}} ${x} {{ 7*7 }} "
    "\u202egnp.exe\u2069\u2028> quote\u2029# head &amp; &lt;b&gt; \U0001f600 שלום \\u007fdelivery-id\\u007f \\"
)
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

    data = view.data.model_dump(mode="json")
    return event_view(view.kind, type(view.data).model_validate_json(json.dumps(changed(data))))


@pytest.fixture(params=sorted(GOLDEN))
def view(request):
    return GOLDEN[request.param]


def check_slack(card):
    assert len(card["blocks"]) <= 50
    assert len(card["text"]) < 40_000
    assert (card["unfurl_links"], card["unfurl_media"], card["mrkdwn"]) == (False, False, False)
    limits = {"header": 150, "section": 3000}
    for block in card["blocks"]:
        if "text" in block:
            assert 1 <= len(block["text"]["text"]) <= limits[block["type"]]
        assert 1 <= len(block.get("fields", [1])) <= 10
        assert all(1 <= len(field["text"]) <= 2000 for field in block.get("fields", []))
        for element in block.get("elements", []):
            if element["type"] == "button":
                assert (len(element["text"]["text"]), len(element["url"])) <= (75, 3000)
    for text in texts(card):
        assert "<!" not in text
        assert "<@" not in text
        assert not re.search(r"(?<![\w.+-])@\w", text)
        assert set(re.findall(r"<(.*?)>", text)) <= {
            f"{LINKS.subscription(reader('en').subscription_id)}|{manage}"
            for manage in ("Change what you get", "Cambiar lo que recibe", "Modifier ce que vous recevez")
        }


TEAMS_BLOCK = {
    "TextBlock": {
        "required": ["type", "text", "wrap"],
        "properties": {
            "type": {},
            "text": {"type": "string", "minLength": 1},
            "wrap": {"const": True},
            "style": {"enum": ["default", "heading"]},
            "weight": {"enum": ["Default", "Lighter", "Bolder"]},
            "size": {"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
            "color": {"enum": ["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]},
            "spacing": {"enum": ["None", "Small", "Default", "Medium", "Large", "ExtraLarge", "Padding"]},
            "isSubtle": {"type": "boolean"},
            "separator": {"type": "boolean"},
        },
    },
    "RichTextBlock": {
        "required": ["type", "inlines"],
        "properties": {
            "type": {},
            "inlines": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["type", "text"],
                    "additionalProperties": False,
                    "properties": {"type": {"const": "TextRun"}, "text": {"type": "string"}},
                },
            },
            "spacing": {"enum": ["None", "Small", "Default"]},
        },
    },
    "FactSet": {
        "required": ["type", "facts"],
        "properties": {
            "type": {},
            "separator": {"type": "boolean"},
            "facts": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["title", "value"],
                    "additionalProperties": False,
                    "properties": {"title": {"type": "string"}, "value": {"type": "string"}},
                },
            },
        },
    },
}
"""The elements that we use, as the documentation of Adaptive Cards 1.5 gives them."""


def check_teams(body):
    assert len(body) <= teams.LARGEST
    (attachment,) = json.loads(body)["attachments"]
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.5")
    for block in card["body"]:
        schema = {"type": "object", "additionalProperties": False} | TEAMS_BLOCK[block["type"]]
        Draft202012Validator(schema).validate(block)
    assert card["actions"]
    for action in card["actions"]:
        assert {"type", "title", "url"} == set(action)
        assert action["type"] == "Action.OpenUrl"
    read_as_markdown = [b["text"] for b in card["body"] if b["type"] == "TextBlock"]
    read_as_markdown += [f[k] for b in card["body"] if b["type"] == "FactSet" for f in b["facts"] for k in f]
    assert not [text for text in texts(card) if "{{" in text or "${" in text]
    for text in [*read_as_markdown, card["fallbackText"]]:
        unescaped = re.sub(r"\\.", "·", text)  # what is escaped is a plain character
        ours = re.sub(r"\[[\w’' ]+\]\(https://pledgewire\.example/subscriptions/[0-9a-f-]+\)", "", unescaped)
        assert not re.search(r"[*_`\[\]~<]|\{\{|\$\{", ours), text
        assert not re.match(r"\s*([#>+-]|\d+[.)])", ours), text


class Page(HTMLParser):
    """The tags, the addresses and the visible text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.addresses, self.text, self.languages = set(), [], [], []
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self._silent = tag in ("style", "title")
        attributes = dict(attrs)
        self.addresses += [attributes[name] for name in ("href", "src", "background", "srcset") if name in attributes]
        if "lang" in attributes:
            self.languages.append((tag, attributes["lang"]))

    def handle_endtag(self, tag):
        self._silent = self._silent and tag not in ("style", "title")

    def handle_data(self, data):
        if not self._silent:
            self.text.append(data)

    @property
    def seen(self):
        return " ".join(" ".join(self.text).split())


HARMLESS = {
    *("html", "head", "title", "meta", "style", "body", "div", "table", "tbody", "tr", "td", "th", "a", "h1"),
    *("span", "strong", "br", "p"),
}


def check_mail(letter, language):
    assert len(letter["Subject"]) < 70
    assert not re.search(r"[\r\n\u2028\u202e]", letter["Subject"])
    page = Page(part(letter, "html"))
    assert page.tags <= HARMLESS, page.tags - HARMLESS
    assert ("html", language) == page.languages[0]
    assert all(address.startswith(("https://", "http://")) for address in page.addresses)
    assert not re.search(r"url\(|@import|<link|<img|<script", part(letter, "html"))


@often
@given(any_event, st.sampled_from(LANGUAGES))
@pytest.mark.slow
def test_any_event_that_the_contracts_allow_makes_a_valid_message_on_every_channel(told, language):
    view = event_view(*told)

    check_slack(payload(view, "slack", language))
    check_teams(message(view, "teams", language).body)
    check_mail(mail(view, language), language)
    assert payload(view, "webhook", language)["data"] == json.loads(view.value)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("longest", [False, True], ids=["short", "longest"])
def test_hostile_text_stays_text(view, language, longest):
    hostile = with_text(view, HOSTILE, longest=longest)

    check_slack(payload(hostile, "slack", language))
    check_teams(message(hostile, "teams", language).body)
    letter = mail(hostile, language)
    check_mail(letter, language)
    assert "<!channel> @here" in Page(part(letter, "html")).seen
    for channel in ("slack", "teams"):
        assert not any(
            re.search("[\u202a-\u202e\u2066-\u2069\u2028]", text) for text in texts(payload(hostile, channel, language))
        )


@pytest.mark.parametrize("character", ["&", "<", "_", "\\", "\U0001f600", "é", '"', "*"])
def test_the_longest_texts_fit_whatever_they_cost_to_escape(view, character):
    longest = with_text(view, character, longest=True)
    follows = Filters(sections=frozenset({view.data.commitment.section}))

    check_slack(payload(longest, "slack", "en", filters=follows))
    check_teams(message(longest, "teams", "en", filters=follows).body)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_to_the_commitment_is_never_cut(view, language):
    longest = with_text(view, HOSTILE, longest=True)
    url = LINKS.commitment(view.data.commitment.id)

    for channel in ("slack", "teams"):
        assert url in texts(payload(longest, channel, language))
    assert url in Page(part(mail(longest, language), "html")).addresses


def test_nobody_writes_a_slot_into_a_text():
    """The names of slots, their edges as escapes: the only way to write them where edges are refused."""
    view = with_text(GOLDEN["status-changed.v1.canada-seul"], "\\u007fdelivery-id\\u007f delivery-id \\")

    for channel in ("slack", "teams"):
        body = message(view, channel, "en").body
        assert body.count(str(reader("en").id).encode()) == 1
        json.loads(body)
    assert Template.of(f"a{DELIVERY_ID}b").pieces == ("a", "delivery-id", "b")


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_webhook_is_the_cloud_event_that_stands_on_the_topic(name):
    view = GOLDEN[name]
    body = message(view, "webhook", "en").body
    on_topic = json.loads(next(p for p in PATHS if p.stem == name).read_text(encoding="utf-8"))["headers"]

    event = from_structured(KafkaMessage({"content-type": b"application/cloudevents+json"}, None, body), JSONFormat())
    read = json.loads(body)
    assert len(body) < 20_000
    assert view.value in body
    assert event.get_id() == str(view.id)
    expected = {k.removeprefix("ce_"): v for k, v in on_topic.items() if k.startswith("ce_")}
    assert expected == {k: v for k, v in read.items() if k not in ("data", "datacontenttype")}
    assert read["datacontenttype"] == "application/json"


def test_a_webhook_has_the_same_bytes_for_everyone(view):
    bodies = {
        message(view, "webhook", language, id=reader("en").subscription_id, zone=zone).body
        for language, zone in [("en", "America/Toronto"), ("es", "America/Mexico_City"), ("fr", "UTC")]
    }

    assert len(bodies) == 1


@pytest.mark.parametrize("channel", ["slack", "teams"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chat_message_names_its_delivery_and_its_reason(view, channel, language):
    shown = " ".join(texts(payload(view, channel, language)))

    assert str(reader(language).id) in shown
    assert LINKS.subscription(reader(language).subscription_id) in shown
    assert reader(language).unsubscribe_url not in shown


def test_one_rendering_serves_readers_in_different_zones(view):
    view = GOLDEN["status-changed.v1.canada-seul"]
    rendered = render(view, "slack", "en", LINKS)
    shown = [
        for_delivery(rendered, replace(reader("en"), zone=zone), sender=SENDER, attempted_at=NOW).body.decode()
        for zone in ("America/Toronto", "America/Mexico_City")
    ]

    assert "(Toronto)" in shown[0]
    assert "(Mexico City)" in shown[1]


def test_what_cannot_be_rendered_is_refused_by_name():
    view = ONE_OF_EACH_KIND["milestone-due"]

    with pytest.raises(ValueError, match="there is no channel pigeon"):
        render(view, "pigeon", "en", LINKS)
    with pytest.raises(KeyError):
        render(view, "slack", "de", LINKS)
    with pytest.raises(UnsupportedEvent):
        _ = replace(view, kind="delivery-settled").data


def test_rendering_is_a_function_of_its_arguments(view):
    for channel in CHANNELS:
        once, again = (render(view, channel, "fr", PageLinks("https://p.example")) for _ in range(2))
        assert once.content == again.content


@given(st.text())
def test_slack_shows_what_was_written(text):
    shown = slack.escape(text).replace("\u2060", "")

    assert text.replace("\u2060", "") == shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_teams_shows_an_entity_as_it_was_written():
    assert teams.escape("a &lt; b &#60; c & d;") == "a &amp;lt; b &amp;#60; c & d;"


def test_the_last_day_of_all_calendars_has_no_end():
    view = ONE_OF_EACH_KIND["milestone-due"]
    data = json.loads(view.value)
    data["milestone"]["span"] = {"edtf": "9999", "earliest": "9999-01-01", "latest": "9999-12-31", "precision": "year"}
    last = event_view(view.kind, type(view.data).model_validate_json(json.dumps(data)))

    assert "9999" in part(mail(last, "en"), "plain")
