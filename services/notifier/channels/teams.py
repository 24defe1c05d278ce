"""Microsoft Teams: an Adaptive Card 1.5 for a Workflows webhook.

Texts and facts are read as Markdown, so what others wrote is escaped; long prose stands in `RichTextBlock`, whose
runs are no Markdown (but know the card's functions). Teams documents 28 KB and was seen to refuse from 21 KB: we
stop at 20,000 bytes.
"""

import json
import re
from typing import Any

from services.i18n.text import shorten
from services.i18n.words import Words
from services.notifier.rendering import placeholders as slots
from services.notifier.rendering.message import News

LARGEST = 20_000
"""Bytes of the whole message."""

_SLOTS = 2_500
"""Bytes that the values of the slots may add."""

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


def card(news: News, words: Words) -> slots.Slotted:
    """The message as JSON, with slots for the delivery; long texts give way until it is small enough."""
    message = ""
    for longest in (4000, 2000, 1000, 400, 120):
        message = json.dumps(_message(news, words, longest), ensure_ascii=False, separators=(",", ":"))
        if len(message.encode()) <= LARGEST - _SLOTS:
            break
    return slots.Slotted.of(message)


def _message(news: News, words: Words, longest: int) -> dict[str, Any]:
    body: list[dict[str, Any]] = [
        _text(news.headline, weight="Bolder", color="Accent"),
        _text(shorten(news.title, longest), style="heading", weight="Bolder", size="Large", spacing="Small"),
        _prose(shorten(news.lead, longest)),
    ]
    facts = [{"title": fact.label, "value": _value(fact.value, longest)} for fact in news.facts]
    if news.change:
        change = f"{shorten(news.change.before, longest)} → {shorten(news.change.after, longest)}"
        facts.insert(0, {"title": news.change.label, "value": _value(change, 2 * longest + 3)})
    body.append({"type": "FactSet", "facts": facts, "separator": True})
    if news.quotation:
        body.append(_text(words.label(news.quotation.label), weight="Bolder", separator=True))
        body.append(_prose(words.quoted(shorten(news.quotation.text, longest)), spacing="Small"))
    manage = escape(words.gettext("Change what you get"))
    body.append(
        {
            **_block(f"{slots.REASON} [{manage}]({slots.SUBSCRIPTION_URL})"),
            "isSubtle": True,
            "size": "Small",
            "separator": True,
        }
    )
    body.append(
        {
            **_block(f"{escape(words.gettext('Delivery'))} {slots.DELIVERY_ID}"),
            "isSubtle": True,
            "size": "Small",
            "spacing": "None",
        }
    )
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "lang": news.language,
        "fallbackText": escape(shorten(f"{news.title}: {news.headline}", min(longest, 300))),
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": link.label, "url": link.url} for link in news.links],
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
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": _inert(text)}], **looks}


def _value(text: str, longest: int) -> str:
    return slots.escaped(shorten(text, longest), escape)


def _escaped_start(mark: re.Match[str]) -> str:
    return mark[0] if mark[2].isdigit() else f"{mark[1]}\\{mark[2]}"
