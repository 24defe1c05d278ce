"""Commitments into the register, with the events that say so: one by one, or a whole statement."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from contracts.events import CommitmentCreated, Quote, StatementRef
from contracts.topics import COMMITMENT_CREATED
from contracts.vocabulary import Country, Milestone, Reading, Status
from services.plumbing.database import Connection, Database
from services.plumbing.outbox import append, take_seqs
from services.registry import store
from services.registry.actions.events import Occasion, announcements
from services.registry.actions.initial_date import said
from services.registry.actions.reschedule import Dated, said_by, schedule
from services.registry.catalogue import CatalogueError, Commitment, locate
from services.registry.http.forms import NewCommitment, NewMilestone
from services.registry.rules.anchor_offset import zone_of
from services.registry.rules.edtf_dates import last_capital_zone
from services.registry.rules.errors import AlreadyThere, Invalid, Unknown
from services.registry.store import HeldAnchor, KnownStatement


async def announce_created(
    database: Database,
    connection: Connection,
    statement: StatementRef,
    commitments: Sequence[Commitment],
    occasion: Occasion,
) -> list[UUID]:
    """Say that these commitments, whose rows are written, have entered the register; the ids of the events."""
    ids = [commitment.id for commitment in commitments]
    briefs = await store.briefs(connection, ids)
    seqs = await take_seqs(connection, COMMITMENT_CREATED.name, ids)
    events = [
        CommitmentCreated(
            seq=seq,
            commitment=briefs[commitment.id],
            statement=statement,
            quote=commitment.quote,
            summary=commitment.summary,
            strength=commitment.strength,
            lead_ministries=commitment.lead_ministries,
            status=Status.ANNOUNCED,
        )
        for seq, commitment in zip(seqs, commitments, strict=True)
    ]
    outgoing = announcements(events, occasion)
    await append(database, connection, outgoing, occasion.now)
    return [record.event_id for record in outgoing]


async def enter(database: Database, connection: Connection, new: NewCommitment, occasion: Occasion) -> UUID:
    """Enter one commitment and its milestones; the id of the event that says so.

    Raises a `Refusal` where it does not fit the statement: a quote that is not verbatim or not found just once, an
    unknown section, theme or anchor, an id that is taken, time words that give no clear date where they have to.
    """
    statement = await store.known_statement(connection, new.statement_id)
    if statement is None:
        raise Unknown(f"There is no statement {new.statement_id}")
    anchors = await store.hold_anchors(connection, {m.anchor_id for m in new.milestones if m.anchor_id})
    commitment = fitted(new, statement, anchors)
    if not await store.put_commitment(connection, statement.ref.id, commitment, occasion.now):
        raise AlreadyThere(f"There is a commitment {commitment.id} already")
    (event_id,) = await announce_created(database, connection, statement.ref, [commitment], occasion)
    for milestone in commitment.milestones:
        if not await store.put_milestone(connection, commitment.id, milestone):
            raise AlreadyThere(f"There is a milestone {milestone.id} already")
    first = [
        (Dated(commitment.id, milestone, 0, None), said_by(milestone, anchors)) for milestone in commitment.milestones
    ]
    await schedule(database, connection, first, occasion)
    return event_id


def fitted(new: NewCommitment, statement: KnownStatement, anchors: Mapping[str, HeldAnchor]) -> Commitment:
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
        milestones=tuple(_fitted_milestone(m, countries, statement, anchors) for m in new.milestones),
    )


def _fitted_milestone(
    new: NewMilestone, bound: tuple[Country, ...], statement: KnownStatement, anchors: Mapping[str, HeldAnchor]
) -> Milestone:
    countries = new.countries or bound
    if set(countries) - set(bound):
        raise Invalid(f"The milestone {new.id} binds a country that the commitment does not", field="countries")
    if new.wording not in statement.text:
        raise Invalid(f"The wording of {new.id} does not stand in the statement", field="wording")
    anchor = _anchor(new.anchor_id, anchors) if new.anchor_id else None
    zone = last_capital_zone(countries)
    date = said(new, statement)
    return Milestone(
        id=new.id,
        wording=new.wording,
        title=new.title,
        span=anchor.span if anchor else date.span,  # how far from the anchor, its first schedule reckons
        reading=date.reading,
        countries=countries,
        zone=zone_of(date.reading, anchor.zone, zone) if anchor else zone,
        anchor_id=new.anchor_id,
        offset=date.offset,
        local_time=new.local_time,
        held=bool(anchor and anchor.outcome == "held" and date.reading is Reading.ON and date.offset is None),
        review_months=date.review_months,
        wording_language=statement.language,
    )


def _anchor(anchor_id: str, anchors: Mapping[str, HeldAnchor]) -> HeldAnchor:
    if anchor_id not in anchors:
        raise Invalid(f"There is no anchor {anchor_id}", field="anchor_id")
    anchor = anchors[anchor_id]
    if anchor.successor_id:
        raise Invalid(f"{anchor.successor_id} has taken the place of {anchor_id}", field="anchor_id")
    return anchor
