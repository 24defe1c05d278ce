"""Entries and feeds for the tests of calendars, and calendars read back by a parser that isn't ours."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import vobject

from contracts.commitments import CommitmentBrief, Milestone
from contracts.filters import Filters
from contracts.vocabulary import Precision, Source, Span
from services.scheduler.feeds.rendering.calendar_entries import CalendarEntry, calendar_entry_after
from services.scheduler.feeds.rendering.calendars import render_calendar
from services.scheduler.feeds.rendering.feed import Feed
from services.scheduler.reminders.rules.agenda import MilestoneSchedule
from services.scheduler.reminders.rules.commitment_status import CommitmentStatus
from tests.scheduler.scenes import brief, utc

THEN = utc(2021, 11, 18, 18)
PORTAL = "https://pledges.example"
FEED = Feed(
    UUID("01900000-0000-7000-8000-000000000001"),
    "sre",
    "Compromisos, clima",
    "en",
    "America/Toronto",
    (7,),
    Filters(),
    THEN,
)


def entry(
    what: Milestone,
    version: int = 1,
    *,
    known: CalendarEntry | None = None,
    commitment_status: CommitmentStatus | None = None,
    source: Source | None = None,
    commitment: CommitmentBrief | None = None,
    at: datetime = THEN,
) -> CalendarEntry:
    """The entry of a milestone that was scheduled."""
    schedule = MilestoneSchedule(commitment or brief(), what, version, at, settled=False)
    found = calendar_entry_after(known, schedule, commitment_status or CommitmentStatus(), source, at)
    assert found is not None
    return found


def written(*entries: CalendarEntry, **changes: Any) -> bytes:
    """The calendar of these entries."""
    return render_calendar(replace(FEED, **changes), entries, "pledgewire", PORTAL)


def parsed(document: bytes) -> dict[str, Any]:
    """A calendar's events by their UID, as vobject reads them."""
    events = vobject.readOne(document.decode()).contents.get("vevent", [])
    found = {event.uid.value: event for event in events}
    assert len(found) == len(events)
    return found


def only(document: bytes) -> Any:
    """A calendar's only event."""
    [event] = parsed(document).values()
    return event


def days(event: Any) -> tuple[date, date]:
    """The first day of an all-day event and its last; without a DTEND it has one day."""
    first = event.dtstart.value
    assert type(first) is date
    return first, event.dtend.value - timedelta(days=1) if "dtend" in event.contents else first


def lines(document: bytes) -> list[bytes]:
    """The lines of a calendar, unfolded (RFC 5545, 3.1)."""
    return document.replace(b"\r\n ", b"").split(b"\r\n")


def year(number: int) -> Span:
    """A year that is known and nothing finer."""
    return Span(edtf=str(number), earliest=date(number, 1, 1), latest=date(number, 12, 31), precision=Precision.YEAR)
