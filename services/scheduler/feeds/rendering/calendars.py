"""A calendar of milestones, as iCalendar writes it (RFC 5545, with RFC 7986's properties for whole calendars).

Pure, and the same entries give the same bytes: every time in it is the business time of the event that it rests on.

- A deadline (`by`, `during`) is its last day; the span that the words give stands in the description.
- An event (`on`) of known days is those days, from its local time on where that is known.
- An event that is only known to be in a month, a season, a year or a decade is the whole of it: tentative, and the
  title says that the date isn't fixed.
- Each text says in which language it is (RFC 5545, 3.2.10), since nothing says it of the whole; a title that is there
  in another one than the calendar's says which.
- What is cancelled stays, marked so, that calendars take it out; what is met stays, and blocks no time.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain

from icalendar import Alarm, Calendar, Event, Timezone, vDuration, vText

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Reading, ShownText, Status
from services.i18n.names import party_list, reading_name, status_label, theme_title
from services.i18n.spans import date_phrase, span_name
from services.i18n.text import plain
from services.i18n.words import Words
from services.plumbing.zones import instant_at, zone_named
from services.scheduler.feeds.rendering.calendar_entries import CalendarEntry
from services.scheduler.feeds.rendering.feed import Feed, words_of
from services.scheduler.ladders.ladder import NINE
from services.scheduler.ladders.planned_as import is_deadline, planned_precision, planned_reading

PRODUCT = "-//Pledgewire//Calendar 1//EN"

REFRESH = timedelta(hours=1)
"""How often a calendar program is asked to look again; many take longer, whatever they are asked."""

_LOCAL_TIMES = range(2000, 2061)
"""Years in which a time of day is worth telling: a zone's rules are known for no others, and each year takes room."""


def render_calendar(feed: Feed, entries: Iterable[CalendarEntry], domain: str, portal_url: str) -> bytes:
    """The calendar of a feed, in UTF-8; `domain` makes the UIDs ours. Raises `UnknownZone`."""
    shown = sorted(entries, key=lambda entry: (entry.milestone.span.earliest or date.max, entry.milestone.id))
    words = words_of(feed)
    result = Calendar()
    result.add("prodid", PRODUCT)
    result.add("version", "2.0")
    result.add("calscale", "GREGORIAN")
    result.add("method", "PUBLISH")
    # The library takes properties that it doesn't know as they are; these are text, to be escaped.
    result.add("name", vText(plain(feed.name)))
    result.add("x-wr-calname", vText(plain(feed.name)))
    result.add("x-wr-timezone", feed.zone)
    result.add("last-modified", max(chain([feed.created_at], (entry.changed_at for entry in shown))))
    result.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    result.add("x-published-ttl", vDuration(REFRESH))
    for zone in _zones(shown):
        result.add_component(zone)
    for entry in shown:
        result.add_component(_event(entry, feed, words, domain, portal_url))
    return bytes(result.to_ical())


def _event(entry: CalendarEntry, feed: Feed, words: Words, domain: str, portal_url: str) -> Event:
    milestone, fuzzy = entry.milestone, is_fuzzy(entry.milestone)
    event = Event()
    event.add("uid", f"{milestone.id}@{domain}")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed_at)
    event.add("created", entry.created_at)
    event.add("last-modified", entry.changed_at)
    for name, when in _when(milestone).items():
        event.add(name, when)
    title = milestone.title.in_language(words.language, entry.commitment.language)
    own = {"language": words.language}
    titled = own if words.speaks(title.language) else {"language": title.language}
    event.add("summary", _summary(entry, title, words), parameters=titled)
    event.add("description", "\n".join(_description(entry, feed, words)), parameters=own)
    themes = [plain(theme_title(slug, words)) for slug in entry.commitment.themes]
    event.add("categories", themes, parameters=own)
    event.add("url", f"{portal_url}/commitments/{entry.commitment.id}")
    event.add("status", "CANCELLED" if entry.cancelled else "TENTATIVE" if fuzzy else "CONFIRMED")
    blocks = planned_reading(milestone) is Reading.ON and not fuzzy and entry.state == "open"
    event.add("transp", "OPAQUE" if blocks else "TRANSPARENT")
    if entry.state == "open" and not fuzzy:  # nobody said that it will be on a span's first day
        for days in feed.alarms:
            event.add_component(_alarm(days, str(event["summary"]), all_day=not isinstance(event.start, datetime)))
    return event


def is_fuzzy(milestone: Milestone) -> bool:
    """Whether it is an event whose days aren't known yet; a deadline's last day always is."""
    return not is_deadline(milestone) and planned_precision(milestone.span) is not Precision.DAY


def _when(milestone: Milestone) -> Mapping[str, date | datetime]:
    """DTSTART, and DTEND where the default of one day (RFC 5545, 3.6.1) isn't it; a DTEND is exclusive."""
    first, last = milestone.span.earliest, milestone.span.latest
    if first is None or last is None:
        raise ValueError(f"milestone {milestone.id} has no last day: no calendar can hold it")
    if is_deadline(milestone):
        first = last
    after = last + timedelta(days=1) if last < date.max else last
    if milestone.local_time and _tells_its_time(milestone) and first.year in _LOCAL_TIMES and last.year in _LOCAL_TIMES:
        zone = zone_named(milestone.zone)
        # By way of the instant, since a time that the clocks skip is on no wall.
        start = instant_at(first, time.fromisoformat(milestone.local_time), zone).astimezone(zone)
        # Nobody said when it ends on its only day.
        return {"dtstart": start} if first == last else {"dtstart": start, "dtend": _midnight(after, milestone.zone)}
    return {"dtstart": first, "dtend": after} if first < after else {"dtstart": first}


def _tells_its_time(milestone: Milestone) -> bool:
    """Whether it is an event of known days; a deadline has no hour."""
    return not is_deadline(milestone) and not is_fuzzy(milestone)


def _midnight(day: date, zone: str) -> datetime:
    return instant_at(day, time(), zone_named(zone)).astimezone(zone_named(zone))


def _summary(entry: CalendarEntry, shown: ShownText, words: Words) -> str:
    milestone, title = entry.milestone, plain(shown.text)
    match entry.state:
        case "withdrawn" | "dateless":
            return words.gettext("Cancelled: %(milestone)s", milestone=title)
        case "met":
            return words.line(status_label(Status.MET, words), title)
        case _ if is_fuzzy(milestone):
            span = span_name(milestone.span, words)
            return words.gettext("%(milestone)s (date not fixed: %(span)s)", milestone=title, span=span)
        case _ if is_deadline(milestone):
            return words.gettext("Due: %(milestone)s", milestone=title)
        case _:
            return title


def _description(entry: CalendarEntry, feed: Feed, words: Words) -> list[str]:
    milestone, source, commitment = entry.milestone, entry.source, entry.commitment
    wording = plain(milestone.wording)
    parties = party_list(milestone.parties, words, commitment.organisations, commitment.language)
    lines = [plain(commitment.title.in_language(words.language, commitment.language).text)]
    if entry.state == "withdrawn":
        lines.append(words.gettext("The commitment was withdrawn."))
    if entry.state == "dateless":
        lines.append(words.gettext("It has no date any more."))
    lines += [
        words.line(words.gettext("Date"), date_phrase(milestone.span, milestone.reading, wording, words)),
        words.line(words.gettext("In the statement’s words"), words.quoted(wording)),
        words.line(words.gettext("Reading"), reading_name(milestone.reading, words)),
        words.line(words.gettext("Parties"), parties),
        words.line(
            words.gettext("Source of the date"),
            plain(source.text) if source else words.gettext("the statement itself"),
        ),
    ]
    if source and source.url:
        lines.append(plain(source.url))
    start = _when(milestone)["dtstart"]
    if isinstance(start, datetime):
        lines.insert(1, words.line(words.gettext("Begins"), words.moment(start, feed.zone, milestone.zone)))
    return lines


def _alarm(days: int, text: str, *, all_day: bool) -> Alarm:
    """Rings so many days ahead: of a day at nine in the morning, as reminders do, since RFC 5545 (3.8.6.3) counts from
    its midnight; of an instant at its time of day."""
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text)
    after_midnight = timedelta(hours=NINE.hour, minutes=NINE.minute) if all_day else timedelta()
    alarm.add("trigger", after_midnight - timedelta(days=days))
    return alarm


def _zones(entries: Sequence[CalendarEntry]) -> list[Timezone]:
    """The zones of those entries that begin at a time of day.

    Each always tells the same years: some programs keep the first part that they see of a zone.
    """
    timed = {entry.milestone.zone for entry in entries if isinstance(_when(entry.milestone)["dtstart"], datetime)}
    first, last = date(_LOCAL_TIMES.start, 1, 1), date(_LOCAL_TIMES.stop + 1, 1, 1)
    return [_with_single_dates(Timezone.from_tzid(zone, first_date=first, last_date=last)) for zone in sorted(timed)]


def _with_single_dates(zone: Timezone) -> Timezone:
    """The same with a line for each change of the clocks: of a list in one line some programs read the first only."""
    for part in zone.subcomponents:
        if "RDATE" in part:
            for changed in part.pop("RDATE").dts:
                part.add("rdate", changed.dt)
    return zone
