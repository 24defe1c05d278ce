"""What a phrase comes to: days, by which rules, and which other days it could mean."""

from dataclasses import dataclass
from datetime import date

from services.registry.rules.edtf_dates import span_of
from services.registry.wordings.policy import ReadingPolicy
from services.registry.wordings.tense import Tense
from services.registry.wordings.wording import Alternative


@dataclass(frozen=True)
class Days:
    """An EDTF value with the rules that made it; none where the words are not settled."""

    edtf: str | None
    rules: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()

    def by(self, *rules: str) -> "Days":
        """The same days, by further rules."""
        return Days(self.edtf, (*self.rules, *rules), self.alternatives)

    def beside(self, *alternatives: Alternative) -> "Days":
        """The same days with further alternatives; what gives the same days is none."""
        others = [one for one in (*self.alternatives, *alternatives) if one.edtf is None or one.edtf != self.edtf]
        by_days = {one.edtf: one for one in reversed(others)}
        return Days(self.edtf, self.rules, tuple(reversed(by_days.values())))


@dataclass(frozen=True)
class ReadingContext:
    """With what a phrase is read; `day_first` is the language's custom, None where it has none."""

    made_on: date
    policy: ReadingPolicy
    day_first: bool | None
    is_deadline: bool
    """Behind "by", the end of a year is its last day and not its last part."""
    tense: Tense | None
    """Of the sentence in which the words stand."""
    is_alone: bool
    """Whether the words are all that there is, as a milestone's are."""

    @property
    def is_told(self) -> bool:
        """Whether the sentence tells of what has been."""
        return self.tense in {Tense.PAST, Tense.FAILED, Tense.CALLED_OFF}


def alternative(rule: str, edtf: str | None, why: str) -> Alternative:
    """Other days, by a rule that was not applied."""
    span = span_of(edtf)
    return Alternative(rule, span.edtf, span.earliest, span.latest, why)
