"""Microsoft Teams: an Adaptive Card 1.5 for a Workflows webhook.

Texts and facts are read as Markdown, so what others wrote is escaped; long prose stands in `RichTextBlock`, whose
runs are no Markdown (but know the card's functions).
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.i18n.text import shorten
from services.i18n.words import Words
from services.notifier.channels.channel import ChatChannel, card_json
from services.notifier.channels.message_limits import TEAMS
from services.notifier.channels.outcomes import Accepted, AttemptOutcome
from services.notifier.rendering import placeholders
from services.notifier.rendering.channel_notice import ChannelNotice
from services.notifier.rendering.group_message import GroupItem, GroupMessage
from services.notifier.rendering.group_words import and_more
from services.notifier.rendering.message import EventMessage, MessageLink

_PLACEHOLDERS = 2_500
"""Bytes that the values of the placeholders may add."""

_INNER_ERROR = re.compile(rb"returned HTTP error ([45]\d\d)")
_MARKS = re.compile(r"([\\`*_\[\]~|])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_AT_START = re.compile(r"^(\s*)([#>+-]|\d+(?=[.)]))")
_NUMBERED = re.compile(r"^(\s*\d+)([.)])")


def escape(text: str) -> str:
    """Text that shows as it stands: no emphasis, links, lists, headings, and no date functions of the card."""
    text = _MARKS.sub(r"\\\1", text)
    text = _NUMBERED.sub(r"\1\\\2", _AT_START.sub(_escaped_start, text))
    return _inert(_ENTITY.sub("&amp;", text).replace("<", "&lt;"))


def _inert(text: str) -> str:
    """Text without what a card computes: date functions, which even a `TextRun` obeys, and bindings of a template."""
    return text.replace("{{", "{\u2060{").replace("${", "$\u2060{")


class Teams(ChatChannel):
    """A Workflows webhook of Microsoft Teams."""

    escape = staticmethod(escape)

    def card(self, message: EventMessage, words: Words) -> str:
        """An Adaptive Card; long texts give way until it is small enough."""
        card = ""
        for longest in (4000, 2000, 1000, 400, 120):
            card = card_json(_card(message, words, longest))
            if len(card.encode()) <= TEAMS["bytes"] - _PLACEHOLDERS:
                break
        return card

    def group_card(self, message: GroupMessage, words: Words) -> str:
        """An Adaptive Card; texts give way first, then items, until it is small enough."""
        card = ""
        for most, longest in ((message.count, 200), (message.count, 100), (40, 100), (20, 100), (10, 60)):
            card = card_json(_group_card(message, words, most, longest))
            if len(card.encode()) <= TEAMS["bytes"] - _PLACEHOLDERS:
                break
        return card

    def notice_card(self, notice: ChannelNotice) -> str:
        """An Adaptive Card: the headline, a line for each change, a button."""
        content = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.5",
            "lang": notice.language,
            "fallbackText": escape(shorten(notice.headline, 300)),
            "body": [
                _text(shorten(notice.headline, 400), weight="Bolder"),
                *(_prose(shorten(line, 1000), spacing="Small") for line in notice.lines),
            ],
            "actions": [{"type": "Action.OpenUrl", "title": notice.link_label, "url": notice.link_url}],
        }
        attachment = {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": None,
            "content": content,
        }
        return card_json({"type": "message", "attachments": [attachment]})

    def read_answer(self, status: int, retry_after: str | None, body: bytes, now: datetime) -> AttemptOutcome:
        """202 says that a flow was started, not that it has posted anything.

        Teams may say 200 and, in the body, that it has taken nothing: `… endpoint returned HTTP error 429 …`
        (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).
        """
        if 200 <= status < 300 and (inner := _INNER_ERROR.search(body)):
            status = int(inner[1])
        return Accepted(status) if status == 202 else super().read_answer(status, retry_after, body, now)


def _card(message: EventMessage, words: Words, longest: int) -> dict[str, Any]:
    body: list[dict[str, Any]] = [
        _text(shorten(message.headline, longest), weight="Bolder", color="Accent"),
        _text(shorten(message.title, longest), style="heading", weight="Bolder", size="Large", spacing="None"),
    ]
    if message.lead:
        body.append(_prose(shorten(message.lead, longest)))
    if message.change:
        change = f"{shorten(message.change.before, longest)} → {shorten(message.change.after, longest)}"
        body.append(_prose(change))
    if message.ask:
        body.append(_prose(message.ask))
    body.append(_actions(message.links))
    if message.quotation:
        body.append(_text(words.label(message.quotation.label), weight="Bolder", separator=True))
        body.append(_prose(words.quoted(shorten(message.quotation.text, longest)), spacing="Small"))
    facts = [{"title": _value(fact.label, longest), "value": _value(fact.value, longest)} for fact in message.facts]
    body.append({"type": "FactSet", "facts": facts, "separator": True})
    body += _small_print(words)
    return _posted(body, message.language, message.heading, min(longest, 300))


def _group_card(message: GroupMessage, words: Words, most: int, longest: int) -> dict[str, Any]:
    body: list[dict[str, Any]] = [_text(message.headline, style="heading", weight="Bolder", size="Large")]
    body += [_prose(text) for text in (message.lead, message.ask) if text]
    shown, left = message.first(most)
    for section in shown:
        if len(message.sections) > 1:
            body.append(_text(section.title, weight="Bolder", separator=True))
        body += [_item(item, longest) for item in section.items]
    if left:
        body.append(_prose(and_more(left, words)))
    body += [_actions(message.links), *_small_print(words)]
    return _posted(body, message.language, message.headline, 300)


def _item(item: GroupItem, longest: int) -> dict[str, Any]:
    title = _run(shorten(item.title, longest)) | {"selectAction": {"type": "Action.OpenUrl", "url": item.url}}
    return {
        "type": "RichTextBlock",
        "inlines": [title, *([_run(f" – {shorten(item.said, longest)}")] if item.said else [])],
        "spacing": "Small",
    }


def _small_print(words: Words) -> list[dict[str, Any]]:
    """Why it comes and how to change that, and by which number it is known."""
    manage = escape(words.gettext("Change what you get"))
    small = {"isSubtle": True, "size": "Small"}
    return [
        {**_block(f"{placeholders.REASON} [{manage}]({placeholders.SUBSCRIPTION_URL})"), **small, "separator": True},
        {**_block(f"{escape(words.gettext('Delivery'))} {placeholders.DELIVERY_ID}"), **small, "spacing": "None"},
    ]


def _actions(links: Iterable[MessageLink]) -> dict[str, Any]:
    """The buttons, where what is asked is said: those of a card itself stand below the small print."""
    actions = [
        {"type": "Action.OpenUrl", "title": link.label, "url": link.url}
        for link in links
        if len(link.url) <= TEAMS["button_url"]
    ]
    return {"type": "ActionSet", "actions": actions}


def _posted(body: list[dict[str, Any]], language: str, fallback: str, longest: int) -> dict[str, Any]:
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "lang": language,
        "fallbackText": escape(shorten(fallback, longest)),
        "msteams": {"width": "Full"},
        "body": body,
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content,
    }
    return {"type": "message", "attachments": [attachment]}


def _block(text: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True}


def _text(text: str, **looks: Any) -> dict[str, Any]:
    return {**_block(escape(text)), **looks}


def _prose(text: str, **looks: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [_run(text)], **looks}


def _run(text: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": _inert(text)}


def _value(text: str, longest: int) -> str:
    return placeholders.escape_around(shorten(text, longest), escape)


def _escaped_start(mark: re.Match[str]) -> str:
    return mark[0] if mark[2].isdigit() else f"{mark[1]}\\{mark[2]}"
