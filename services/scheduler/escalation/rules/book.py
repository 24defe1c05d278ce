"""Who is notified of what is overdue, in which order and after how many days: the escalation as data."""

import hashlib
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from contracts.entered import as_entered
from contracts.vocabulary import Contract, Slug, Text

Days = Annotated[int, Field(ge=1, le=3660)]
"""Calendar days, 1 to 3,660: longer waits outlast those who were to act."""


class EscalationLevel(Contract):
    """Somebody who is notified when none of the levels before has owned it."""

    level: Slug
    title: Annotated[Text, AfterValidator(as_entered)]
    wait: Days
    """Days after the milestone's last day for the first level, after the level before was notified for the others."""


class EscalationBook(Contract):
    """The levels from the first to the highest, and the waits beside them."""

    levels: Annotated[tuple[EscalationLevel, ...], Field(min_length=1, max_length=20)]
    repeat_days: Days
    """Days after which the highest level is notified again."""
    answer_within_days: Days = 14
    """Days after the day on which it was asked whether an event has taken place, before the first level is notified."""
    evidence_within_days: Days
    """Days in which evidence has to follow an acknowledgement, and more of it the evidence before."""

    @field_validator("levels")
    @classmethod
    def _each_once(cls, levels: tuple[EscalationLevel, ...]) -> tuple[EscalationLevel, ...]:
        names = [level.level for level in levels]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a level stands here twice: {', '.join(twice)}")
        return levels

    @property
    def digest(self) -> str:
        """Distinguishes one book from another: what was computed with another is to be computed again."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
