"""How far a reminder is from its milestone, a milestone from its event, a day from today."""

from datetime import timedelta

from babel.dates import format_timedelta

from contracts.commitments import Offset
from services.i18n.words import Words

_COUNTED_DAYS = 90


def step_in_words(step: str, words: Words) -> str:
    """A rung of a ladder: `3 business days before`, `on the day`, `1 month after`, `review no. 2`."""
    side, _, length = step.partition("-")
    if side == "review":
        return words.gettext("review no. %(number)s", number=length)
    if side not in ("before", "after"):
        return words.gettext("on the day")
    number = int(length.rstrip("bdwm"))
    match side, length.lstrip("0123456789"):
        case "before", "bd":
            return words.ngettext("%(number)s business day before", "%(number)s business days before", number)
        case "before", "w":
            return words.ngettext("%(number)s week before", "%(number)s weeks before", number)
        case "before", "m":
            return words.ngettext("%(number)s month before", "%(number)s months before", number)
        case "before", _:
            return words.ngettext("%(number)s day before", "%(number)s days before", number)
        case _, "bd":
            return words.ngettext("%(number)s business day after", "%(number)s business days after", number)
        case _, "w":
            return words.ngettext("%(number)s week after", "%(number)s weeks after", number)
        case _, "m":
            return words.ngettext("%(number)s month after", "%(number)s months after", number)
    return words.ngettext("%(number)s day after", "%(number)s days after", number)


def distance_from_event(offset: Offset | None, event: str, words: Words) -> str:
    """How far from an event: `90 days after NALS 2022`, `before NALS 2022`; without an offset the event itself."""
    if offset is None:
        return event
    before, number = offset.direction == "before", offset.count
    if number == 0:
        return (
            words.gettext("before %(event)s", event=event) if before else words.gettext("after %(event)s", event=event)
        )
    match offset.unit:
        case "days":
            counted = words.ngettext("%(number)s day", "%(number)s days", number)
        case "weeks":
            counted = words.ngettext("%(number)s week", "%(number)s weeks", number)
        case "months":
            counted = words.ngettext("%(number)s month", "%(number)s months", number)
        case "years":
            counted = words.ngettext("%(number)s year", "%(number)s years", number)
    if before:
        return words.gettext("%(time)s before %(event)s", time=counted, event=event)
    return words.gettext("%(time)s after %(event)s", time=counted, event=event)


def days_from_today(days: int, words: Words) -> str:
    """How far a day is from today; negative days have gone by. Beyond three months roughly: `in 28 years`."""
    if days == 0:
        return words.gettext("today")
    if abs(days) > _COUNTED_DAYS:
        return format_timedelta(timedelta(days=days), threshold=1, add_direction=True, locale=words.locale)
    if days > 0:
        return words.ngettext("in %(number)s day", "in %(number)s days", days)
    return words.ngettext("%(number)s day ago", "%(number)s days ago", -days)
