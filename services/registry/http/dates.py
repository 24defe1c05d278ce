"""What every route that moves dates takes, and what it answers of the milestones that moved."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self, cast
from uuid import UUID

from fastapi import Body
from pydantic import model_validator

from contracts.entered import EnteredSource
from contracts.vocabulary import Day, Slug, WallTime
from services.plumbing.http.forms import ResponseModel, StrictRequestModel, strict_body
from services.plumbing.sentences import Sentence
from services.registry.actions.holds import SchedulerUnavailable
from services.registry.actions.inputs import Edtf
from services.registry.actions.reschedule import ScheduledMilestone
from services.registry.rules.errors import Invalid, RegistryError


class NewDate(StrictRequestModel):
    """Another date for an anchor or a milestone, and who says so."""

    edtf: Edtf | None
    """In the years 1950 to 2149; None where the old date is off and there is no new one."""
    source: EnteredSource
    known_on: Day
    """The day on which it became known."""
    local_time: WallTime | None = None
    """When it begins on the wall clocks of its zone; without it the time that is known stays while the days do."""

    @model_validator(mode="after")
    def _a_time_has_a_day(self) -> Self:
        if self.local_time and not self.edtf:
            raise ValueError(Sentence("a time of day needs a day"))
        return self


MOVING: tuple[type[RegistryError], ...] = (Invalid, SchedulerUnavailable)
"""What any change of dates may be refused for."""

NewDateBody = Annotated[NewDate, Body(), strict_body(NewDate)]


class RescheduledMilestone(ResponseModel):
    """A milestone that has another date now."""

    milestone_id: Slug
    commitment_id: Slug
    schedule_version: int
    change: Literal["moved", "more-precise", "cancelled", "held"]
    event_id: UUID


def rescheduled(milestones: Iterable[ScheduledMilestone]) -> tuple[RescheduledMilestone, ...]:
    """Milestones that had a date and have got another one."""
    return tuple(
        RescheduledMilestone(
            milestone_id=one.milestone.id,
            commitment_id=one.commitment_id,
            schedule_version=one.version,
            change=cast(Literal["moved", "more-precise", "cancelled", "held"], one.change),
            event_id=one.event_id,
        )
        for one in milestones
    )
