"""Commitments into the register, each with its event; a whole statement comes in by `import_statement`."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from contracts.commitments import Milestone
from contracts.events import CommitmentCreated, Quote, StatementRef
from contracts.vocabulary import PartyCode, Status
from services.plumbing.database import Connection, Database
from services.plumbing.sentences import Sentence, sentence_of
from services.registry.actions.auditing import audit_created
from services.registry.actions.events import UNSAID, ActionContext, event_id_of
from services.registry.actions.initial_date import initial_date
from services.registry.actions.inputs import NewCommitment, NewMilestone
from services.registry.actions.reschedule import MilestoneToSchedule, schedule, stated_date
from services.registry.catalogue.contents import CatalogueError, Commitment, check_wording
from services.registry.catalogue.quotes import QuoteAmbiguous, QuoteNotFound, locate
from services.registry.rules.anchor_offset import is_the_event, zone_of
from services.registry.rules.edtf_dates import last_capital_zone
from services.registry.rules.errors import AlreadyExists, Invalid, ResourceNotFound, at
from services.registry.rules.original_language import check_in_original
from services.registry.rules.parties import check_bound
from services.registry.store.anchors import AnchorState, lock_anchors
from services.registry.store.commitments import commitment_briefs, put_commitment
from services.registry.store.milestones import put_milestone
from services.registry.store.statements import StatementFacts, find_statement


async def created_events(
    connection: Connection, statement: StatementRef, commitments: Sequence[Commitment]
) -> list[CommitmentCreated]:
    """The events, to be said, of commitments whose rows have just been written."""
    briefs = await commitment_briefs(connection, [commitment.id for commitment in commitments])
    return [
        CommitmentCreated(
            seq=1,
            cause=UNSAID,
            commitment=briefs[commitment.id],
            statement=statement,
            quote=commitment.quote,
            summary=commitment.summary,
            strength=commitment.strength,
            lead_ministries=commitment.lead_ministries,
            status=Status.ANNOUNCED,
        )
        for commitment in commitments
    ]


async def create_commitment(
    database: Database, connection: Connection, new: NewCommitment, context: ActionContext
) -> UUID:
    """Enter one commitment and its milestones; the id of the commitment's event.

    Raises a `RegistryError` where it does not fit the statement: a quote that is not verbatim or not found just once,
    an unknown section, theme, party or anchor, words that are not there in the statement's language, an id that is
    taken, time words that give no clear date where they have to.
    """
    statement = await find_statement(connection, new.statement_id)
    if statement is None:
        raise ResourceNotFound(Sentence("There is no statement %(statement_id)s", statement_id=new.statement_id))
    anchors = await lock_anchors(connection, {m.anchor_id for m in new.milestones if m.anchor_id})
    commitment = fit_to_statement(new, statement, anchors)
    if not await put_commitment(connection, statement.ref.id, commitment, context.now):
        raise AlreadyExists(Sentence("There is a commitment %(id)s already", id=commitment.id))
    created = await created_events(connection, statement.ref, [commitment])
    for milestone in commitment.milestones:
        if not await put_milestone(connection, commitment.id, milestone):
            raise AlreadyExists(Sentence("There is a milestone %(id)s already", id=milestone.id))
    first = [
        (MilestoneToSchedule(commitment.id, milestone, 0, None), stated_date(milestone, anchors))
        for milestone in commitment.milestones
    ]
    await audit_created(connection, statement.ref.id, [commitment], context)
    await schedule(database, connection, None, first, "entry", context, created)
    return event_id_of(created[0])


def fit_to_statement(new: NewCommitment, statement: StatementFacts, anchors: Mapping[str, AnchorState]) -> Commitment:
    """The commitment as the statement has it: the quote's position, whom it binds, each milestone's days and zone."""
    try:
        start, end = locate(new.quote, statement.text)
    except QuoteNotFound:
        raise Invalid(Sentence("The quote is not in the statement's text"), **at("quote")) from None
    except QuoteAmbiguous:
        raise Invalid(Sentence("The quote is more than once in the statement's text"), **at("quote")) from None
    if new.section not in {section.id for section in statement.sections}:
        raise Invalid(Sentence("The statement has no section %(section)s", section=new.section), **at("section"))
    if strange := set(new.themes) - {theme.id for theme in statement.themes}:
        raise Invalid(Sentence("Unknown themes: %(strange)s", strange=", ".join(sorted(strange))), **at("themes"))
    check_in_original(new.title, statement.language, "title")
    check_in_original(new.summary, statement.language, "summary")
    parties = new.parties or statement.parties
    refusal = Sentence("A statement binds only those who made it")
    check_bound(parties, statement.parties, statement.organisation_codes, refusal, "parties")
    return Commitment(
        id=new.id,
        quote=Quote(text=new.quote, start=start, end=end),
        verb=new.verb,
        strength=new.strength,
        section=new.section,
        parties=parties,
        themes=new.themes,
        title=new.title,
        summary=new.summary,
        lead_ministries=new.lead_ministries,
        milestones=tuple(
            _fit_milestone(milestone, number, new.quote, parties, statement, anchors)
            for number, milestone in enumerate(new.milestones)
        ),
    )


def _fit_milestone(
    new: NewMilestone,
    number: int,
    quote: str,
    bound: tuple[PartyCode, ...],
    statement: StatementFacts,
    anchors: Mapping[str, AnchorState],
) -> Milestone:
    parties = new.parties or bound
    place = ("milestones", number)
    refusal = Sentence("The milestone %(id)s binds a party that the commitment does not", id=new.id)
    check_bound(parties, bound, statement.organisation_codes, refusal, *place, "parties")
    check_in_original(new.title, statement.language, *place, "title")
    try:
        check_wording(new.id, new.wording, quote)
    except CatalogueError as error:
        raise Invalid(sentence_of(error), **at(*place, "wording")) from None
    anchor = _anchor(new.anchor_id, anchors, *place, "anchor_id") if new.anchor_id else None
    zone = last_capital_zone(parties, statement.organisations)
    date = initial_date(new, statement, *place)
    return Milestone(
        id=new.id,
        wording=new.wording,
        title=new.title,
        span=anchor.span if anchor else date.span,  # the offset from the anchor is added by its first schedule
        reading=date.reading,
        parties=parties,
        zone=zone_of(date.reading, anchor.zone, zone) if anchor else zone,
        anchor_id=new.anchor_id,
        offset=date.offset,
        local_time=new.local_time,
        held=bool(anchor and anchor.outcome == "held" and is_the_event(date.reading, date.offset)),
        review_months=date.review_months,
        wording_language=statement.language,
    )


def _anchor(anchor_id: str, anchors: Mapping[str, AnchorState], *place: str | int) -> AnchorState:
    if anchor_id not in anchors:
        raise Invalid(Sentence("There is no anchor %(anchor_id)s", anchor_id=anchor_id), **at(*place))
    anchor = anchors[anchor_id]
    if anchor.successor_id:
        raise Invalid(
            Sentence(
                "%(successor_id)s has taken the place of %(anchor_id)s",
                successor_id=anchor.successor_id,
                anchor_id=anchor_id,
            ),
            **at(*place),
        )
    return anchor
