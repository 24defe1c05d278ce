"""Why somebody gets a message: the part of their subscription that the event met."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from contracts.commitments import CommitmentBrief
from contracts.filters import Filters
from contracts.topics import MILESTONE_DUE
from contracts.vocabulary import Text
from services.i18n.event_names import followed_event
from services.i18n.languages import SOURCE
from services.i18n.names import theme_title
from services.i18n.prose import Prose, marked_text
from services.i18n.words import Words, words_in
from services.notifier.rendering.message import marked_party

LONGEST = 240
"""Characters of what was met; a card keeps so much free for it."""


@dataclass(frozen=True, eq=False)
class MatchedEvent:
    """What of an event a subscription may have met. Compared by identity, which is quick: a rendered event has one."""

    event: str
    """The name of its topic."""
    parties: frozenset[str]
    commitment: CommitmentBrief
    by_own_ladder: bool = False
    """Whether one subscription's own ladder has asked for it."""
    level_title: Text | None = None
    """What the level is called that an escalation is for."""


@lru_cache(maxsize=8192)
def footer_reason(filters: Filters, event: MatchedEvent, language: str, ladder_refused: bool = False) -> Prose:
    """`You get this because you follow: this commitment · Climate action · Mexico · reminders.`

    It names what was met, not all that was asked for. Whose own ladder is not planned hears so with each reminder.
    """
    words = words_in(language)
    met = Prose.read(" · ".join(_met(filters, event, language))).shortened(LONGEST).written
    reason = _followed(met, words)
    if ladder_refused and event.event == MILESTONE_DUE.name:
        reason = f"{reason} {_usual_reminders(words)}"
    return Prose.read(reason)


@dataclass(frozen=True)
class Concern:
    """Why somebody is told: the filters of one subscription of theirs, and the events of the message that it met."""

    filters: Filters
    events: tuple[MatchedEvent, ...]
    ladder_refused: bool = False


def joined_reasons(concerns: Sequence[Concern], language: str) -> Prose:
    """Why somebody gets a message about several events, or by several subscriptions; at least one of each.

    `You get this because you follow: Climate action · Mexico.`, or with each subscription of several named:
    `You get this by 2 subscriptions: Climate action · Mexico; all that is in the register.`
    """
    words = words_in(language)
    if len(concerns) == 1 and len(concerns[0].events) == 1:
        only = concerns[0]
        return footer_reason(only.filters, only.events[0], language, only.ladder_refused)
    met = [
        Prose.read(" · ".join(_met_by_all(one, language))).shortened(LONGEST // len(concerns)).written
        for one in concerns
    ]
    if len(concerns) > 1:
        everything = words.gettext("all that is in the register")
        each = "; ".join(part or everything for part in met)
        reason = words.ngettext(
            "You get this by %(number)s subscription: %(what)s.",
            "You get this by %(number)s subscriptions: %(what)s.",
            len(concerns),
            what=each,
        )
    else:
        reason = _followed(met[0], words)
    if any(one.ladder_refused and _has_reminder(one) for one in concerns):
        reason = f"{reason} {_usual_reminders(words)}"
    return Prose.read(reason)


def _followed(met: str, words: Words) -> str:
    if met:
        return words.gettext("You get this because you follow: %(what)s.", what=met)
    return words.gettext("You get this because you follow all that is in the register.")


def _met_by_all(concern: Concern, language: str) -> list[str]:
    """What the events of a message have met of a subscription, each once."""
    return list(dict.fromkeys(part for event in concern.events for part in _met(concern.filters, event, language)))


def _has_reminder(concern: Concern) -> bool:
    return any(event.event == MILESTONE_DUE.name for event in concern.events)


def _usual_reminders(words: Words) -> str:
    return words.gettext("Your own reminders could not be planned, so these are the usual ones; please set them anew.")


def _met(filters: Filters, event: MatchedEvent, language: str) -> list[str]:
    words, brief = words_in(language), event.commitment
    met: list[str] = []
    if event.level_title:
        level = words.quoted(marked_text(event.level_title, SOURCE, words))
        met.append(words.gettext("escalations to %(level)s", level=level))
    if event.by_own_ladder:
        met.append(words.gettext("your own reminder ladder"))
    if brief.id in filters.commitments:
        met.append(words.gettext("this commitment"))
    if brief.section in filters.sections:
        met.append(marked_text(brief.section_title, brief.language, words))
    met += [theme_title(slug, words) for slug in brief.themes if slug in filters.themes]
    met += [marked_party(code, brief, words) for code in sorted(event.parties & filters.parties)]
    if event.event in filters.events and not event.level_title:
        met.append(followed_event(event.event, words))
    return met
