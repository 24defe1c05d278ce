"""The demo's days on the real registry and scheduler: of no event, held or not, it is said that it is overdue."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events import ConsistencyFlagged, MilestoneDue, MilestoneEscalated
from contracts.topics import COMMITMENT_CREATED, CONSISTENCY_FLAGGED, MILESTONE_SCHEDULED, STATUS_CHANGED
from services.cli.demo.calendar import (
    FIRST_DAY,
    LAST_DAY,
    days,
)
from services.i18n.words import words_in
from services.notifier.rendering.alert_content import escalated_content, flagged_content
from services.notifier.rendering.message import EventMessage
from services.notifier.rendering.milestone_content import due_content
from services.registry.catalogue.happenings import AnchorHeld, AnchorMoves, Happening, StatusComes, happenings
from services.registry.catalogue.loading import load
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.tick import Tick
from tests.conftest import FreshDatabase
from tests.registry.scenes import NOW, Register, check_on, dated, noon, outcome
from tests.scheduler.escalation.running import Scheduler, furnished
from tests.scheduler.running import reminder_of

OVERDUE = {"en": r"overdue|\blate\b", "es": r"vencid|retraso", "fr": r"en retard"}
NALS = "nals-2021-next-summit-meeting"
AFTERWARDS = date(2023, 3, 1)

Told = MilestoneDue | MilestoneEscalated | ConsistencyFlagged


async def test_no_event_is_ever_said_to_be_overdue_and_what_is_not_held_yet_is_asked_about(
    register: Register, fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    scheduler = await furnished(await fresh_database({"scheduler": VERSIONS}), tmp_path, read_escalation_book())
    try:
        told = await played(register, scheduler)
    finally:
        await scheduler.http.aclose()
        await scheduler.database.close()

    events = [one for one in told if one.milestone and one.milestone.is_event]
    assert {text for one in events for text in said(one)} == set()
    asked = [one for one in told if isinstance(one, MilestoneDue) and one.phase == "asked"]
    assert {(one.milestone.id, one.days) for one in asked if one.milestone.id == NALS} == {(NALS, 1), (NALS, 7)}
    assert [one for one in events if isinstance(one, MilestoneEscalated)] == [], "each was answered within its days"
    deadlines = [one for one in told if one.milestone and not one.milestone.is_event]
    assert {type(one) for one in deadlines if any(said(one))} == {MilestoneDue, MilestoneEscalated, ConsistencyFlagged}


async def test_a_summit_of_which_nobody_says_anything_is_asked_about_and_then_escalated_as_unanswered(
    register: Register, fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    """The same days, on which nobody has recorded that anything was held."""
    scheduler = await furnished(await fresh_database({"scheduler": VERSIONS}), tmp_path, read_escalation_book())
    try:
        told = await played(register, scheduler, answered=False)
    finally:
        await scheduler.http.aclose()
        await scheduler.database.close()

    events = [one for one in told if one.milestone and one.milestone.is_event]
    assert {text for one in events for text in said(one)} == set()
    summit = [one for one in events if one.milestone and one.milestone.id == NALS]
    assert [
        (one.phase if isinstance(one, MilestoneDue) else one.level, one.days)
        for one in summit
        if isinstance(one, MilestoneDue | MilestoneEscalated) and one.days and one.due_at > noon(date(2022, 12, 31))
    ] == [("asked", 1), ("asked", 7), ("focal-point", 15), ("director", 22), ("asked", 30), ("ministers-office", 36)]


async def played(register: Register, scheduler: Scheduler, *, answered: bool = True) -> list[Told]:
    """All reminders, levels and flags from the statement's day on, in the order of their days."""
    loaded = load()
    tick = Tick(scheduler.database, scheduler.clock, RulesCache())
    heard: set[UUID] = set()
    await hears(register, scheduler, heard)
    for day in days(FIRST_DAY, AFTERWARDS):
        register.clock.at = noon(day)
        news = happenings(loaded, day) if day <= LAST_DAY else []
        for one in news:
            await happens(register, one, day, answered=answered)
        await check_on(register, day)
        if news:
            await hears(register, scheduler, heard)
        scheduler.clock.set(noon(day))
        await tick.once()
        await scheduler.escalator.once()
    rows = await scheduler.rows("select topic, key, headers, value from outbox where topic like '%due' order by id")
    reminders = [(envelope.time, event) for envelope, event in map(reminder_of, rows)]
    levels = [(one.due_at, one) for one in await scheduler.told()]
    flagged = [(envelope.time, event) for envelope, event in await register.events(CONSISTENCY_FLAGGED.name)]
    return [one for _, one in sorted([*reminders, *levels, *flagged], key=lambda pair: pair[0])]


async def happens(register: Register, one: Happening, day: date, *, answered: bool) -> None:
    match one:
        case AnchorMoves(anchor_id=anchor, entry=entry):
            body = dated(entry.span.edtf if entry.span else None, str(day))
            answer = await register.send("PUT", f"/anchors/{anchor}", body)
        case AnchorHeld(anchor_id=anchor, edtf=edtf) if answered:
            answer = await register.send("POST", f"/anchors/{anchor}/outcome", outcome("held", str(day), edtf=edtf))
        case StatusComes(commitment_id=commitment, party=party, status=status, note=note) if answered:
            answer = await register.report(commitment, by="desk", party=party, status=status, note=note)
        case _:
            return
    assert answer.status_code in (200, 201), answer.text


async def hears(register: Register, scheduler: Scheduler, heard: set[UUID]) -> None:
    """Let the scheduler hear what the registry has written since."""
    new = []
    for topic in (COMMITMENT_CREATED, MILESTONE_SCHEDULED, STATUS_CHANGED):
        for envelope, event in await register.events(topic.name):
            if envelope.id not in heard:
                # The fixture took the statement in on a later day; here it was on its own.
                at = envelope.time if envelope.time != NOW else noon(FIRST_DAY)
                new.append(ReceivedCommitmentEvent(Envelope(envelope.id, at, envelope.subject), event))
    if new:
        await scheduler.planner.apply(new)
        heard |= {one.envelope.id for one in new}


def said(one: Told) -> Iterable[str]:
    """What a message says of being overdue, by language."""
    for language, words in OVERDUE.items():
        message = composed(one, language)
        facts = [f"{fact.label} {fact.value}" for fact in message.facts]
        text = " ".join([message.subject, message.headline, message.lead, message.ask, *facts])
        if found := re.search(words, text, re.IGNORECASE):
            yield f"{language}: {found[0]} in {text}"


def composed(one: Told, language: str) -> EventMessage:
    words = words_in(language)
    match one:
        case MilestoneDue():
            return due_content(one, words, "https://example.org")
        case MilestoneEscalated():
            return escalated_content(one, words, "https://example.org")
        case ConsistencyFlagged():
            return flagged_content(one, words, "https://example.org")
