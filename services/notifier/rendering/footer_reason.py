"""Why somebody gets a message: the part of their subscription that the event met."""

from dataclasses import dataclass
from functools import lru_cache

from contracts.vocabulary import CommitmentBrief, Text
from services.i18n.event_names import followed_event
from services.i18n.names import country_names, theme_title
from services.i18n.text import plain, shorten
from services.i18n.words import words_in
from services.notifier.subscriptions.matching import Filters, Traits

LONGEST = 240
"""Characters of what was met; a card reserves room for it."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What an event is about. Compared by identity, which is quick: a rendered event has one."""

    traits: Traits
    commitment: CommitmentBrief
    level_title: Text | None = None
    """What the level is called that an escalation is for."""


@lru_cache(maxsize=8192)
def why(filters: Filters, subject: Subject, language: str) -> str:
    """`You get this because you follow: this commitment · Climate action · Mexico · reminders.`

    It names what was met, not all that was asked for.
    """
    words, traits, brief = words_in(language), subject.traits, subject.commitment
    met: list[str] = []
    if subject.level_title:
        level = words.quoted(plain(subject.level_title.in_language(language)))
        met.append(words.gettext("escalations to %(level)s", level=level))
    if traits.audience:
        met.append(words.gettext("your own reminder ladder"))
    if traits.commitment in filters.commitments:
        met.append(words.gettext("this commitment"))
    if traits.section in filters.sections:
        met.append(plain(brief.section_title.in_language(language)))
    met += [theme_title(slug, words) for slug in brief.themes if slug in filters.themes]
    met += country_names(sorted(traits.countries & filters.countries), words)
    if traits.event in filters.events and not subject.level_title:
        met.append(followed_event(traits.event, words))
    if not met:
        return words.gettext("You get this because you follow all that is in the register.")
    return words.gettext("You get this because you follow: %(what)s.", what=shorten(" · ".join(met), LONGEST))
