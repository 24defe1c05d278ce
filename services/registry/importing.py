"""Takes a whole statement in: its text, anchors, commitments and milestones, in one transaction.

Taking it in again brings edited facts up to date and says nothing. Dates are different: one that came from elsewhere
stays, one that the statement itself gives follows the catalogue, and a change of it is said.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.events import StatementRef
from contracts.vocabulary import Milestone
from services.plumbing.database import Connection, Database
from services.registry import catalogue as nals_2021
from services.registry import store
from services.registry.announcing import Occasion
from services.registry.catalogue import Catalogue, CatalogueError, load
from services.registry.entering import announce_created
from services.registry.passages import paragraph_starts
from services.registry.refusals import Unknown
from services.registry.scheduling import Dated, News, said_by, schedule
from services.registry.store import HeldAnchor, HeldMilestone

BUILT_IN: Mapping[str, Path] = {"nals-2021": nals_2021.HERE}
"""The catalogues that come with the program, by the id of their statement."""


@dataclass(frozen=True)
class Taken:
    """What an import did."""

    statement_id: str
    commitments: int
    created: int
    scheduled: int


async def import_built_in(database: Database, name: str, occasion: Occasion) -> Taken:
    """Import a catalogue that comes with the program; raises `Unknown` for any other name."""
    folder = BUILT_IN.get(name)
    if folder is None:
        raise Unknown(f"There is no catalogue {name}", catalogues=sorted(BUILT_IN))
    catalogue, published = await asyncio.to_thread(read, folder)
    async with database.transaction() as connection:
        return await import_catalogue(database, connection, catalogue, published, occasion)


def read(folder: Path) -> tuple[Catalogue, str]:
    """A folder's catalogue, and its statement as it was published: the file that has the recorded SHA-256."""
    catalogue = load(folder)
    for path in sorted(folder.glob("*.txt")):
        published = path.read_bytes()
        if hashlib.sha256(published).hexdigest() == catalogue.statement.sha256:
            return catalogue, published.decode("utf-8")
    raise CatalogueError(f"no text in {folder.name} has the SHA-256 {catalogue.statement.sha256}")


async def import_catalogue(
    database: Database, connection: Connection, catalogue: Catalogue, published: str, occasion: Occasion
) -> Taken:
    """Write everything inside the caller's transaction, each new thing with its event."""
    await store.lock_imports(connection)
    await store.hold_commitments(connection, [commitment.id for commitment in catalogue.commitments])
    await store.put_statement(
        connection,
        catalogue.statement,
        published,
        paragraph_starts(published),
        catalogue.sections,
        catalogue.themes,
        occasion.now,
    )
    anchors = await _put_anchors(connection, catalogue, occasion)
    new = [
        commitment
        for commitment in catalogue.commitments
        if await store.put_commitment(connection, catalogue.statement.id, commitment, occasion.now)
    ]
    ref = StatementRef(**{name: getattr(catalogue.statement, name) for name in StatementRef.model_fields})
    await announce_created(database, connection, ref, new, occasion)
    scheduled = await _put_milestones(database, connection, catalogue, anchors, occasion)
    return Taken(catalogue.statement.id, len(catalogue.commitments), len(new), scheduled)


async def _put_anchors(connection: Connection, catalogue: Catalogue, occasion: Occasion) -> dict[str, HeldAnchor]:
    """Write the anchors, and read where they are now: a known one may have moved since it was written."""
    known_on = catalogue.statement.made_on
    for anchor in sorted(catalogue.anchors, key=lambda anchor: anchor.id):
        is_new = await store.add_anchor(
            connection, anchor.id, anchor.title, anchor.zone, anchor.span, anchor.source, known_on
        )
        if is_new:
            await store.add_anchor_news(
                connection, anchor.id, anchor.span, "first", anchor.source, known_on, occasion.client, occasion.now
            )
    return await store.hold_anchors(connection, [anchor.id for anchor in catalogue.anchors])


async def _put_milestones(
    database: Database,
    connection: Connection,
    catalogue: Catalogue,
    anchors: Mapping[str, HeldAnchor],
    occasion: Occasion,
) -> int:
    """Write the milestones and give each the date that it should have; how many got one."""
    ids = [milestone.id for commitment in catalogue.commitments for milestone in commitment.milestones]
    held = {found.milestone.id: found for found in await store.hold_milestones(connection, ids)}
    dates = []
    for commitment in catalogue.commitments:
        for milestone in commitment.milestones:
            await store.put_milestone(connection, commitment.id, milestone)
            if date := _date(commitment.id, milestone, held.get(milestone.id), anchors):
                dates.append(date)
    return len(await schedule(database, connection, dates, occasion))


def _date(
    commitment_id: str, milestone: Milestone, held: HeldMilestone | None, anchors: Mapping[str, HeldAnchor]
) -> tuple[Dated, News] | None:
    """The date that a milestone should have; None where that is not the statement's to say any more."""
    said = said_by(milestone, anchors)
    if held is None:
        return Dated(commitment_id, milestone, 0, None), said
    if held.source and milestone.anchor_id is None:
        return None  # it has news from elsewhere, which the statement does not take back
    return Dated(commitment_id, milestone, held.schedule_version, held.milestone.span), said
