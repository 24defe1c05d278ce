"""A new milestone's date from its own words, read as its statement is to be read."""

from dataclasses import dataclass

from contracts.vocabulary import Offset, Reading, Span
from services.registry.actions.inputs import NewMilestone
from services.registry.rules.edtf_dates import UnreadableDate, span_of
from services.registry.rules.errors import Invalid, RegistryError
from services.registry.rules.plannable_dates import check_plannable
from services.registry.store.statements import StatementFacts
from services.registry.wordings import Modality, Wording, read


class AmbiguousWording(RegistryError):
    """The words mean two things, and the statement's reading policy doesn't choose."""

    kind = "ambiguous-wording"


class AnchorNeeded(RegistryError):
    """The words hang on an event: name it."""

    kind = "anchor-needed"


@dataclass(frozen=True)
class InitialDate:
    """What a milestone's editor says of its date, and the words where the editor leaves it to them."""

    reading: Reading
    span: Span
    offset: Offset | None
    review_months: int | None


def initial_date(new: NewMilestone, statement: StatementFacts) -> InitialDate:
    """The date of a milestone that hangs on no anchor, and how it is read.

    What the editor gives goes before what the words say. Raises `AmbiguousWording` and `AnchorNeeded` where they
    have to say it and can't, and `Invalid` for an EDTF value that is none, or a date that can't be planned.
    """
    words = read(new.wording, statement.language, statement.ref.made_on, statement.policy)
    if new.reading is not None:
        try:
            span = span_of(new.edtf)
        except UnreadableDate as error:
            raise Invalid(str(error), field="edtf") from None
        check_plannable(span, "edtf", f"The date of {new.id}")
        return InitialDate(new.reading, span, new.offset, _review_months(new.reading, words))
    if new.anchor_id is None:
        _refuse_unclear_wording(new, words)
        check_plannable(words.span, "wording", f"The date of {new.id}")
    reading = Reading.ON if new.anchor_id and words.modality is Modality.NONE else words.reading
    offset = new.offset or (words.anchor.offset if new.anchor_id and words.anchor else None)
    return InitialDate(reading, words.span, offset, _review_months(reading, words))


def _review_months(reading: Reading, words: Wording) -> int | None:
    return words.review_months if reading in {Reading.RECURRING, Reading.FROM} else None


def _refuse_unclear_wording(new: NewMilestone, words: Wording) -> None:
    if not words.settled:
        choices = " or ".join(f"{one.edtf or 'no date'} ({one.rule})" for one in words.alternatives)
        raise AmbiguousWording(
            f"The wording of {new.id} may mean {choices}: give `reading` and `edtf`, or settle it in the statement's"
            " reading policy",
            field="wording",
            alternatives=[{"rule": one.rule, "edtf": one.edtf, "why": one.why} for one in words.alternatives],
        )
    if words.anchor is not None and words.edtf is None:
        event = words.anchor.name or words.anchor.kind
        raise AnchorNeeded(
            f"The wording of {new.id} hangs on an event ({event}): give its `anchor_id`, or `reading` and `edtf`",
            field="anchor_id",
            anchor_kind=words.anchor.kind,
            anchor_name=words.anchor.name,
        )
