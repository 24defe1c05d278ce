"""Imports a whole statement: its text, anchors, commitments and milestones, in one transaction.

Importing it again brings edited facts up to date without an event. Dates are different: one that came from elsewhere
stays, one that the statement itself gives follows the catalogue, and a change of it has its event.

A copy of the statement, from another page, may come along: it has to have the same words, and then only its address is
noted.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from contracts.commitments import Milestone
from contracts.events import StatementRef
from services.plumbing.database import Connection, Database
from services.plumbing.sentences import Sentence
from services.registry.actions.auditing import anchor_facts, audit_change, audit_created
from services.registry.actions.chronicle import take_in_chronicle
from services.registry.actions.consistency_check import flag_history
from services.registry.actions.create_commitment import created_events
from services.registry.actions.events import ActionContext
from services.registry.actions.holds import ScheduleHolds
from services.registry.actions.inputs import StatementCopy
from services.registry.actions.ministries import enter_missing
from services.registry.actions.reschedule import MilestoneToSchedule, SourcedDate, schedule, stated_date, to_reschedule
from services.registry.catalogue.contents import Catalogue, CatalogueError
from services.registry.catalogue.loading import NALS_2021, load
from services.registry.rules.anchor_offset import zone_of
from services.registry.rules.errors import RegistryError, ResourceNotFound, at
from services.registry.rules.paragraphs import paragraph_starts
from services.registry.rules.text_comparison import canonical, first_difference
from services.registry.store.anchors import AnchorState, add_anchor, add_anchor_news, lock_anchors
from services.registry.store.commitments import lock_commitments, put_commitment
from services.registry.store.milestones import LockedMilestone, lock_milestones, put_milestone
from services.registry.store.statements import add_copy, lock_imports, put_statement

BUILT_IN: Mapping[str, Path] = {"nals-2021": NALS_2021}
"""The catalogues that come with the program, by the id of their statement."""


class CopyDiffers(RegistryError):
    """The copy does not have the statement's words."""

    kind = "other-words"
    title = Sentence("The copy does not have the statement's words")


@dataclass(frozen=True)
class ImportSummary:
    """What an import did."""

    statement_id: str
    commitments: int
    created: int
    scheduled: int
    statuses: int = 0


async def import_built_in(
    database: Database,
    holds: ScheduleHolds | None,
    name: str,
    context: ActionContext,
    copy: StatementCopy | None = None,
    chronicle_months: int | None = None,
) -> ImportSummary:
    """Import a catalogue that comes with the program, and note where a copy of its statement was found.

    With `chronicle_months` it comes as history, with what its chronicle knows: what lies in the past tells nobody. They
    are the months without news after which a commitment is flagged; such flags are noted at once.

    Raises `ResourceNotFound` for any other name, and `CopyDiffers` for a copy that says something else.
    """
    folder = BUILT_IN.get(name)
    if folder is None:
        raise ResourceNotFound(Sentence("There is no catalogue %(name)s", name=name), catalogues=sorted(BUILT_IN))
    catalogue, published = await asyncio.to_thread(read_catalogue, folder)
    if copy:
        await asyncio.to_thread(check_copy, published, copy)
    async with database.dry_run() if context.is_dry_run else database.transaction() as connection:
        history = replace(context, is_history=chronicle_months is not None)
        summary = await import_catalogue(database, connection, holds, catalogue, published, history)
        if chronicle_months is not None:
            # Nobody outside has a date of what has just come in, so there is nothing to hold.
            known_outside = None if summary.created else holds
            statuses = await take_in_chronicle(database, connection, known_outside, catalogue, history)
            about = {commitment.id for commitment in catalogue.commitments}
            await flag_history(database, connection, history, about, chronicle_months)
            summary = replace(summary, statuses=statuses)
        if copy:
            digest = hashlib.sha256(copy.text.encode()).hexdigest()
            await add_copy(connection, summary.statement_id, copy.url, digest, context.client, context.now)
            subject, found = f"statement/{summary.statement_id}", {"url": copy.url, "sha256": digest}
            await audit_change(connection, context, "statement.copy-found", subject, None, found)
        return summary


def check_copy(published: str, copy: StatementCopy) -> None:
    """Raise `CopyDiffers`, with the place, where the copy does not have the published words."""
    difference = first_difference(canonical(published), canonical(copy.text))
    if difference:
        raise CopyDiffers(
            Sentence(
                "The words part at character %(position)s: the statement has “%(expected)s”, the copy “%(found)s”",
                position=difference.position,
                expected=difference.expected,
                found=difference.found,
            ),
            **at("copy"),
            position=difference.position,
            expected=difference.expected,
            found=difference.found,
        )


def read_catalogue(folder: Path) -> tuple[Catalogue, str]:
    """A folder's catalogue, and its statement as it was published: the file that has the recorded SHA-256."""
    catalogue = load(folder)
    for path in sorted(folder.glob("*.txt")):
        published = path.read_bytes()
        if hashlib.sha256(published).hexdigest() == catalogue.statement.sha256:
            return catalogue, published.decode("utf-8")
    raise CatalogueError(f"no text in {folder.name} has the SHA-256 {catalogue.statement.sha256}")


async def import_catalogue(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    catalogue: Catalogue,
    published: str,
    context: ActionContext,
) -> ImportSummary:
    """Write everything inside the caller's transaction, each new thing with its event."""
    await lock_imports(connection)
    await lock_commitments(connection, [commitment.id for commitment in catalogue.commitments])
    await put_statement(
        connection,
        catalogue.statement,
        published,
        paragraph_starts(published),
        catalogue.sections,
        catalogue.themes,
        context.now,
    )
    await enter_missing(connection, catalogue.ministries, context)
    anchors = await _put_anchors(connection, catalogue, context)
    new = [
        commitment
        for commitment in catalogue.commitments
        if await put_commitment(connection, catalogue.statement.id, commitment, context.now)
    ]
    ref = StatementRef(**{name: getattr(catalogue.statement, name) for name in StatementRef.model_fields})
    created = await created_events(connection, ref, new)
    await audit_created(connection, ref.id, new, context)
    dates = await _put_milestones(connection, catalogue, anchors)
    scheduled = await schedule(database, connection, holds, dates, "import", context, created)
    await audit_change(
        connection,
        context,
        "statement.imported",
        f"statement/{catalogue.statement.id}",
        None,
        {
            "sha256": catalogue.statement.sha256,
            # Facts that were edited come without an event: by this it can be shown what the catalogue said.
            "catalogue_sha256": hashlib.sha256(catalogue.model_dump_json().encode()).hexdigest(),
            "commitments": len(catalogue.commitments),
            "created": len(new),
            "scheduled": len(scheduled),
        },
    )
    return ImportSummary(catalogue.statement.id, len(catalogue.commitments), len(new), len(scheduled))


async def _put_anchors(connection: Connection, catalogue: Catalogue, context: ActionContext) -> dict[str, AnchorState]:
    """Write the anchors, and read where they and their successors are now: a known one may have moved since."""
    known_on = catalogue.statement.made_on
    for anchor in sorted(catalogue.anchors, key=lambda anchor: anchor.id):
        first = AnchorState(anchor.id, anchor.zone, anchor.span, anchor.local_time, anchor.source, known_on, None, None)
        if await add_anchor(connection, first, anchor.title):
            await add_anchor_news(connection, first, "first", context.client, context.now)
            await audit_change(connection, context, "anchor.created", f"anchor/{first.id}", None, anchor_facts(first))
    locked: dict[str, AnchorState] = {}
    wanted = {anchor.id for anchor in catalogue.anchors}
    while wanted:
        locked |= await lock_anchors(connection, wanted)
        wanted = {one.successor_id for one in locked.values() if one.successor_id} - set(locked)
    return locked


async def _put_milestones(
    connection: Connection, catalogue: Catalogue, anchors: Mapping[str, AnchorState]
) -> list[tuple[MilestoneToSchedule, SourcedDate]]:
    """Write the milestones; the date that each should have."""
    ids = [milestone.id for commitment in catalogue.commitments for milestone in commitment.milestones]
    known = {found.milestone.id: found for found in await lock_milestones(connection, ids)}
    dates = []
    for commitment in catalogue.commitments:
        for written in commitment.milestones:
            milestone = _on_present_anchor(written, anchors)
            await put_milestone(connection, commitment.id, milestone)
            if date := _date_to_give(commitment.id, milestone, known.get(milestone.id), anchors):
                dates.append(date)
    return dates


def _on_present_anchor(milestone: Milestone, anchors: Mapping[str, AnchorState]) -> Milestone:
    """The milestone on the event that has taken the place of the one in the catalogue, if any has."""
    if milestone.anchor_id is None:
        return milestone
    anchor = anchors[milestone.anchor_id]
    while anchor.successor_id:
        anchor = anchors[anchor.successor_id]
    zone = zone_of(milestone.reading, anchor.zone, milestone.zone)
    return milestone.model_copy(update={"anchor_id": anchor.id, "zone": zone})


def _date_to_give(
    commitment_id: str, milestone: Milestone, known: LockedMilestone | None, anchors: Mapping[str, AnchorState]
) -> tuple[MilestoneToSchedule, SourcedDate] | None:
    """The date that a milestone should have; None where it has one from another source, which stays."""
    date = stated_date(milestone, anchors)
    if known is None:
        return MilestoneToSchedule(commitment_id, milestone, 0, None), date
    if known.source and milestone.anchor_id is None:
        return None
    return replace(to_reschedule(known), milestone=milestone), date
