"""Commitments, milestones and events to try the scheduler's rules on."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from contracts.commitments import CommitmentBrief, Milestone
from contracts.events import CommitmentCreated, MilestoneScheduled, Quote, Reporter, StatementRef, StatusChanged
from contracts.vocabulary import PartyCode, Precision, Reading, Span, Status, Strength, Text
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import DEFAULT_BOOK, read_ladder_book
from services.scheduler.ladders.countdown import Countdown, countdown
from services.scheduler.ladders.ladder import ON_THE_DAY, Step
from tests.contracts.golden_records import SOME_CAUSE

MEXICO_CITY = ZoneInfo("America/Mexico_City")
ALL = ("CA", "MX", "US")
ENDLESS = read_ladder_book(
    """
    jitter: 15m
    ladders:
      - name: every-milestone
        rungs: [before-90d, before-30d, before-7d, before-1d, on-the-day, after-1d, after-7d]
        every: 30d
    """
)
"""The book that was shipped before reminders had an end: one ladder that goes on and on."""
NINE_SHARP = replace(ENDLESS, jitter=timedelta())
"""The same without its jitter, for tests that look at the clock."""
LADDER = tuple(rung.step for rung in ENDLESS.ladders[-1].rungs)
EVERY = 30
SHIPPED = replace(DEFAULT_BOOK, jitter=timedelta())
"""The shipped book without its jitter."""


def days(count: int) -> Step:
    """The step so many days after the milestone (before it, when negative)."""
    if count == 0:
        return ON_THE_DAY
    return Step("before", -count) if count < 0 else Step("after", count)


def counting(
    what: Milestone, book: LadderBook = NINE_SHARP, at: datetime = datetime(2021, 11, 18, 18, tzinfo=UTC)
) -> Countdown:
    """A milestone under a ladder that goes on and on, at nine sharp."""
    return countdown(what, book, at)


def text(words: str) -> Text:
    return Text(en=words, es=words, fr=words)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def brief(id_: str = "end-coal-finance-abroad") -> CommitmentBrief:
    return CommitmentBrief(
        id=id_,
        statement_id="joint-statement-2021-11-18",
        language="en",
        title=text(id_),
        section="climate",
        section_title=text("Climate"),
        parties=ALL,
        themes=("climate",),
    )


def span(latest: date | None, earliest: date | None = None, precision: Precision = Precision.DAY) -> Span:
    if latest is None:
        return Span(edtf=None, earliest=None, latest=None, precision=Precision.UNDATED)
    return Span(edtf=latest.isoformat(), earliest=earliest or latest, latest=latest, precision=precision)


def milestone(
    latest: date | None,
    *,
    id_: str = "end-of-2021",
    earliest: date | None = None,
    precision: Precision = Precision.DAY,
    reading: Reading = Reading.BY,
    parties: tuple[PartyCode, ...] = ALL,
    zone: str = "America/Mexico_City",
    anchor_id: str | None = None,
    local_time: str | None = None,
    review_months: int | None = None,
) -> Milestone:
    return Milestone(
        id=id_,
        wording="by the end of 2021",
        title=text("No new public finance"),
        span=span(latest, earliest, precision),
        reading=reading,
        parties=parties,
        zone=zone,
        anchor_id=anchor_id,
        local_time=local_time,
        review_months=review_months,
    )


def created(id_: str = "end-coal-finance-abroad", status: Status = Status.ANNOUNCED) -> CommitmentCreated:
    return CommitmentCreated(
        seq=1,
        cause=SOME_CAUSE,
        commitment=brief(id_),
        statement=StatementRef(
            id="joint-statement-2021-11-18", title=text("Statement"), made_on=date(2021, 11, 18), sha256="0" * 64
        ),
        quote=Quote(text="to end", start=0, end=6),
        summary=text("summary"),
        strength=Strength.COMMIT,
        lead_ministries=(),
        status=status,
    )


def scheduled(
    what: Milestone,
    version: int = 1,
    id_: str = "end-coal-finance-abroad",
    change: Literal["first", "moved", "more-precise", "cancelled", "held"] = "first",
) -> MilestoneScheduled:
    return MilestoneScheduled(
        seq=version,
        cause=SOME_CAUSE,
        commitment=brief(id_),
        milestone=what,
        schedule_version=version,
        change=change,
        previous=None,
        source=None,
    )


def changed(
    status: Status,
    seq: int = 1,
    party: PartyCode = "CA",
    overall: Status | None = None,
    id_: str = "end-coal-finance-abroad",
) -> StatusChanged:
    return StatusChanged(
        seq=seq,
        cause=SOME_CAUSE,
        commitment=brief(id_),
        party=party,
        previous=Status.ANNOUNCED,
        status=status,
        overall=overall or status,
        note=None,
        evidence=None,
        current=True,
        reported_by=Reporter(client="test"),
        report_id=None,
        occurred_at=utc(2021, 12, 1),
        reported_at=utc(2021, 12, 1),
        recorded_at=utc(2021, 12, 1),
        version=seq + 1,
    )


def before_parties(record: CommitmentBrief | Milestone) -> dict[str, Any]:
    """A record as revisions before 0007 kept it: its parties were countries, and nothing was said of its language."""
    kept = record.model_dump(mode="json", exclude={"parties", "organisations", "language"})
    return kept | {"countries": list(record.parties)}


dates = st.dates(date(1990, 1, 1), date(2060, 12, 31))
instants = st.datetimes(datetime(1990, 1, 1), datetime(2060, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(
    ["America/Mexico_City", "America/Toronto", "America/New_York", "America/St_Johns", "America/Tijuana"]
)


@st.composite
def milestones(draw: st.DrawFn) -> Milestone:
    """Any milestone with a last day."""
    span_days = sorted(draw(st.tuples(dates, dates)))
    return milestone(
        span_days[1],
        earliest=span_days[0],
        precision=draw(st.sampled_from([p for p in Precision if p is not Precision.UNDATED])),
        reading=draw(st.sampled_from([Reading.ON, Reading.BY, Reading.DURING])),
        zone=draw(zones),
    )
