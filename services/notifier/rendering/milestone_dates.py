"""How a milestone's dates are worded: its span, its own words, its beginning."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Reading, Span
from services.i18n.spans import date_phrase
from services.i18n.text import plain
from services.i18n.words import Words
from services.notifier.rendering import placeholders
from services.notifier.rendering.message import Fact, Quotation
from services.plumbing.zones import zone_named

# Nobody's clock can show the first and the last days of all calendars: in some zone they lie outside of it.
_FIRST, _LAST = date(1, 1, 3), date(9999, 12, 29)


def wording_quotation(milestone: Milestone, words: Words) -> Quotation:
    """The words of the statement that say when."""
    return Quotation(words.gettext("In the statement’s words"), plain(milestone.wording), milestone.wording_language)


def date_text(span: Span, milestone: Milestone, words: Words) -> str:
    """When it is to happen, as its words are read; those stand by themselves."""
    if span.earliest is None:
        return words.gettext("no date given")
    reading = milestone.reading if milestone.reading is not Reading.UNDATED else Reading.ON
    return date_phrase(span, reading, milestone.wording, words, "full")


def days_ago(days: int, words: Words) -> str:
    """`3 days ago`."""
    return words.ngettext("%(number)s day ago", "%(number)s days ago", days)


def begins_facts(milestone: Milestone, words: Words) -> list[Fact]:
    """When an event begins, on the clocks of its place and of the reader."""
    day = milestone.span.earliest
    if milestone.local_time is None or milestone.span.precision is not Precision.DAY or day is None:
        return []
    if not _FIRST <= day <= _LAST:
        return []
    begins = datetime.combine(day, time.fromisoformat(milestone.local_time), zone_named(milestone.zone))
    return [Fact(words.gettext("Begins"), placeholders.moment(begins.astimezone(UTC), milestone.zone))]


def end_of_last_day(milestone: Milestone) -> datetime | None:
    """The midnight that ends the last day, in the milestone's calendar; none after the last day of all calendars."""
    latest = milestone.span.latest
    if latest is None or not _FIRST <= latest <= _LAST:
        return None
    return datetime.combine(latest + timedelta(days=1), time(), zone_named(milestone.zone))


def months_before(day: date, months: int) -> date | None:
    """The same day so many months before, or the last day of a shorter month; none before the calendar begins."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < 1:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
