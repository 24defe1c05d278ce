"""Plays today's plan and another one over the same commitments, and shows how they differ."""

import gc
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path

from rich.console import Console

from deploy.embedded.errors import EmbeddedError
from services.cli.rehearse.picture import draw
from services.cli.rehearse.rehearsal import Rehearsal, schedules_of
from services.cli.rehearse.report import show
from services.cli.rehearse.source import RehearsalSource, built_in, from_database
from services.cli.rehearse.watching import watching
from services.cli.service_client import ASKED_WRONGLY
from services.plumbing.business_days import RegionalCalendar, UnknownCalendar, regional_calendar
from services.plumbing.clock import ClockSettings, clock_from
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import LadderBookError, read_ladder_book
from services.scheduler.reminders.rules.agenda import Agenda, PlanningRules, replanned
from services.scheduler.reminders.rules.simulation import (
    SimulatedReminder,
    compare_simulations,
    simulated_reminders,
    with_calendars,
)


@dataclass(frozen=True)
class RehearsalOptions:
    """What the command line asked for."""

    first: date
    end: date
    ladder: Path | None = None
    holidays: str | None = None
    svg: Path | None = None
    as_json: bool = False
    database_url: str | None = None
    now: datetime | None = None


def run_rehearsal(options: RehearsalOptions) -> None:
    """Rehearse, and print what came of it; raises EmbeddedError for what can't be rehearsed."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if options.end <= options.first:
        raise EmbeddedError(
            f"the period from {options.first} to {options.end} ends before it begins",
            "give two days: --from 2026-01-01 --to 2031-01-01 (the last one is not part of it)",
            ASKED_WRONGLY,
        )
    book, calendars = _book(options.ladder), _calendars(options.holidays)
    if book is None and not calendars:
        raise EmbeddedError(
            "there is nothing to rehearse",
            "name a file of ladders with --ladder, or --holidays CA-QC,MX",
            ASKED_WRONGLY,
        )
    now = _now(options)
    start, end = max(_midnight(options.first), now), _midnight(options.end)
    if end <= now:
        raise EmbeddedError(
            f"the period ends on {options.end}, and it is {_minute(now)} already",
            "choose a period that is to come, or another instant with --now",
            ASKED_WRONGLY,
        )
    if start > _midnight(options.first):
        if options.now:
            raise EmbeddedError(
                f"the period begins on {options.first}, before the {_minute(now)} of --now",
                "begin it later: what was due before now has been told, by whatever ladders",
                ASKED_WRONGLY,
            )
        console.print(f"What was due before {_minute(now)} has been told: the rehearsal begins there")
    source = from_database(options.database_url) if options.database_url else built_in(now)
    if not options.database_url:
        console.print(f"No DATABASE_URL: rehearsing on {source.name}")
    outcome = _play(source, _other_rules(source.rules, book, calendars), _named(options), now, start, end, console)
    if options.svg:
        _write(options.svg, draw(outcome))
        console.print(f"The picture is in {options.svg}")
    if options.as_json:
        print(json.dumps(outcome.document(), indent=2, ensure_ascii=False))
    else:
        show(outcome, Console())


def _book(file: Path | None) -> LadderBook | None:
    if file is None:
        return None
    try:
        return read_ladder_book(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise EmbeddedError(
            f"can't read {file}: {getattr(error, 'strerror', None) or error}",
            "name a file of ladders, in UTF-8",
            ASKED_WRONGLY,
        ) from error
    except LadderBookError as error:
        raise EmbeddedError(
            str(error),
            "mend that place; services/scheduler/ladders/ladders.yaml is the shipped book and shows how it is written",
            ASKED_WRONGLY,
        ) from error


def _calendars(names: str | None) -> tuple[RegionalCalendar, ...]:
    try:
        return tuple(regional_calendar(name.strip()) for name in names.split(",")) if names else ()
    except UnknownCalendar as error:
        raise EmbeddedError(
            str(error), "write --holidays US, CA-QC or CA-QC,MX: all of them have to work that day", ASKED_WRONGLY
        ) from error


def _now(options: RehearsalOptions) -> datetime:
    """The instant from which on it is played: of the database's plan it is now, of the built-in statement the start."""
    if options.now:
        return options.now
    return clock_from(ClockSettings()).now() if options.database_url else _midnight(options.first)


def _other_rules(
    rules: PlanningRules, book: LadderBook | None, calendars: tuple[RegionalCalendar, ...]
) -> PlanningRules:
    book = book or rules.book
    return replace(rules, book=with_calendars(book, calendars) if calendars else book)


def _named(options: RehearsalOptions) -> str:
    ladders = options.ladder.name if options.ladder else "the ladders of today"
    return f"{ladders}, business days of {options.holidays}" if options.holidays else ladders


def _play(
    source: RehearsalSource,
    others: PlanningRules,
    named: str,
    now: datetime,
    start: datetime,
    end: datetime,
    console: Console,
) -> Rehearsal:
    gc.disable()  # a play makes very many small things, and none of them in a circle
    try:
        with watching(console, now, end) as watched:
            anew = [replanned(agenda, now, others) for agenda in source.agendas]
            before = watched("today's plan", _since(start, source.agendas, source.rules, now, end))
            after = watched("rehearsed", _since(start, anew, others, now, end))
    finally:
        gc.enable()
    return Rehearsal(
        start,
        end,
        now,
        source.name,
        source.book,
        named,
        before,
        after,
        compare_simulations(before, after),
        schedules_of(source.agendas),
    )


def _since(
    start: datetime, agendas: Iterable[Agenda], rules: PlanningRules, now: datetime, end: datetime
) -> Iterator[SimulatedReminder]:
    return (reminder for reminder in simulated_reminders(agendas, rules, now, end) if reminder.at >= start)


def _write(file: Path, picture: str) -> None:
    try:
        file.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise EmbeddedError(f"can't write {file}: {error.strerror or error}", "name another file with --svg") from error


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
