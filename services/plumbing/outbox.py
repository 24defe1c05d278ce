"""The outbox: events are written in the transaction that they tell of, and published afterwards by the relay, in order.

`seq` is handed out under a row lock that is held to the commit, so for one (topic, key) the order of `seq`, of
`id` and of commits is the same.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from prometheus_client import Gauge
from pydantic_core import from_json, to_json

from services.plumbing.database import Connection, Database
from services.plumbing.refusals import RefusedByRule
from services.plumbing.sentences import Sentence
from services.plumbing.waiting import OldestWaiting

OUTBOX_V1 = """
create table outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null unique,
    topic text not null,
    key text not null,
    headers jsonb not null,
    value bytea not null,
    created_at timestamptz not null,
    written_at timestamptz not null default clock_timestamp(),
    published_at timestamptz
);
create index outbox_unpublished on outbox (id) where published_at is null;
create table outbox_seq (
    topic text not null,
    key text not null,
    last bigint not null,
    primary key (topic, key)
) with (fillfactor = 70);
create table outbox_lease (
    one boolean primary key default true check (one),
    holder uuid,
    until timestamptz not null default '-infinity'
);
insert into outbox_lease default values;
"""
"""First version of the outbox's tables; a service's first migration runs it in its own schema.

`created_at` is business time; `written_at` and `published_at` are the database's clock, to measure by.
"""

UNPUBLISHED = Gauge(
    "pledgewire_outbox_unpublished",
    "Records written and not yet published, as the table has them, at most 10,000; NaN while it is not known",
)
_OLDEST_UNPUBLISHED = """
with oldest as (select id, written_at from outbox where published_at is null order by id limit 1)
select (select id from oldest) as oldest,
       (select extract(epoch from clock_timestamp() - written_at) from oldest) as seconds,
       (select count(*) from (select from outbox where published_at is null limit 10000) as counted) as n
"""


LARGEST_RECORD = 1_000_000
"""Bytes of a record's key, headers and value; Kafka's limit for a batch of one is 1,048,588."""
EVENT_TOO_LARGE = Sentence("What would be told of this has more than %(largest)s bytes", largest=LARGEST_RECORD)

TopicPartition = tuple[str, int]


class EventTooLarge(RefusedByRule):
    """No topic would take the event: written all the same, it would hold back what comes behind it."""

    def __init__(self) -> None:
        super().__init__(EVENT_TOO_LARGE)


@dataclass(frozen=True)
class Outgoing:
    """A record to be published; `created_at` is business time."""

    event_id: UUID
    topic: str
    key: str
    headers: dict[str, str]
    value: bytes


SaidBeside = Callable[[str, Mapping[str, str], bytes], Iterable[tuple[UUID, str, str, dict[str, str], bytes]]]
"""What is said beside a record (its topic, headers and value) on other topics: event id, topic, key, headers, value."""


def with_seq(record: Outgoing, seq: int) -> Outgoing:
    """The same event with another `seq`."""
    return replace(record, value=to_json({**from_json(record.value), "seq": seq}))


def beside(records: Iterable[Outgoing], said_beside: SaidBeside) -> list[Outgoing]:
    """What is said beside these records, in their order."""
    return [Outgoing(*one) for record in records for one in said_beside(record.topic, record.headers, record.value)]


async def take_seqs(connection: Connection, topic: str, keys: Sequence[str]) -> list[int]:
    """Hand out the next `seq` of each key, in the order given; a key may stand several times.

    Locks the keys' rows until the transaction ends; they are taken in sorted order, so two batches can't deadlock.
    """
    wanted = Counter(keys)
    names = sorted(wanted)
    rows = await connection.fetch(
        """
        insert into outbox_seq as s (topic, key, last)
        select $1, k, n from unnest($2::text[], $3::bigint[]) as w(k, n) order by k
        on conflict (topic, key) do update set last = s.last + excluded.last
        returning key, last
        """,
        topic,
        names,
        [wanted[name] for name in names],
    )
    following = {row["key"]: row["last"] - wanted[row["key"]] for row in rows}
    seqs = []
    for key in keys:
        following[key] += 1
        seqs.append(following[key])
    return seqs


async def written_before(connection: Connection, event_ids: Collection[UUID]) -> set[UUID]:
    """Which of these events stand in the outbox already: said before, or taken over from a topic.

    Asked before `take_seqs` by whoever derives ids from what events are about, so that nothing is said twice.
    """
    rows = await connection.fetch("select event_id from outbox where event_id = any($1::uuid[])", list(event_ids))
    return {row["event_id"] for row in rows}


async def append(
    database: Database,
    connection: Connection,
    records: Iterable[Outgoing],
    now: object,
    said_beside: SaidBeside | None = None,
) -> None:
    """Write records to the outbox, to be published after the commit in the order given; raises `EventTooLarge`.

    `said_beside` says what else is to be said of each on other topics: it is written in the same transaction, with a
    `seq` of its own there, and not a second time where it was taken over from its topic.
    """
    rows = list(records)
    if not rows:
        return
    if said_beside:
        rows += await _numbered_beside(connection, beside(rows, said_beside))
    if any(_size(row) > LARGEST_RECORD for row in rows):
        raise EventTooLarge
    # Wakes the relay in the same statement, as `Database.notify` would in one more.
    await connection.execute(
        """
        with written as (
            insert into outbox (event_id, topic, key, headers, value, created_at)
            select e, t, k, h::jsonb, v, $6
            from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[])
                 with ordinality as r(e, t, k, h, v, n) order by n
        ) select pg_notify($7, '')
        """,
        [r.event_id for r in rows],
        [r.topic for r in rows],
        [r.key for r in rows],
        [r.headers for r in rows],
        [r.value for r in rows],
        now,
        database.channel("outbox"),
    )


def _size(row: Outgoing) -> int:
    return (
        len(row.value) + len(row.key.encode()) + sum(len((name + text).encode()) for name, text in row.headers.items())
    )


async def _numbered_beside(connection: Connection, others: Sequence[Outgoing]) -> list[Outgoing]:
    said = await written_before(connection, [one.event_id for one in others]) if others else set()
    numbered = []
    for topic in sorted({one.topic for one in others}):
        of_topic = [one for one in others if one.topic == topic and one.event_id not in said]
        seqs = await take_seqs(connection, topic, [one.key for one in of_topic]) if of_topic else []
        numbered += [with_seq(one, seq) for one, seq in zip(of_topic, seqs, strict=True)]
    return numbered


def unpublished_events(database: Database) -> OldestWaiting:
    """How old the oldest event is that waits to be published, and how many do: whoever has the lease."""
    return OldestWaiting(database, "events", _OLDEST_UNPUBLISHED, count=UNPUBLISHED)
