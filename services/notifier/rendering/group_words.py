"""The words of messages about several events: what a section is called, and what of it is counted in a subject."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from services.i18n.catalogue import N_
from services.i18n.text import capitalized
from services.i18n.words import Words
from services.notifier.rendering.message import SUBJECT_LENGTH, Category

_SECTIONS: Mapping[Category, str] = MappingProxyType(
    {
        "escalated": N_("Overdue, nobody on it"),
        "overdue": N_("Overdue"),
        "asked": N_("Has it taken place?"),
        "today": N_("Due today"),
        "ahead": N_("Due soon"),
        "cancelled": N_("Cancelled"),
        "held": N_("Taken place"),
        "date": N_("New dates"),
        "first-date": N_("First dates"),
        "created": N_("New commitments"),
        "status": N_("Changes of status"),
        "flagged": N_("Does not agree"),
        "review": N_("To be reviewed"),
        "other": N_("Other news"),
    }
)

_REMINDERS = frozenset({"overdue", "asked", "today", "ahead", "review"})


def section_title(category: Category, words: Words, *, at_once: bool = True) -> str:
    """The heading of a section; told later, nobody says that what was ahead is soon."""
    return words.gettext("Due") if category == "ahead" and not at_once else words.gettext(_SECTIONS[category])


def counted(category: Category, days: Sequence[int | None], words: Words) -> str:
    """How many there are of a kind of news: `12 new commitments`, `5 due in 7 days`; `days` has one entry for each."""
    number = len(days)
    match category:
        case "escalated":
            return words.ngettext("%(number)s with nobody on it", "%(number)s with nobody on it", number)
        case "overdue":
            return words.ngettext("%(number)s overdue", "%(number)s overdue", number)
        case "asked":
            return words.ngettext("%(number)s to be confirmed", "%(number)s to be confirmed", number)
        case "today":
            return words.ngettext("%(number)s due today", "%(number)s due today", number)
        case "ahead":
            return _due_in(number, {day for day in days if day is not None}, words)
        case "cancelled":
            return words.ngettext("%(number)s date cancelled", "%(number)s dates cancelled", number)
        case "held":
            return words.ngettext("%(number)s has taken place", "%(number)s have taken place", number)
        case "date":
            return words.ngettext("%(number)s new date", "%(number)s new dates", number)
        case "first-date":
            return words.ngettext("%(number)s date", "%(number)s dates", number)
        case "created":
            return words.ngettext("%(number)s new commitment", "%(number)s new commitments", number)
        case "status":
            return words.ngettext("%(number)s change of status", "%(number)s changes of status", number)
        case "flagged":
            return words.ngettext("%(number)s inconsistency", "%(number)s inconsistencies", number)
        case "review":
            return words.ngettext("%(number)s to be reviewed", "%(number)s to be reviewed", number)
        case "other":
            return words.ngettext("%(number)s other item", "%(number)s other items", number)


def _due_in(number: int, days: set[int], words: Words) -> str:
    if not days:  # told later, when it may be any number
        return words.ngettext("%(number)s due", "%(number)s due", number)
    if len(days) != 1:
        return words.ngettext("%(number)s due soon", "%(number)s due soon", number)
    when = words.ngettext("in %(number)s day", "in %(number)s days", days.pop())
    return words.ngettext("%(number)s due %(when)s", "%(number)s due %(when)s", number, when=when)


def subject_of(categories: Sequence[Category], counts: Sequence[str], words: Words) -> str:
    """What is counted of each section, the most urgent first; of many, as many as `SUBJECT_LENGTH` takes."""
    reminders = set(categories) <= _REMINDERS

    def said(shown: Sequence[str]) -> str:
        listed = words.listed(shown)
        return words.gettext("Reminders: %(what)s", what=listed) if reminders else capitalized(listed)

    more = words.gettext("more")
    tried = (said(counts if shown == len(counts) else [*counts[:shown], more]) for shown in range(len(counts), 0, -1))
    return next((text for text in tried if len(text) <= SUBJECT_LENGTH), said(counts[:1]))


def and_more(number: int, words: Words) -> str:
    """What stands under a list that was too long."""
    return words.ngettext("and %(number)s more", "and %(number)s more", number)


def digest_subject(number: int, rhythm: str | None, words: Words) -> str:
    """`Your week: 14 updates`; `rhythm` is how often it comes, where that is known."""
    match rhythm:
        case "daily":
            return words.ngettext("Your day: %(number)s update", "Your day: %(number)s updates", number)
        case "weekly":
            return words.ngettext("Your week: %(number)s update", "Your week: %(number)s updates", number)
    return words.ngettext("Your digest: %(number)s update", "Your digest: %(number)s updates", number)
