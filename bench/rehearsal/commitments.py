"""A thousand commitments that no government has made: their dates lie from two years back to seven years ahead."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from contracts.commitments import CommitmentBrief, Milestone
from contracts.events import MilestoneScheduled
from contracts.vocabulary import PartyCode, Precision, Reading, Span, Text
from services.plumbing.capital_zones import capital_zones, last_to_end
from services.registry.actions.events import UNSAID
from services.scheduler.reminders.rules.agenda import Agenda, agenda_after

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2031, 1, 1, tzinfo=UTC)
BOUND = (("CA", "MX", "US"), ("CA", "US"), ("MX",), ("US",), ("CA",))
LADDERS = """
jitter: 30m
review_months: 4
ladders:
  - name: events
    when: {kinds: [event]}
    at: "08:30"
    rungs: [before-3m, before-4w, before-10bd, before-3bd, before-1bd, on-the-day, after-1bd]
    every: 2w
  - name: everything-else
    rungs: [before-6m, before-1m, before-5bd, on-the-day, after-2bd, after-1w]
    every: 1m
"""
"""A ladder file that uses everything: months, weeks, business days, two ladders, another jitter."""


def agendas(count: int, seed: int = 20211118) -> list[Agenda]:
    """So many commitments with one or two milestones each, scheduled when the play starts."""
    return [_agenda(number, random.Random(f"{seed} {number}")) for number in range(count)]


def _agenda(number: int, dice: random.Random) -> Agenda:
    agenda = Agenda()
    parties = dice.choice(BOUND)
    brief = CommitmentBrief(
        id=f"commitment-{number}",
        statement_id="bench",
        language="en",
        title=_text(f"Commitment {number}"),
        section="climate",
        section_title=_text("Climate"),
        parties=parties,
        themes=("climate",),
    )
    for seq, milestone in enumerate(_milestones(number, parties, dice), 1):
        event = MilestoneScheduled(
            seq=seq,
            cause=UNSAID,
            commitment=brief,
            milestone=milestone,
            schedule_version=1,
            change="first",
            previous=None,
            source=None,
        )
        agenda = agenda_after(agenda, event, START)
    return agenda


def _milestones(number: int, parties: tuple[PartyCode, ...], dice: random.Random) -> Iterator[Milestone]:
    zone = last_to_end(capital_zones()[party] for party in parties)
    for which in range(dice.choice((1, 2))):
        span, reading = _span(dice)
        yield Milestone(
            id=f"milestone-{number}-{which}",
            wording="by then",
            title=_text(f"Milestone {which} of commitment {number}"),
            span=span,
            reading=reading,
            parties=parties,
            zone=zone,
        )


def _span(dice: random.Random) -> tuple[Span, Reading]:
    """One in ten has no date, one in ten is dated to a year; half of the others are events."""
    kind = dice.randrange(10)
    day = date(2024, 1, 1) + timedelta(days=dice.randrange(7 * 365))
    if kind == 0:
        return Span(edtf=None, earliest=None, latest=None, precision=Precision.UNDATED), Reading.UNDATED
    if kind == 1:
        first, last = date(day.year, 1, 1), date(day.year, 12, 31)
        return Span(edtf=str(day.year), earliest=first, latest=last, precision=Precision.YEAR), Reading.BY
    reading = Reading.ON if kind < 6 else Reading.BY
    return Span(edtf=day.isoformat(), earliest=day, latest=day, precision=Precision.DAY), reading


def _text(words: str) -> Text:
    return Text(en=words, es=words, fr=words)
