"""Slack: a message of blocks for an incoming webhook.

What others wrote stands in `plain_text` objects, where Slack reads no formatting; only our own words are `mrkdwn`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from services.i18n.text import shorten
from services.i18n.words import Words
from services.notifier.channels.channel import ChatChannel, card_json
from services.notifier.channels.message_limits import SLACK
from services.notifier.channels.outcomes import AttemptOutcome, gone
from services.notifier.rendering import placeholders
from services.notifier.rendering.channel_notice import ChannelNotice
from services.notifier.rendering.group_message import GroupMessage, GroupSection
from services.notifier.rendering.group_words import and_more
from services.notifier.rendering.message import EventMessage, Fact, MessageLink

HEADER, SECTION = SLACK["header"], SLACK["section"]

# A word joiner after the @ keeps receivers that speak Slack's format, but look for mentions on their own, quiet.
_MENTION = re.compile(r"(?<![\w.+-])@(?=\w)")


def escape(text: str) -> str:
    """Text that Slack shows and doesn't obey: no links, no mentions."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MENTION.sub("@\u2060", text)


_GONE = (b"no_service", b"channel_not_found", b"no_team", b"channel_is_archived")


class Slack(ChatChannel):
    """An incoming webhook of Slack."""

    escape = staticmethod(escape)

    def card(self, message: EventMessage, words: Words) -> str:
        """Blocks: the news, what is asked and where to do it, the words of the statement, facts."""
        blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(_cut(message.heading, HEADER), HEADER)}]
        blocks += [{"type": "section", "text": _plain(text, SECTION)} for text in _lines(message)]
        blocks.append(_buttons(message.links))
        if message.quotation:
            blocks.append({"type": "section", "text": _ours(f"*{words.label(message.quotation.label)}*")})
            blocks.append(
                {"type": "section", "text": _plain(words.quoted(_cut(message.quotation.text, SECTION - 4)), SECTION)}
            )
        blocks += [_table(message.facts, words), _small_print(words)]
        return card_json(_posted(message.heading, blocks))

    def group_card(self, message: GroupMessage, words: Words) -> str:
        """Blocks: header, why it comes together, a list for each section, a button, and a footer."""
        blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(_cut(message.headline, HEADER), HEADER)}]
        blocks += [{"type": "section", "text": _plain(text, SECTION)} for text in (message.lead, message.ask) if text]
        shown, left = message.first(SLACK["items"])
        blocks += [_list(section, titled=len(message.sections) > 1) for section in shown]
        if left:
            blocks.append({"type": "section", "text": _plain(and_more(left, words), SECTION)})
        blocks += [_buttons(message.links), _small_print(words)]
        return card_json(_posted(message.headline, blocks))

    def notice_card(self, notice: ChannelNotice) -> str:
        """Blocks: the headline, a line for each change, a button."""
        url = {"type": "button", "text": _plain(notice.link_label, SLACK["button"]), "url": notice.link_url}
        lines = [{"type": "section", "text": _plain(line, SECTION)} for line in notice.lines]
        card = {
            "text": escape(_cut(notice.headline, SLACK["fallback"])),
            "mrkdwn": False,
            "blocks": [
                {"type": "section", "text": _ours(f"*{escape(_cut(notice.headline, SECTION // 2))}*")},
                *lines,
                {"type": "actions", "elements": [url | {"action_id": "open-0"}]},
            ],
            "unfurl_links": False,
            "unfurl_media": False,
            "link_names": False,
        }
        return card_json(card)

    def read_answer(self, status: int, retry_after: str | None, body: bytes, now: datetime) -> AttemptOutcome:
        """A 404 that says so ends the subscription, too."""
        if status == 404 and any(word in body for word in _GONE):
            return gone(status)
        return super().read_answer(status, retry_after, body, now)


def _posted(fallback: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "text": escape(_cut(fallback, SLACK["fallback"])),
        "mrkdwn": False,
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
        "link_names": False,
    }


def _small_print(words: Words) -> dict[str, Any]:
    """Why it comes and how to change that, and by which number it is known."""
    manage = words.gettext("Change what you get")
    return {
        "type": "context",
        "elements": [
            _ours(f"{placeholders.REASON} <{placeholders.SUBSCRIPTION_URL}|{escape(manage)}>"),
            _ours(f"{escape(words.gettext('Delivery'))} {placeholders.DELIVERY_ID}"),
        ],
    }


def _list(section: GroupSection, *, titled: bool) -> dict[str, Any]:
    """A heading and a list of links. Texts of `rich_text` are shown as they stand: no formatting, no mentions."""
    items = [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "link", "url": item.url, "text": shorten(item.title, SLACK["item"])},
                *([_text(f" – {shorten(item.said, SLACK['item'])}")] if item.said else []),
            ],
        }
        for item in section.items
    ]
    heading = [{"type": "rich_text_section", "elements": [_text(section.title, bold=True)]}] if titled else []
    return {
        "type": "rich_text",
        "elements": [*heading, {"type": "rich_text_list", "style": "bullet", "elements": items}],
    }


def _table(facts: Sequence[Fact], words: Words) -> dict[str, Any]:
    """A line for each fact, the label in bold."""
    pieces = []
    for at, fact in enumerate(facts):
        pieces.append(_text(f"{words.label(fact.label)} ", bold=True))
        pieces.append(_text(shorten(fact.value, SLACK["fact"]) + ("\n" if at + 1 < len(facts) else "")))
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": pieces}]}


def _text(text: str, *, bold: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"style": {"bold": True}} if bold else {})}


def _lines(message: EventMessage) -> Iterator[str]:
    """What stands below the news: what is to be known of it, what it was before, what is asked."""
    if message.lead:
        yield message.lead
    if message.change:
        yield f"{message.change.before} → {message.change.after}"
    if message.ask:
        yield message.ask


def _buttons(links: Iterable[MessageLink]) -> dict[str, Any]:
    elements = [
        {"type": "button", "text": _plain(link.label, SLACK["button"]), "url": link.url, "action_id": f"open-{at}"}
        for at, link in enumerate(links)
        if len(link.url) <= SLACK["button_url"]
    ]
    return {"type": "actions", "elements": elements}


def _ours(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": placeholders.escape_around(_cut(text, limit), escape), "emoji": False}


def _cut(text: str, limit: int) -> str:
    """The text, cut so that it is within the limit after escaping: `&` alone takes five characters."""
    cut, left = shorten(text, limit), limit
    while (excess := _length(cut) - limit) > 0:
        left = min(left, len(cut)) - max(1, excess // 5)
        cut = shorten(text, left)
    return cut


def _length(text: str) -> int:
    """In UTF-16, as programs in JavaScript count, after escaping."""
    return len(escape(text).encode("utf-16-le", "surrogatepass")) // 2
