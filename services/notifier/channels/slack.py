"""Slack: a message of blocks for an incoming webhook.

What others wrote stands in `plain_text` objects, where Slack reads no formatting; only our own words are `mrkdwn`.
Limits: https://docs.slack.dev/reference/block-kit/blocks (header 150, section 3,000, ten fields of 2,000, 50 blocks).
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from services.i18n.text import shorten
from services.i18n.words import Words
from services.notifier.rendering import placeholders as slots
from services.notifier.rendering.message import Fact, News

HEADER, SECTION, FIELD, FIELDS, BUTTON, FALLBACK = 150, 3000, 2000, 10, 75, 600

# A word joiner after the @ keeps receivers that speak Slack's format, but look for mentions on their own, quiet.
_MENTION = re.compile(r"(?<![\w.+-])@(?=\w)")


def escape(text: str) -> str:
    """Text that Slack shows and doesn't obey: no links, no mentions."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MENTION.sub("@\u2060", text)


def card(news: News, words: Words) -> slots.Slotted:
    """The message as JSON, with slots for the delivery."""
    title = _cut(news.title, HEADER)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(title, HEADER)},
        {"type": "section", "text": _ours(f"*{escape(news.headline)}*")},
        {"type": "section", "text": _plain(news.lead, SECTION)},
        *_tables(list(_facts(news)), words),
    ]
    if news.quotation:
        blocks.append({"type": "section", "text": _ours(f"*{words.label(news.quotation.label)}*")})
        blocks.append(
            {"type": "section", "text": _plain(words.quoted(_cut(news.quotation.text, SECTION - 4)), SECTION)}
        )
    buttons = [
        {"type": "button", "text": _plain(link.label, BUTTON), "url": link.url, "action_id": f"open-{at}"}
        for at, link in enumerate(news.links)
    ]
    blocks.append({"type": "actions", "elements": buttons})
    manage = words.gettext("Change what you get")
    blocks.append(
        {
            "type": "context",
            "elements": [
                _ours(f"{slots.REASON} <{slots.SUBSCRIPTION_URL}|{escape(manage)}>"),
                _ours(f"{escape(words.gettext('Delivery'))} {slots.DELIVERY_ID}"),
            ],
        }
    )
    message = {
        "text": escape(_cut(f"{news.title}: {news.headline}", FALLBACK)),
        "mrkdwn": False,
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
        "link_names": False,
    }
    return slots.Slotted.of(json.dumps(message, ensure_ascii=False, separators=(",", ":")))


def _facts(news: News) -> Iterator[Fact]:
    if news.change:
        yield Fact(news.change.label, f"{news.change.before} → {news.change.after}")
    yield from news.facts


def _tables(facts: list[Fact], words: Words) -> Iterator[dict[str, Any]]:
    """Fields stand in two columns: the label on the left, the value on the right."""
    for first in range(0, len(facts), FIELDS // 2):
        fields = []
        for fact in facts[first : first + FIELDS // 2]:
            fields += [_ours(f"*{escape(words.label(fact.label))}*"), _plain(fact.value, FIELD)]
        yield {"type": "section", "fields": fields}


def _ours(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": slots.escaped(_cut(text, limit), escape), "emoji": False}


def _cut(text: str, limit: int, measure: Callable[[str], str] = escape) -> str:
    """The text, cut so that it is within the limit after escaping: `&` alone takes five characters."""
    cut, room = text, limit
    while len(measure(cut)) > limit:
        cut = shorten(text, room)
        room -= max(1, (len(measure(cut)) - limit) // 5)
    return cut
