"""The latest events in memory, so that most deliveries are sent without reading their event again."""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from services.notifier.events.published_event import PublishedEvent
from services.plumbing.database import Connection, Database

_MOST = 4096


class EventCache:
    """Events by their ids, from memory or from the table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events: OrderedDict[UUID, PublishedEvent] = OrderedDict()

    def keep(self, events: Iterable[PublishedEvent]) -> None:
        """Keep events that were just read, so that they need not be read again."""
        for event in events:
            self._events[event.id] = event
        while len(self._events) > _MOST:
            self._events.popitem(last=False)

    def kept(self, id_: UUID) -> PublishedEvent | None:
        """One event where it is in memory."""
        return self._events.get(id_)

    async def get(self, id_: UUID) -> PublishedEvent:
        """One event; it may have been pushed out of memory while its delivery waited."""
        return self._events.get(id_) or (await self.get_all([id_]))[id_]

    async def get_all(self, ids: Iterable[UUID]) -> dict[UUID, PublishedEvent]:
        """Events by their ids; the caller holds them, so none is pushed out meanwhile."""
        wanted = set(ids)
        events = {id_: self._events[id_] for id_ in wanted if id_ in self._events}
        if missing := wanted - set(events):
            read = await self._read(missing)
            self.keep(read)
            events |= {event.id: event for event in read}
        return events

    async def _read(self, ids: Iterable[UUID]) -> list[PublishedEvent]:
        async with self._database.connection() as connection:
            return await read_events(connection, ids)


async def read_events(connection: Connection, ids: Iterable[UUID]) -> list[PublishedEvent]:
    """Events from the table, in no order."""
    rows = await connection.fetch(
        "select id, topic, time, value, correlation_id, traceparent from event where id = any($1::uuid[])", list(ids)
    )
    return [PublishedEvent(*row) for row in rows]
