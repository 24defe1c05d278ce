"""Commitments into the register, each with its event; a whole statement comes in by `import_statement`."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from contracts.events import CommitmentCreated, Quote, StatementRef
from contracts.topics import COMMITMENT_CREATED
from contracts.vocabulary import Country, Milestone, Status
from services.plumbing.database import Connection, Database
from services.registry.actions.events import ActionContext, say
from services.registry.actions.initial_date import initial_date
from services.registry.actions.inputs import NewCommitment, NewMilestone
from services.registry.actions.reschedule import MilestoneToSchedule, schedule, stated_date
from services.registry.catalogue.contents import CatalogueError, Commitment, check_wording
from services.registry.catalogue.quotes import locate
from services.registry.rules.anchor_offset import is_the_event, zone_of
from services.registry.rules.edtf_dates import last_capital_zone
from services.registry.rules.errors import AlreadyExists, Invalid, ResourceNotFound
from services.registry.store.anchors import AnchorState, lock_anchors
from services.registry.store.commitments import commitment_briefs, put_commitment
from services.registry.store.milestones import put_milestone
from services.registry.store.statements import StatementFacts, find_statement


async def append_created_events(
    database: Database,
    connection: Connection,
    statement: StatementRef,
    commitments: Sequence[Commitment],
    context: ActionContext,
) -> list[UUID]:
    """Write the events of commitments whose rows have just been written; the ids of the events."""
    briefs = await commitment_briefs(connection, [commitment.id for commitment in commitments])
    events = [
        CommitmentCreated(
            seq=1,
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
    return await say(database, connection, COMMITMENT_CREATED, events, context)


async def create_commitment(
    database: Database, connection: Connection, new: NewCommitment, context: ActionContext
) -> UUID:
    """Enter one commitment and its milestones; the id of the commitment's event.

    Raises a `RegistryError` where it does not fit the statement: a quote that is not verbatim or not found just once,
    an unknown section, theme or anchor, an id that is taken, time words that give no clear date where they have to.
    """
    statement = await find_statement(connection, new.statement_id)
    if statement is None:
        raise ResourceNotFound(f"There is no statement {new.statement_id}")
    anchors = await lock_anchors(connection, {m.anchor_id for m in new.milestones if m.anchor_id})
    commitment = fit_to_statement(new, statement, anchors)
    if not await put_commitment(connection, statement.ref.id, commitment, context.now):
        raise AlreadyExists(f"There is a commitment {commitment.id} already")
    (event_id,) = await append_created_events(database, connection, statement.ref, [commitment], context)
    for milestone in commitment.milestones:
        if not await put_milestone(connection, commitment.id, milestone):
            raise AlreadyExists(f"There is a milestone {milestone.id} already")
    first = [
        (MilestoneToSchedule(commitment.id, milestone, 0, None), stated_date(milestone, anchors))
        for milestone in commitment.milestones
    ]
    await schedule(database, connection, None, first, context)
    return event_id


def fit_to_statement(new: NewCommitment, statement: StatementFacts, anchors: Mapping[str, AnchorState]) -> Commitment:
    """The commitment as the statement has it: the quote's position, whom it binds, each milestone's days and zone."""
    try:
        start, end = locate(new.quote, statement.text)
    except CatalogueError as error:
        raise Invalid(f"The quote is {error}", field="quote") from None
    if new.section not in {section.id for section in statement.sections}:
        raise Invalid(f"The statement has no section {new.section}", field="section")
    if strange := set(new.themes) - {theme.id for theme in statement.themes}:
        raise Invalid(f"Unknown themes: {', '.join(sorted(strange))}", field="themes")
    countries = new.countries or statement.countries
    if set(countries) - set(statement.countries):
        raise Invalid("A statement binds only those who made it", field="countries")
    return Commitment(
        id=new.id,
        quote=Quote(text=new.quote, start=start, end=end),
        verb=new.verb,
        strength=new.strength,
        section=new.section,
        countries=countries,
        themes=new.themes,
        title=new.title,
        summary=new.summary,
        lead_ministries=new.lead_ministries,
        milestones=tuple(_fit_milestone(m, new.quote, countries, statement, anchors) for m in new.milestones),
    )


def _fit_milestone(
    new: NewMilestone,
    quote: str,
    bound: tuple[Country, ...],
    statement: StatementFacts,
    anchors: Mapping[str, AnchorState],
) -> Milestone:
    countries = new.countries or bound
    if set(countries) - set(bound):
        raise Invalid(f"The milestone {new.id} binds a country that the commitment does not", field="countries")
    try:
        check_wording(new.id, new.wording, quote)
    except CatalogueError as error:
        raise Invalid(str(error), field="wording") from None
    anchor = _anchor(new.anchor_id, anchors) if new.anchor_id else None
    zone = last_capital_zone(countries)
    date = initial_date(new, statement)
    return Milestone(
        id=new.id,
        wording=new.wording,
        title=new.title,
        span=anchor.span if anchor else date.span,  # the offset from the anchor is added by its first schedule
        reading=date.reading,
        countries=countries,
        zone=zone_of(date.reading, anchor.zone, zone) if anchor else zone,
        anchor_id=new.anchor_id,
        offset=date.offset,
        local_time=new.local_time,
        held=bool(anchor and anchor.outcome == "held" and is_the_event(date.reading, date.offset)),
        review_months=date.review_months,
        wording_language=statement.language,
    )


def _anchor(anchor_id: str, anchors: Mapping[str, AnchorState]) -> AnchorState:
    if anchor_id not in anchors:
        raise Invalid(f"There is no anchor {anchor_id}", field="anchor_id")
    anchor = anchors[anchor_id]
    if anchor.successor_id:
        raise Invalid(f"{anchor.successor_id} has taken the place of {anchor_id}", field="anchor_id")
    return anchor
