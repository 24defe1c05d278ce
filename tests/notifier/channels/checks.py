"""What a receiver would refuse or obey in a message: one check for each channel, run on the bytes that are sent."""

import json
import re
from collections.abc import Callable
from email import message_from_bytes
from html.parser import HTMLParser

from jsonschema import Draft202012Validator

from deploy.embedded.inbox import slack, teams
from deploy.embedded.inbox.verdicts import AcceptedPost
from services.i18n.words import words_in
from services.notifier.channels.email import POLICY
from services.notifier.channels.message_limits import TEAMS
from services.notifier.rendering.message import SUBJECT_LENGTH
from tests.notifier.rendering.material import LANGUAGES, LINKS, part, reader, texts


def in_utf16(text):
    return len(text.encode("utf-16-le")) // 2


def check_slack(card):
    verdict = slack.judge({}, json.dumps(card).encode())
    assert isinstance(verdict, AcceptedPost), verdict
    assert len(card["blocks"]) <= 50
    assert len(card["text"]) < 40_000
    assert (card["unfurl_links"], card["unfurl_media"], card["mrkdwn"]) == (False, False, False)
    limits = {"header": 150, "section": SECTION}
    for block in card["blocks"]:
        if "text" in block:
            assert 1 <= in_utf16(block["text"]["text"]) <= limits[block["type"]]
        assert 1 <= len(block.get("fields", [1])) <= 10
        assert all(1 <= in_utf16(field["text"]) <= 2000 for field in block.get("fields", []))
        for element in block.get("elements", []):
            if block["type"] == "rich_text":
                check_rich_text(element)
            if element["type"] == "button":
                assert (len(element["text"]["text"]), len(element["url"])) <= (75, 3000)
    rich = texts([block for block in card["blocks"] if block["type"] == "rich_text"])  # read as it stands
    assert sum(map(in_utf16, rich)) <= 12_000
    for text in texts([block for block in card["blocks"] if block["type"] != "rich_text"] + [card["text"]]):
        assert "<!" not in text
        assert "<@" not in text
        assert not re.search(r"(?<![\w.+-])@\w", text)
        assert set(re.findall(r"<(.*?)>", text)) <= {
            f"{LINKS.subscription(reader().subscription_id)}|{words_in(language).gettext('Change what you get')}"
            for language in LANGUAGES
        }


def check_rich_text(element):
    """A section, or a list of sections, of texts and links: nothing that pings anybody."""
    if element["type"] == "rich_text_list":
        assert element["style"] == "bullet"
        assert element["elements"]
        for inner in element["elements"]:
            check_rich_text(inner)
        return
    assert element["type"] == "rich_text_section"
    for piece in element["elements"]:
        assert piece["type"] in ("text", "link")
        assert 1 <= in_utf16(piece["text"]) <= SECTION
        assert piece["type"] == "text" or re.match("https?://", piece["url"])


SECTION = 3000

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
                    "properties": {
                        "type": {"const": "TextRun"},
                        "text": {"type": "string"},
                        "selectAction": {
                            "type": "object",
                            "required": ["type", "url"],
                            "additionalProperties": False,
                            "properties": {
                                "type": {"const": "Action.OpenUrl"},
                                "url": {"type": "string", "pattern": "^https?://"},
                            },
                        },
                    },
                },
            },
            "spacing": {"enum": ["None", "Small", "Default"]},
        },
    },
    "ActionSet": {
        "required": ["type", "actions"],
        "properties": {"type": {}, "actions": {"type": "array", "minItems": 1, "maxItems": 6}},
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
    verdict = teams.judge({}, body)
    assert isinstance(verdict, AcceptedPost), verdict
    assert len(body) <= TEAMS["bytes"]
    (attachment,) = json.loads(body)["attachments"]
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.5")
    for block in card["body"]:
        schema = {"type": "object", "additionalProperties": False} | TEAMS_BLOCK[block["type"]]
        Draft202012Validator(schema).validate(block)
    (buttons,) = (block["actions"] for block in card["body"] if block["type"] == "ActionSet")
    assert buttons
    for action in buttons:
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
        self._space_around(tag)
        self._silent = tag in ("style", "title")
        attributes = dict(attrs)
        self.addresses += [attributes[name] for name in ("href", "src", "background", "srcset") if name in attributes]
        if "lang" in attributes:
            self.languages.append((tag, attributes["lang"]))

    def _space_around(self, tag):
        """What stands in a block of its own is apart from what stands before and behind it."""
        if tag not in ("a", "span", "strong"):
            self.text.append(" ")

    def handle_endtag(self, tag):
        self._space_around(tag)
        self._silent = self._silent and tag not in ("style", "title")

    def handle_data(self, data):
        if not self._silent:
            self.text.append(data)

    @property
    def seen(self):
        return " ".join("".join(self.text).split())


HARMLESS = {
    *("html", "head", "title", "meta", "style", "body", "div", "table", "tbody", "tr", "td", "th", "a", "h1"),
    *("span", "strong", "br", "p", "ul", "li"),
}


def check_mail(letter, language):
    assert len(letter["Subject"]) <= SUBJECT_LENGTH
    assert not re.search(r"[\r\n\u2028\u202e]", letter["Subject"])
    page = Page(part(letter, "html"))
    assert page.tags <= HARMLESS, page.tags - HARMLESS
    assert ("html", language) == page.languages[0]
    assert all(address.startswith(("https://", "http://")) for address in page.addresses)
    assert not re.search(r"url\(|@import|<link|<img|<script", part(letter, "html"))


def check_webhook(body):
    event = json.loads(body)
    assert len(body) < 256 * 1024
    assert event["specversion"] == "1.0"


CHECKS: dict[str, Callable[[bytes, str], None]] = {
    "email": lambda sent, language: check_mail(message_from_bytes(sent, policy=POLICY), language),
    "slack": lambda sent, _: check_slack(json.loads(sent)),
    "teams": lambda sent, _: check_teams(sent),
    "webhook": lambda sent, _: check_webhook(sent),
}
"""By channel; the kit asks for one of every channel."""
