"""Takes a whole statement in: its text, anchors, commitments and milestones, in one transaction.

Taking it in again brings edited facts up to date and says nothing. Dates are different: one that came from elsewhere
stays, one that the statement itself gives follows the catalogue, and a change of it is said.

A copy of the statement, from another page, may come along: it has to have the same words, and then says nothing either.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from contracts.events import StatementRef
from contracts.vocabulary import Milestone
from services.plumbing.database import Connection, Database
from services.registry import catalogue as nals_2021
from services.registry import store
from services.registry.actions.create_commitment import announce_created
from services.registry.actions.events import Occasion
from services.registry.actions.reschedule import Dated, News, dated_now, said_by, schedule
from services.registry.catalogue import Catalogue, CatalogueError, load
from services.registry.rules.anchor_offset import zone_of
from services.registry.rules.errors import Refusal, Unknown
from services.registry.rules.paragraphs import paragraph_starts
from services.registry.rules.text_comparison import canonical, first_difference
from services.registry.store import HeldAnchor, HeldMilestone

BUILT_IN: Mapping[str, Path] = {"nals-2021": nals_2021.HERE}
"""The catalogues that come with the program, by the id of their statement."""


class OtherWords(Refusal):
    """The copy does not have the statement's words."""

    kind = "other-words"


@dataclass(frozen=True)
class Copy:
    """The statement as another page has it."""

    text: str
    url: str


@dataclass(frozen=True)
class Taken:
    """What an import did."""

    statement_id: str
    commitments: int
    created: int
    scheduled: int


async def import_built_in(database: Database, name: str, occasion: Occasion, copy: Copy | None = None) -> Taken:
    """Import a catalogue that comes with the program, and note where a copy of its statement was found.

    Raises `Unknown` for any other name, and `OtherWords` for a copy that says something else.
    """
    folder = BUILT_IN.get(name)
    if folder is None:
        raise Unknown(f"There is no catalogue {name}", catalogues=sorted(BUILT_IN))
    catalogue, published = await asyncio.to_thread(read, folder)
    if copy:
        await asyncio.to_thread(check_copy, published, copy)
    async with database.transaction() as connection:
        taken = await import_catalogue(database, connection, catalogue, published, occasion)
        if copy:
            digest = hashlib.sha256(copy.text.encode()).hexdigest()
            await store.add_copy(connection, taken.statement_id, copy.url, digest, occasion.client, occasion.now)
        return taken


def check_copy(published: str, copy: Copy) -> None:
    """Raise `OtherWords`, with the place, where the copy does not have the published words."""
    difference = first_difference(canonical(published), canonical(copy.text))
    if difference:
        raise OtherWords(
            f"The words part at character {difference.position}: the statement has “{difference.expected}”,"
            f" the copy “{difference.found}”",
            field="copy",
            position=difference.position,
            expected=difference.expected,
            found=difference.found,
        )


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
    """Write the anchors, and read where they and their successors are now: a known one may have moved since."""
    known_on = catalogue.statement.made_on
    for anchor in sorted(catalogue.anchors, key=lambda anchor: anchor.id):
        first = HeldAnchor(anchor.id, anchor.zone, anchor.span, anchor.local_time, anchor.source, known_on, None, None)
        if await store.add_anchor(connection, first, anchor.title):
            await store.add_anchor_news(connection, first, "first", occasion.client, occasion.now)
    held: dict[str, HeldAnchor] = {}
    wanted = {anchor.id for anchor in catalogue.anchors}
    while wanted:
        held |= await store.hold_anchors(connection, wanted)
        wanted = {one.successor_id for one in held.values() if one.successor_id} - set(held)
    return held


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
        for written in commitment.milestones:
            milestone = _where_it_hangs_now(written, anchors)
            await store.put_milestone(connection, commitment.id, milestone)
            if date := _date(commitment.id, milestone, held.get(milestone.id), anchors):
                dates.append(date)
    return len(await schedule(database, connection, dates, occasion))


def _where_it_hangs_now(milestone: Milestone, anchors: Mapping[str, HeldAnchor]) -> Milestone:
    """The milestone on the event that has taken the place of the one in the catalogue, if any has."""
    if milestone.anchor_id is None:
        return milestone
    anchor = anchors[milestone.anchor_id]
    while anchor.successor_id:
        anchor = anchors[anchor.successor_id]
    zone = zone_of(milestone.reading, anchor.zone, milestone.zone)
    return milestone.model_copy(update={"anchor_id": anchor.id, "zone": zone})


def _date(
    commitment_id: str, milestone: Milestone, held: HeldMilestone | None, anchors: Mapping[str, HeldAnchor]
) -> tuple[Dated, News] | None:
    """The date that a milestone should have; None where that is not the statement's to say any more."""
    said = said_by(milestone, anchors)
    if held is None:
        return Dated(commitment_id, milestone, 0, None), said
    if held.source and milestone.anchor_id is None:
        return None  # it has news from elsewhere, which the statement does not take back
    return replace(dated_now(held), milestone=milestone), said
