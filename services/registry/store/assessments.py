"""Views of independent assessors; the history is only ever added to."""

from uuid import UUID

from contracts.events import CommitmentAssessed
from contracts.vocabulary import Assessment, PartyCode
from services.plumbing.database import Connection
from services.registry.store.rows import as_json, word_from


async def last_assessment(
    connection: Connection, commitment_id: str, client: str, party: PartyCode | None
) -> Assessment | None:
    """The newest view that an assessor has of a commitment, or of a party of it; None where it has none."""
    found = await connection.fetchval(
        "select assessment from assessment where commitment_id = $1 and client = $2 and party is not distinct from $3"
        " order by recorded_at desc, number desc limit 1",
        commitment_id,
        client,
        party,
    )
    return None if found is None else word_from(Assessment, found)


async def add_assessment(connection: Connection, event_id: UUID, event: CommitmentAssessed) -> None:
    """Add an assessor's view, which its event tells whole; what is there already stays as it is."""
    await connection.execute(
        """
        insert into assessment (event_id, commitment_id, number, client, organisation, party, previous, assessment,
                                note, evidence, assessed_at, recorded_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (event_id) do nothing
        """,
        event_id,
        event.commitment.id,
        event.seq,
        event.assessor,
        event.organisation,
        event.party,
        event.previous,
        event.assessment,
        event.note,
        as_json(event.evidence),
        event.assessed_at,
        event.recorded_at,
    )
