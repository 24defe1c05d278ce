"""What came of a rehearsal, counted: for the table, the picture and the document, which all say the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, get_args

from services.scheduler.ladders.due_reminder import Phase
from services.scheduler.reminders.rules.agenda import Agenda, MilestoneSchedule
from services.scheduler.reminders.rules.simulation import MovedReminder, SimulatedReminder, SimulationDifference

PHASES: tuple[Phase, ...] = get_args(Phase)

Month = tuple[int, int]
"""Year and month."""


@dataclass(frozen=True)
class Rehearsal:
    """Two plays of one period, and how they differ."""

    start: datetime
    end: datetime
    now: datetime
    source: str
    today: str
    """The rules that hold now, for people."""
    other: str
    """The rules that were rehearsed, for people."""
    before: Sequence[SimulatedReminder]
    after: Sequence[SimulatedReminder]
    difference: SimulationDifference
    schedules: dict[str, MilestoneSchedule]
    """By milestone: what a reminder is about."""

    @cached_property
    def changes(self) -> list[tuple[datetime, str, SimulatedReminder | MovedReminder]]:
        """All differences by time; `+` is added, `-` removed, `~` moved, at its new instant."""
        found: list[tuple[datetime, str, SimulatedReminder | MovedReminder]] = [
            *((one.at, "+", one) for one in self.difference.added),
            *((one.at, "-", one) for one in self.difference.removed),
            *((one.after.at, "~", one) for one in self.difference.moved),
        ]
        return sorted(found, key=lambda one: one[:2])

    @property
    def summary(self) -> str:
        """In one line."""
        found = self.difference
        return (
            f"{_reminders(len(self.before))} by today's plan, {len(self.after):,} rehearsed:"
            f" {len(found.added):,} added, {len(found.removed):,} removed, {len(found.moved):,} moved,"
            f" {found.unchanged:,} unchanged"
        )

    def title_of(self, milestone_id: str) -> str:
        """A milestone's title in English, or as near to it as it is there."""
        schedule = self.schedules[milestone_id]
        return schedule.milestone.title.in_language("en", schedule.commitment.language).text

    def document(self) -> dict[str, Any]:
        """All of it as plain data; instants in UTC, days and months as UTC has them."""
        found = self.difference
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "now": self.now.isoformat(),
            "source": self.source,
            "today": self.today,
            "rehearsed": self.other,
            "summary": {
                "before": len(self.before),
                "after": len(self.after),
                "added": len(found.added),
                "removed": len(found.removed),
                "moved": len(found.moved),
                "unchanged": found.unchanged,
                "busiest_day": {"before": _day_json(self.before), "after": _day_json(self.after)},
                "phases": {
                    phase: {"before": _of_phase(self.before, phase), "after": _of_phase(self.after, phase)}
                    for phase in PHASES
                },
            },
            "months": [
                {
                    "month": f"{year}-{month:02}",
                    "before": len(before),
                    "after": len(after),
                    "busiest_day": {"before": _day_json(before), "after": _day_json(after)},
                }
                for (year, month), (before, after) in by_month(self.before, self.after).items()
            ],
            "added": [self._reminder_json(one) for one in found.added],
            "removed": [self._reminder_json(one) for one in found.removed],
            "moved": [
                self._reminder_json(one.after)
                | {"was": {"at": one.before.at.isoformat(), "due_at": one.before.due_at.isoformat()}}
                for one in found.moved
            ],
        }

    def _reminder_json(self, one: SimulatedReminder) -> dict[str, Any]:
        return {
            "at": one.at.isoformat(),
            "due_at": one.due_at.isoformat(),
            "commitment_id": one.commitment_id,
            "milestone_id": one.milestone_id,
            "milestone_title": self.title_of(one.milestone_id),
            "schedule_version": one.schedule_version,
            "step": one.step.name,
            "audience": str(one.audience) if one.audience else None,
            "phase": one.phase,
            "days": one.days,
            "merged_steps": [step.name for step in one.merged],
        }


def schedules_of(agendas: Iterable[Agenda]) -> dict[str, MilestoneSchedule]:
    """All schedules by milestone."""
    return {name: schedule for agenda in agendas for name, schedule in agenda.schedules.items()}


def by_month(
    before: Sequence[SimulatedReminder], after: Sequence[SimulatedReminder]
) -> dict[Month, tuple[list[SimulatedReminder], list[SimulatedReminder]]]:
    """Both plays month by month, the months in which neither tells anything left out."""
    months: dict[Month, tuple[list[SimulatedReminder], list[SimulatedReminder]]] = {}
    for which, reminders in enumerate((before, after)):
        for one in reminders:
            months.setdefault((one.at.year, one.at.month), ([], []))[which].append(one)
    return dict(sorted(months.items()))


def busiest_day(reminders: Iterable[SimulatedReminder]) -> tuple[date, int] | None:
    """The day with the most reminders, the first of them, and how many; None where there is none."""
    counts = Counter(one.at.date() for one in reminders)
    return max(counts.items(), key=lambda one: (one[1], -one[0].toordinal()), default=None)


def _day_json(reminders: Iterable[SimulatedReminder]) -> dict[str, Any] | None:
    found = busiest_day(reminders)
    return {"day": found[0].isoformat(), "reminders": found[1]} if found else None


def _of_phase(reminders: Iterable[SimulatedReminder], phase: Phase) -> int:
    return sum(one.phase == phase for one in reminders)


def _reminders(count: int) -> str:
    return "1 reminder" if count == 1 else f"{count:,} reminders"
