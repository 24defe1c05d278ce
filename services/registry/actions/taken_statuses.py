"""Status updates that the topic has and the register has not: into the history, before those accepted meanwhile."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from contracts.events import StatusChanged
from contracts.vocabulary import Country, Status
from services.plumbing.database import Connection
from services.plumbing.outbox import Outgoing
from services.plumbing.recovery.taking_over import Effects, by_itself
from services.registry.actions.events import read_outgoing
from services.registry.rules.errors import ResourceNotFound
from services.registry.rules.status import CountryStatuses, overall, statuses_after
from services.registry.store.commitments import lock_commitments, put_country_statuses
from services.registry.store.status_updates import RecordedUpdate, add_status_update, renumber_updates, status_history


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
            raise ResourceNotFound(f"there is no commitment {self._commitment_id} in this database")
        commitment = locked[self._commitment_id]
        history = await status_history(self._connection, self._commitment_id)
        behind = {one.event_id for one in [*self.missed, *self._waiting]}
        statuses: CountryStatuses = dict.fromkeys(commitment.brief.countries, Status.ANNOUNCED)
        for row in history:
            if row["event_id"] not in behind:
                statuses = statuses_after(statuses, _country(row["country"]), Status(row["to_status"]))
        # A ministry's report may have been heard again already: its update takes the place that the topic gives it.
        known = {row["event_id"] for row in history}
        missed = {one.event_id: read_outgoing(StatusChanged, one)[1] for one in self.missed}
        after = statuses_after_all(statuses, self.missed)
        last = max(event.version for event in missed.values())
        later = self._reckoned(after, last)
        moved = {id_: event for id_, event in (missed | later).items() if id_ in known}
        await renumber_updates(self._connection, {id_: (e.version, e.previous, e.overall) for id_, e in moved.items()})
        for one in self.missed:
            if one.event_id not in known:
                await self._add(one)
        self.rewritten = {
            one.event_id: replace(one, value=later[one.event_id].model_dump_json().encode()) for one in self._waiting
        }
        after = statuses_after_all(after, self._waiting)
        version = last + len(self._waiting)
        await put_country_statuses(self._connection, self._commitment_id, after, overall(after.values()), version)

    def _reckoned(self, statuses: CountryStatuses, version: int) -> dict[UUID, StatusChanged]:
        """The waiting updates as they are on top of these statuses, with the versions behind this one."""
        reckoned: dict[UUID, StatusChanged] = {}
        for one in self._waiting:
            _, event = read_outgoing(StatusChanged, one)
            previous = statuses[event.country] if event.country else overall(statuses.values())
            statuses = statuses_after(statuses, event.country, event.status)
            version += 1
            now = {"version": version, "previous": previous, "overall": overall(statuses.values())}
            reckoned[one.event_id] = event.model_copy(update=now)
        return reckoned

    async def _add(self, one: Outgoing) -> None:
        envelope, event = read_outgoing(StatusChanged, one)
        update = RecordedUpdate(
            event_id=one.event_id,
            commitment_id=self._commitment_id,
            version=event.version,
            country=event.country,
            previous=event.previous,
            status=event.status,
            overall=event.overall,
            note=event.note,
            evidence=event.evidence,
            reporter=event.reported_by,
            report_id=None,  # no event says it; by the event's id the report is recognised all the same
            reported_at=event.reported_at,
            recorded_at=envelope.time,
        )
        await add_status_update(self._connection, update)


def statuses_after_all(statuses: CountryStatuses, updates: Sequence[Outgoing]) -> CountryStatuses:
    """How the countries stand after these events."""
    for one in updates:
        _, event = read_outgoing(StatusChanged, one)
        statuses = statuses_after(statuses, event.country, event.status)
    return statuses


def _country(code: str | None) -> Country | None:
    return None if code is None else Country(code)
