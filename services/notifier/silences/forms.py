"""What is sent to the notifier about silences, and what it answers."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import asyncpg
from pydantic import Field, model_validator

from contracts.entered import EnteredLine
from contracts.vocabulary import Instant
from services.notifier.silences.silence import state_at
from services.notifier.subscriptions.filter_form import FilterForm
from services.notifier.subscriptions.timing_form import LONGEST_MUTE
from services.plumbing.http.forms import EnteredInstant, RequestModel, ResponseModel
from services.plumbing.sentences import Sentence

SilenceState = Literal["upcoming", "active", "ending", "ended"]


class NewSilence(RequestModel):
    """What is not to be told for a while: all that fits the filters; with none everything."""

    reason: EnteredLine
    """For people: why."""
    filters: FilterForm = FilterForm()
    subscription: UUID | None = None
    """Only for this one; otherwise for all of one's own, and an operator's for everybody's."""
    begins: EnteredInstant | None = None
    """At once, where it is left out."""
    ends: EnteredInstant | None = None
    """Within 366 days; either this or `minutes`."""
    minutes: Annotated[int, Field(ge=1, le=LONGEST_MUTE // timedelta(minutes=1))] | None = None
    """So long from its beginning, by the notifier's clock."""

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if (self.ends is None) == (self.minutes is None):
            raise ValueError(Sentence("a silence has either an end or a length"))
        return self

    def end(self, begins: datetime) -> datetime:
        """When it ends, if it begins then."""
        return self.ends or begins + timedelta(minutes=self.minutes or 0)


class SilenceAnswer(ResponseModel):
    """A silence."""

    id: UUID
    author: str
    """The client who made it."""
    owner: str | None
    """Whose subscriptions it holds for; null for everybody's."""
    subscription: UUID | None
    reason: str
    filters: FilterForm
    begins: Instant
    ends: Instant
    state: SilenceState
    """`ending` is active too, and in its last day or, of a shorter one, in its last quarter."""
    waiting: int
    """How many deliveries wait for its end, or for that of another silence that holds for them too."""
    created_at: Instant
    ended_at: Instant | None
    """When somebody ended it before its time."""
    ended_by: str | None


class SilencePage(ResponseModel):
    """Silences, the newest first."""

    items: tuple[SilenceAnswer, ...]
    next_cursor: str | None


def silence_answer(row: asyncpg.Record, now: datetime) -> SilenceAnswer:
    """A silence from its row."""
    members: dict[str, Any] = {
        name: row[name]
        for name in ("id", "author", "owner", "reason", "begins", "ends", "created_at", "ended_at", "ended_by")
    }
    filters = {name: tuple(row[name]) for name in FilterForm.model_fields}
    return SilenceAnswer(
        **members,
        subscription=row["subscription_id"],
        filters=FilterForm.model_validate(filters),
        state=state_at(now, row["begins"], row["ends"], row["ended_at"]),
        waiting=row["waiting"],
    )
