"""What a channel is told when somebody in it has changed what it gets, by the link that everybody there holds. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from services.i18n.delivery_names import subscription_state
from services.i18n.distances import step_in_words
from services.i18n.event_names import followed_event_in_full
from services.i18n.names import language_name, level_name
from services.i18n.text import plain
from services.i18n.words import Words


@dataclass(frozen=True)
class ChannelNotice:
    """A few lines, and the link to the page where it is put back."""

    language: str
    headline: str
    lines: tuple[str, ...]
    link_label: str
    link_url: str


def changed_notice(
    subscriber: str, before: Mapping[str, Any], after: Mapping[str, Any], words: Words, url: str
) -> ChannelNotice:
    """That somebody has changed the subscription, from what to what; `before` and `after` hold what differs."""
    return ChannelNotice(
        words.language,
        words.gettext("Somebody in this channel has changed what it gets (%(who)s).", who=plain(subscriber)),
        tuple(
            words.line(label(words), f"{told(before[name], words)} → {told(after[name], words)}")
            for name, (label, told) in _TOLD.items()
            if name in after
        ),
        words.gettext("Look, or put it back"),
        url,
    )


def _events(events: Any, words: Words) -> str:
    names = [followed_event_in_full(name, words) for name in events]
    return words.listed(names) or words.gettext("everything but what does not agree in the register")


def _timing(timing: Any, words: Words) -> str:
    """A timing in a line; what it has in detail the page shows."""
    if timing is None:
        return words.gettext("At once")
    rhythms = {"daily": words.gettext("Once a day, all together"), "weekly": words.gettext("Once a week, all together")}
    parts = [rhythms.get(timing["rhythm"], words.gettext("At once"))]
    if timing["quiet_hours"]:
        parts.append(words.gettext("Quiet hours"))
    if timing["mutes"]:
        parts.append(words.gettext("Muted"))
    return words.listed(parts)


def _ladder(ladder: Any, words: Words) -> str:
    if ladder is None:
        return words.gettext("the usual reminders")
    return words.listed(
        f"{step_in_words(rung['step'], words)}, {words.time_of_day(time.fromisoformat(rung['at']))}"
        for rung in ladder["rungs"]
    )


_TOLD: Mapping[str, tuple[Callable[[Words], str], Callable[[Any, Words], str]]] = {
    "state": (lambda words: words.gettext("Subscription"), subscription_state),
    "language": (lambda words: words.gettext("Language"), language_name),
    "zone": (lambda words: words.gettext("Time zone"), lambda zone, words: words.place(zone)),
    "events": (lambda words: words.gettext("Kinds of news"), _events),
    "ladder": (lambda words: words.gettext("Reminders"), _ladder),
    "timing": (lambda words: words.gettext("When you are told"), _timing),
    "level": (
        lambda words: words.gettext("Is asked as"),
        lambda level, words: level_name(level, words) if level else words.gettext("nobody"),
    ),
}
"""How each column is told, in this order; what is no column here is told of by the page."""
