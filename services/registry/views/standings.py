"""How commitments stand by their parties: now, or as of a day, as it was known on a day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from contracts.vocabulary import PartyCode, Status
from services.plumbing.database import Connection
from services.registry.rules.status import PartyStatuses, overall
from services.registry.rules.status_history import AsOf, statuses_as_of
from services.registry.store.commitments import party_statuses_from
from services.registry.store.rows import Row, word_from
from services.registry.store.status_updates import words_on


@dataclass(frozen=True)
class Standing:
    """How the parties of a commitment stand, and the whole by them."""

    status: Status
    """Of the commitment as a whole."""
    party_statuses: PartyStatuses


async def standings(connection: Connection, rows: Sequence[Row], moment: AsOf) -> dict[str, Standing]:
    """How the commitments of these rows stand, by their ids; now it is what the rows say."""
    if moment.is_now:
        return {row["id"]: Standing(word_from(Status, row["status"]), party_statuses_from(row)) for row in rows}
    parties = {row["id"]: tuple(row["parties"]) for row in rows}
    return await _as_of(connection, parties, moment)


async def commitments_at(connection: Connection, status: Status, party: PartyCode | None, moment: AsOf) -> list[str]:
    """The ids of the commitments that stood, or of which a party stood, at a status."""
    rows = await connection.fetch("select id, parties from commitment")
    found = await _as_of(connection, {row["id"]: tuple(row["parties"]) for row in rows}, moment)
    return [id_ for id_, one in found.items() if status == (one.party_statuses.get(party) if party else one.status)]


async def _as_of(
    connection: Connection, parties: Mapping[str, Collection[PartyCode]], moment: AsOf
) -> dict[str, Standing]:
    words = await words_on(connection, list(parties))
    stood = {id_: statuses_as_of(bound, words.get(id_, ()), moment) for id_, bound in parties.items()}
    return {id_: Standing(overall(statuses.values()), statuses) for id_, statuses in stood.items()}
