"""A new milestone's date from its own words, read as its statement is to be read."""

from dataclasses import dataclass

from contracts.commitments import Offset
from contracts.vocabulary import Reading, Span
from services.plumbing.sentences import Sentence, sentence_of
from services.registry.actions.inputs import NewMilestone
from services.registry.rules.edtf_dates import UnreadableDate, span_of
from services.registry.rules.errors import Invalid, RegistryError, at
from services.registry.rules.plannable_dates import check_plannable
from services.registry.store.statements import StatementFacts
from services.registry.wordings import Modality, Wording, lexicon_for, read


class AmbiguousWording(RegistryError):
    """The words mean two things, and the statement's reading policy doesn't choose."""

    kind = "ambiguous-wording"
    title = Sentence("The words mean two things, and the statement's reading policy doesn't choose")


class LanguageUnread(RegistryError):
    """Nobody reads the time words of this language: say what they mean."""

    kind = "language-unread"
    title = Sentence("Nobody reads the time words of this language: say what they mean")


class AnchorNeeded(RegistryError):
    """The words hang on an event: name it."""

    kind = "anchor-needed"
    title = Sentence("The words hang on an event: name it")


@dataclass(frozen=True)
class InitialDate:
    """What a milestone's editor says of its date, and the words where the editor leaves it to them."""

    reading: Reading
    span: Span
    offset: Offset | None
    review_months: int | None


def initial_date(new: NewMilestone, statement: StatementFacts, *place: str | int) -> InitialDate:
    """The date of a milestone that hangs on no anchor, and how it is read.

    What the editor gives goes before what the words say; `place` is where the milestone stands in the request. Raises
    `AmbiguousWording`, `LanguageUnread` and `AnchorNeeded` where the words have to say it and can't, and `Invalid` for
    an EDTF value that is none, or a date that can't be planned.
    """
    words = read(new.wording, statement.language, statement.ref.made_on, statement.policy)
    if new.reading is not None:
        try:
            span = span_of(new.edtf)
        except UnreadableDate as error:
            raise Invalid(sentence_of(error), **at(*place, "edtf")) from None
        check_plannable(span, Sentence("The date of %(id)s", id=new.id), *place, "edtf")
        return InitialDate(new.reading, span, new.offset, _review_months(new.reading, words))
    if lexicon_for(statement.language) is None:
        raise LanguageUnread(
            Sentence(
                "The time words of this language (%(language)s) are not read: give the `reading` "
                "of %(id)s, and its `edtf` where the words give a date",
                language=statement.language,
                id=new.id,
            ),
            **at(*place, "reading"),
        )
    if new.anchor_id is None:
        _refuse_unclear_wording(new, words, *place)
        check_plannable(words.span, Sentence("The date of %(id)s", id=new.id), *place, "wording")
    reading = Reading.ON if new.anchor_id and words.modality is Modality.NONE else words.reading
    offset = new.offset or (words.anchor.offset if new.anchor_id and words.anchor else None)
    return InitialDate(reading, words.span, offset, _review_months(reading, words))


def _review_months(reading: Reading, words: Wording) -> int | None:
    return words.review_months if reading in {Reading.RECURRING, Reading.FROM} else None


def _refuse_unclear_wording(new: NewMilestone, words: Wording, *place: str | int) -> None:
    if not words.settled:
        choices = ", ".join(f"{one.edtf or '–'} ({one.rule})" for one in words.alternatives)
        raise AmbiguousWording(
            Sentence(
                "The wording of %(id)s may mean %(choices)s: give `reading` and `edtf`, or "
                "settle it in the statement's reading policy",
                id=new.id,
                choices=choices,
            ),
            **at(*place, "wording"),
            alternatives=[{"rule": one.rule, "edtf": one.edtf, "why": one.why} for one in words.alternatives],
        )
    if words.anchor is not None and words.edtf is None:
        event = words.anchor.name or words.anchor.kind
        raise AnchorNeeded(
            Sentence(
                "The wording of %(id)s hangs on an event (%(event)s): give its `anchor_id`, or `reading` and `edtf`",
                id=new.id,
                event=event,
            ),
            **at(*place, "anchor_id"),
            anchor_kind=words.anchor.kind,
            anchor_name=words.anchor.name,
        )
