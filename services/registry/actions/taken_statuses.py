"""Status updates that the topic has and the register has not: into the history, before those accepted meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from contracts.events import StatusChanged
from contracts.vocabulary import PartyCode, Status
from services.plumbing.database import Connection
from services.plumbing.outbox import Outgoing
from services.plumbing.recovery.taking_over import Effects, by_itself
from services.plumbing.sentences import Sentence
from services.registry.actions.events import read_outgoing
from services.registry.rules.errors import ResourceNotFound
from services.registry.rules.status import overall
from services.registry.rules.status_history import PRESENT, StatusWord, last_status, statuses_as_of
from services.registry.store.commitments import lock_commitments, put_standings
from services.registry.store.status_updates import (
    RecordedUpdate,
    Renumbered,
    add_status_updates,
    history_by_event,
    renumber_updates,
)


async def take_over_statuses(
    connection: Connection, missed: Sequence[Outgoing], waiting: Sequence[Outgoing]
) -> Effects:
    """Write the missed updates into the history; those that wait get later versions, and are reckoned anew."""
    effects = Effects(waiting)
    for key in dict.fromkeys(one.key for one in missed):
        found = _TakenStatuses(connection, key, [one for one in missed if one.key == key], waiting)
        effects.remarks += await by_itself(connection, f"{len(found.missed)} status updates of {key}", found.write())
        effects.waiting = [found.rewritten.get(one.event_id, one) for one in effects.waiting]
    return effects


class _TakenStatuses:
    """Those of one commitment."""

    def __init__(
        self, connection: Connection, commitment_id: str, missed: Sequence[Outgoing], waiting: Sequence[Outgoing]
    ) -> None:
        self.missed = missed
        self.rewritten: dict[UUID, Outgoing] = {}
        self._connection = connection
        self._commitment_id = commitment_id
        self._waiting = [one for one in waiting if one.key == commitment_id]

    async def write(self) -> None:
        locked = await lock_commitments(self._connection, [self._commitment_id])
        if self._commitment_id not in locked:
            raise ResourceNotFound(
                Sentence("there is no commitment %(commitment_id)s in this database", commitment_id=self._commitment_id)
            )
        commitment = locked[self._commitment_id]
        history = await history_by_event(self._connection, self._commitment_id)
        behind = {one.event_id for one in [*self.missed, *self._waiting]}
        said = _Said(commitment.brief.parties, [word for id_, word in history.items() if id_ not in behind])
        # A ministry's report may have been heard again already: its update takes the place that the topic gives it.
        missed = {one.event_id: read_outgoing(StatusChanged, one)[1] for one in self.missed}
        for event in missed.values():
            said.add(event)
        version = max(event.version for event in missed.values())
        later: dict[UUID, StatusChanged] = {}
        for one in self._waiting:
            version += 1
            _, event = read_outgoing(StatusChanged, one)
            later[one.event_id] = said.add(event.model_copy(update={"version": version}))
        moved = {id_: event for id_, event in (missed | later).items() if id_ in history}
        await renumber_updates(
            self._connection,
            {id_: Renumbered(e.version, e.previous, e.current, e.overall) for id_, e in moved.items()},
        )
        unknown = [_recorded(id_, event) for id_, event in missed.items() if id_ not in history]
        if unknown:
            await add_status_updates(self._connection, unknown)
        self.rewritten = {
            one.event_id: replace(one, value=later[one.event_id].model_dump_json().encode()) for one in self._waiting
        }
        await put_standings(self._connection, [replace(commitment, party_statuses=said.statuses(), version=version)])


@dataclass
class _Said:
    """What has been said of the parties so far."""

    parties: Sequence[PartyCode]
    words: list[StatusWord] = field(default_factory=list)

    def statuses(self) -> dict[PartyCode, Status]:
        return dict(statuses_as_of(self.parties, self.words, PRESENT))

    def add(self, event: StatusChanged) -> StatusChanged:
        """The event as it is on top of what was said."""
        word = _word(event)
        before = [known for known in self.words if known.party == word.party and known.place < word.place]
        newer = any(known.party == word.party and known.place > word.place for known in self.words)
        previous = last_status(before)
        self.words.append(word)
        now = {"previous": previous, "current": not newer, "overall": overall(self.statuses().values())}
        return event.model_copy(update=now)


def _word(event: StatusChanged) -> StatusWord:
    return StatusWord(event.party, event.status, event.occurred_at, event.reported_at, event.recorded_at, event.version)


def _recorded(event_id: UUID, event: StatusChanged) -> RecordedUpdate:
    return RecordedUpdate(
        event_id=event_id,
        commitment_id=event.commitment.id,
        version=event.version,
        party=event.party,
        previous=event.previous,
        status=event.status,
        current=event.current,
        overall=event.overall,
        note=event.note,
        evidence=event.evidence,
        reporter=event.reported_by,
        report_id=event.report_id,
        occurred_at=event.occurred_at,
        reported_at=event.reported_at,
        recorded_at=event.recorded_at,
    )
