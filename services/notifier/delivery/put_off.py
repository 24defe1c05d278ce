"""Put off: what may not be told yet waits for its opening, with all that waits for the same one in one group.

It is asked where rows are written and where they are claimed. A digest's run is written with the first row that waits
for it, so none is ever empty, and each is there before anything of it is sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifier.channels import FOR_PEOPLE
from services.notifier.delivery.claims import recipients_of
from services.notifier.delivery.columns import columns
from services.notifier.delivery.deliveries import Deferral, DeliveryResult
from services.notifier.delivery.groups import place_together
from services.notifier.delivery.identity import group_id, thread_apart
from services.notifier.delivery.openings import Openings
from services.notifier.delivery.trial import TRIAL, still_open
from services.notifier.delivery.turns import is_behind
from services.notifier.events.published_event import PublishedEvent
from services.notifier.events.traits import EventTraits
from services.notifier.grouping.gathering import Gathered
from services.plumbing.database import Connection
from services.plumbing.failpoints import failpoint
from services.plumbing.ids import id_about

# What would be stale after a while has that while from the first allowed instant on. A trial holds for no reader's
# sake: what would be stale when it ends is, and the time that it took does not count.
_SHIFT = """
update delivery d set thread = coalesce(p.thread, d.thread),
    not_after = case when e.not_after > d.created_at
        then e.not_after + (p.at - case when d.rule = $4 then $5 else d.created_at end) else d.not_after end
from unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) as p(id, at, thread), event e
where d.id = p.id and e.id = d.event_id
"""
_BEHIND = f"""
select d.id, {is_behind("d.thread", "d.position")} as behind from delivery d where d.id = any($1::uuid[])
"""
_RUNS = """
insert into digest_run (subscription_id, run_at, opened_at)
select distinct r.subscription_id, r.run_at, $3::timestamptz
from unnest($1::uuid[], $2::timestamptz[]) as r(subscription_id, run_at)
order by 1, 2 on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that is put off; `language` is None for a system, which gets each event by itself."""

    id: UUID
    position: int
    subscription: UUID
    commitment: str
    destination: bytes | None
    language: str | None
    event: EventTraits | None
    """None for one of an older contract, of which it can't be told what it is about."""
    deferral: Deferral


async def put_off_new(
    connection: Connection,
    rows: Sequence[Any],
    events: Mapping[UUID, EventTraits],
    openings: Openings,
    now: datetime,
) -> frozenset[UUID]:
    """Put off those of the rows that were just written that may not be told yet; their ids.

    Where none is of a subscription with a timing, nothing is silenced and no trial is on, this asks the database
    nothing.
    """
    asked = rows if openings.may_hold_anybody else [row for row in rows if row["is_timed"]]
    if not asked:
        return frozenset()
    recipients = await recipients_of(connection, {row["subscription_id"] for row in asked}, openings.secrets)
    put_off = []
    for row in asked:
        to, event = recipients[row["subscription_id"]], events[row["event_id"]]
        deferral = openings.deferral(to, event, now, row["created_at"])
        if deferral:
            language = to.language if to.channel in FOR_PEOPLE else None
            put_off.append(
                _Row(
                    row["id"],
                    row["position"],
                    to.id,
                    row["commitment_id"],
                    row["destination"],
                    language,
                    event,
                    deferral,
                )
            )
    await _put_off(connection, put_off, now)
    return frozenset(row.id for row in put_off)


async def put_off_claimed(
    connection: Connection,
    results: Iterable[DeliveryResult],
    events: Mapping[UUID, PublishedEvent],
    now: datetime,
) -> None:
    """Put off what was claimed and may not be told yet, in the transaction that gives it back."""
    put_off = []
    for result in results:
        delivery, to = result.delivery, result.delivery.recipient
        if result.deferral is None or (event := events.get(delivery.event_id)) is None:
            continue
        language = to.language if to.channel in FOR_PEOPLE else None
        put_off.append(
            _Row(
                delivery.id,
                delivery.position,
                to.id,
                delivery.commitment_id,
                delivery.destination or None,
                language,
                _traits(event),
                result.deferral,
            )
        )
    await _put_off(connection, put_off, now)


async def _put_off(connection: Connection, rows: Sequence[_Row], now: datetime) -> None:
    if not rows:
        return
    rows = sorted(rows, key=lambda row: row.position)
    # A trial that has ended meanwhile, or whose list is another one, holds nothing: it is asked for once more.
    trial = await still_open(connection) if any(row.deferral.trial for row in rows) else None
    if timed := [(row.id, row.deferral.opening.at, _thread(row)) for row in rows if row.deferral.trial is None]:
        await connection.execute(_SHIFT, *columns(timed), TRIAL, now)
    runs = [(row.subscription, row.deferral.opening.run) for row in rows if row.deferral.opening.run is not None]
    if runs:
        await connection.execute(_RUNS, *columns(runs), now)
        failpoint("digest-run-written")
    behind = {row["id"]: row["behind"] for row in await connection.fetch(_BEHIND, [row.id for row in rows])}
    gathered, alone = [], []
    for row in rows:
        opening = row.deferral.opening
        at = now if row.deferral.trial and row.deferral.trial != trial else opening.at
        if row.language is None or row.destination is None:
            alone.append((row.id, at, opening.rule))
            continue
        group = group_id(row.destination, row.language, id_about("opening", opening.at.isoformat()))
        gathered.append(Gathered(row.id, group, at, opening.rule, behind[row.id]))
    await place_together(connection, gathered, {str(one.group) for one in gathered}, alone)


def _traits(event: PublishedEvent) -> EventTraits | None:
    try:
        return event.traits
    except ValueError:
        return None


def _thread(row: _Row) -> UUID | None:
    if not row.deferral.apart or row.event is None:
        return None
    return thread_apart(row.subscription, row.commitment, row.event.event, sorted(row.event.parties))
