"""Takes over records that a topic has and the database has not, each batch in one transaction."""

from collections import Counter
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from pydantic_core import from_json

from services.plumbing.database import Connection, Database
from services.plumbing.logs import log
from services.plumbing.outbox import Outgoing, SaidBeside, beside, with_seq
from services.plumbing.retention.outbox_rows import pruned_through
from services.plumbing.transient_errors import is_transient


@dataclass(frozen=True)
class TopicRecord:
    """A record as it lies on its topic; the time stamp is in milliseconds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    value: bytes | None
    timestamp: int

    @property
    def at(self) -> datetime:
        """When it was written."""
        return datetime.fromtimestamp(self.timestamp / 1000, UTC)


@dataclass
class Effects:
    """What came of taking events over."""

    waiting: Sequence[Outgoing]
    """Events that were accepted meanwhile and are not published yet, as they have to read behind those taken over."""
    remarks: list[str] = field(default_factory=list)
    """What could not be taken over, for the operator."""


class MissedEvents(Protocol):
    """What a service does with events that it published once, and has forgotten since."""

    def event_id(self, headers: Sequence[tuple[str, bytes | None]]) -> UUID:
        """The id of a record's event; raises ValueError where there is none."""
        ...

    async def take_over(
        self, connection: Connection, topic: str, missed: Sequence[Outgoing], waiting: Sequence[Outgoing]
    ) -> Effects:
        """Have their effects in the caller's transaction.

        `waiting` are the unpublished events of the same topic and keys, in order; they come behind.
        """
        ...


def seq_of(value: bytes) -> int:
    """The `seq` of an event; raises ValueError where it has none."""
    found = from_json(value)
    seq = found.get("seq") if isinstance(found, dict) else None
    if not isinstance(seq, int):
        raise ValueError("it has no seq")  # noqa: TRY004  what it says is wrong, not its type
    return seq


def read_event(record: TopicRecord, missed_events: MissedEvents) -> Outgoing | None:
    """The event of a record; None for what is no event of ours, which somebody else must have written."""
    try:
        if record.key is None or record.value is None:
            raise ValueError("it has no key or no value")
        event_id = missed_events.event_id(record.headers)
        seq_of(record.value)
        headers = {name: (content or b"").decode() for name, content in record.headers}
        return Outgoing(event_id, record.topic, record.key.decode(), headers, record.value)
    except ValueError as error:
        log.error(
            "a record of our own topic is none of ours",
            action="strange_record",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=str(error)[:300],
        )
        return None


class TakingOver:
    """Writes into one database.

    What is said beside other records (`said_beside`) has its effects by those: the topics `without_effects` have none.
    """

    def __init__(
        self,
        database: Database,
        missed_events: MissedEvents,
        said_beside: SaidBeside | None = None,
        without_effects: Collection[str] = (),
    ) -> None:
        self._database = database
        self._missed_events = missed_events
        self._said_beside = said_beside
        self._without_effects = without_effects

    async def take(self, batch: Sequence[TopicRecord]) -> int:
        """Take one partition's records over, in order; how many the database did not know.

        What it knows is marked as published where it lies. What it doesn't know goes into the outbox as published, its
        effects into the service's tables, and the numbers (`seq`) go on behind it: what waits to be published gets
        other ones. All in one transaction, with the new position and the word that nothing may be sent.
        """
        topic, partition = batch[0].topic, batch[0].partition
        read = {one.event_id: (one, record) for record in batch if (one := read_event(record, self._missed_events))}
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "select event_id, value, published_at is null as waits from outbox where event_id = any($1::uuid[])",
                list(read),
            )
            known = {row["event_id"]: row for row in rows}
            read = await _without_pruned(connection, topic, read, known)
            differs = {id_ for id_, (one, _) in read.items() if id_ not in known or known[id_]["value"] != one.value}
            keys = {read[id_][0].key for id_ in differs}
            # What was said again may have got the number that it has on the topic: it doesn't wait behind the others.
            missed = [
                (one, record)
                for id_, (one, record) in read.items()
                if id_ in differs or (one.key in keys and known[id_]["waits"])
            ]
            if missed:
                await self._take_missed(connection, topic, missed)
            await _mark_known(connection, [(id_, record) for id_, (_, record) in read.items()])
            await put_position(connection, topic, partition, batch[-1].offset + 1)
        if missed:
            log.warning("events were taken over", action="taken_over", topic=topic, count=len(missed))
        return len(missed)

    async def _take_missed(
        self, connection: Connection, topic: str, missed: Sequence[tuple[Outgoing, TopicRecord]]
    ) -> None:
        highest: dict[str, int] = {}
        for one, _ in missed:
            highest[one.key] = max(highest.get(one.key, 0), seq_of(one.value))
        last = await _lock_seqs(connection, topic, sorted(highest))
        # From here on nobody takes a number of these keys, and all who took one have committed.
        ids = {one.event_id for one, _ in missed}
        rows = await connection.fetch(
            "delete from outbox where topic = $1 and key = any($2::text[]) and published_at is null"
            " and at_partition is null returning *",
            topic,
            list(highest),
        )
        rows.sort(key=lambda row: row["id"])
        waiting = [_outgoing(row) for row in rows if row["event_id"] not in ids]
        unpublished = Counter(row["key"] for row in rows)
        effects = Effects(waiting)
        if topic not in self._without_effects:
            effects = await self._missed_events.take_over(connection, topic, [one for one, _ in missed], waiting)
        await _insert_published(connection, missed)
        following = {key: max(highest[key], last[key] - unpublished[key]) for key in highest}
        numbered = []
        for one in effects.waiting:
            following[one.key] += 1
            numbered.append(with_seq(one, following[one.key]))
        await _insert_waiting(connection, numbered, {row["event_id"]: row for row in rows})
        if self._said_beside:
            await _say_anew_beside(connection, beside(numbered, self._said_beside))
        await connection.execute(
            "update outbox_seq s set last = n.last from unnest($2::text[], $3::bigint[]) as n(key, last)"
            " where s.topic = $1 and s.key = n.key",
            topic,
            list(following),
            list(following.values()),
        )
        await _hold(connection, topic, len(missed), effects.remarks)


async def _without_pruned(
    connection: Connection,
    topic: str,
    read: dict[UUID, tuple[Outgoing, TopicRecord]],
    known: Mapping[UUID, Any],
) -> dict[UUID, tuple[Outgoing, TopicRecord]]:
    """Without records that this database knew and has pruned since: they had their effects."""
    keys = {one.key for id_, (one, _) in read.items() if id_ not in known}
    through = await pruned_through(connection, topic, keys) if keys else {}
    return {
        id_: (one, record)
        for id_, (one, record) in read.items()
        if id_ in known or seq_of(one.value) > through.get(one.key, 0)
    }


async def put_position(connection: Connection, topic: str, partition: int, next_offset: int) -> None:
    """Below this offset the database knows all records of the partition."""
    await connection.execute(
        "insert into topic_position values ($1, $2, $3)"
        " on conflict (topic, partition) do update set next_offset = excluded.next_offset",
        topic,
        partition,
        next_offset,
    )


async def _lock_seqs(connection: Connection, topic: str, keys: Sequence[str]) -> dict[str, int]:
    await connection.execute(
        "insert into outbox_seq (topic, key, last) select $1, k, 0 from unnest($2::text[]) as k order by k"
        " on conflict do nothing",
        topic,
        keys,
    )
    rows = await connection.fetch(
        "select key, last from outbox_seq where topic = $1 and key = any($2::text[]) order by key for update",
        topic,
        keys,
    )
    return {row["key"]: row["last"] for row in rows}


def _outgoing(row: Any) -> Outgoing:
    return Outgoing(row["event_id"], row["topic"], row["key"], row["headers"], row["value"])


async def _insert_published(connection: Connection, missed: Sequence[tuple[Outgoing, TopicRecord]]) -> None:
    """What another value stands for under the same id gives way: the topic is what everybody has read."""
    await connection.execute(
        """
        insert into outbox (event_id, topic, key, headers, value, created_at, written_at, published_at)
        select e, t, k, h, v, at, at, at
        from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[], $6::timestamptz[])
             with ordinality as r(e, t, k, h, v, at, n) order by n
        on conflict (event_id) do update set headers = excluded.headers, value = excluded.value
        """,
        [one.event_id for one, _ in missed],
        [one.topic for one, _ in missed],
        [one.key for one, _ in missed],
        [one.headers for one, _ in missed],
        [one.value for one, _ in missed],
        [record.at for _, record in missed],
    )


async def _insert_waiting(connection: Connection, waiting: Sequence[Outgoing], rows: Mapping[UUID, Any]) -> None:
    """Put back what waits, behind what was taken over: the order of ids is that of publication."""
    for one in waiting:
        row = rows[one.event_id]
        await connection.execute(
            "insert into outbox (event_id, topic, key, headers, value, created_at, written_at)"
            " values ($1, $2, $3, $4, $5, $6, $7)",
            one.event_id,
            one.topic,
            one.key,
            one.headers,
            one.value,
            row["created_at"],
            row["written_at"],
        )


async def _say_anew_beside(connection: Connection, others: Sequence[Outgoing]) -> None:
    """What is said beside records that say something else now, and waits as they do, follows them."""
    for one in others:
        waits = await connection.fetchrow(
            "select value from outbox where event_id = $1 and published_at is null for update", one.event_id
        )
        if waits:
            value = with_seq(one, seq_of(waits["value"])).value
            await connection.execute("update outbox set value = $2 where event_id = $1", one.event_id, value)


async def _mark_known(connection: Connection, known: Sequence[tuple[UUID, TopicRecord]]) -> None:
    await connection.execute(
        """
        update outbox o set published_at = coalesce(o.published_at, clock_timestamp()),
            at_partition = m.partition, at_offset = m.at
        from unnest($1::uuid[], $2::integer[], $3::bigint[]) as m(event_id, partition, at)
        where o.event_id = m.event_id
        """,
        [id_ for id_, _ in known],
        [record.partition for _, record in known],
        [record.offset for _, record in known],
    )


async def _hold(connection: Connection, topic: str, count: int, remarks: Sequence[str]) -> None:
    """Have nothing sent until an operator has said so."""
    await connection.execute(
        """
        insert into recovery as r (taken_over, remarks) values (jsonb_build_object($1::text, $2::bigint), $3)
        on conflict ((released_at is null)) where released_at is null do update set
            taken_over = r.taken_over
                || jsonb_build_object($1::text, coalesce((r.taken_over ->> $1::text)::bigint, 0) + $2::bigint),
            remarks = array(select distinct unnest(r.remarks || excluded.remarks))
        """,
        topic,
        count,
        list(remarks),
    )


LONGEST_REMARK = 200
"""Characters."""


async def by_itself(connection: Connection, what: str, effect: Awaitable[None]) -> list[str]:
    """Have an effect, or leave it out alone where it can't be had, with a remark that says so. Raises what passes."""
    try:
        async with connection.transaction():
            await effect
    except Exception as error:
        if is_transient(error):
            raise
        log.error("an event could not be taken over", action="not_taken_over", what=what, error=repr(error))
        return [f"{what}: {error}"[:LONGEST_REMARK]]
    return []
