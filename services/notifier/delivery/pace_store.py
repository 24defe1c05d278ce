"""The pace of each destination in PostgreSQL, which all notifiers share.

A receiver counts real seconds, so these are real, by the database's clock, as leases are. Under a clock that is set, a
destination is free as soon as either time has come: such a clock plays years in seconds, and its receivers with it. A
row is changed under its lock, and rows are locked in the order of their destinations.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from services.notifier.channels.outcomes import Deferred
from services.notifier.delivery.columns import columns
from services.notifier.delivery.deliveries import DeliveryResult
from services.notifier.delivery.pacing import (
    LONGEST_WAIT,
    Pace,
    guessed,
    limited,
    when_taken,
    when_told_to_wait,
    with_limit,
)
from services.plumbing.database import Connection

_READ = """
select destination, fastest, seconds, good, taken, patience, strikes, deferrals, round,
       extract(epoch from really_free_at - clock_timestamp())::float8 as free_in
from destination_pace where destination = any($1::bytea[]) order by destination for no key update
"""

_WRITE = """
insert into destination_pace as p (destination, fastest, seconds, good, taken, patience, strikes, deferrals, round,
                                   really_free_at, free_at)
select destination, fastest, seconds, good, taken, patience, strikes, deferrals, round,
       clock_timestamp() + make_interval(secs => coalesce(free_in, 0)),
       $12::timestamptz + make_interval(secs => coalesce(free_in, 0))
from unnest($1::bytea[], $2::float8[], $3::float8[], $4::float8[], $5::integer[], $6::integer[], $7::integer[],
            $8::integer[], $9::bigint[], $10::float8[])
    as r(destination, fastest, seconds, good, taken, patience, strikes, deferrals, round, free_in)
on conflict (destination) do update set
    fastest = excluded.fastest, seconds = excluded.seconds, good = excluded.good, taken = excluded.taken,
    patience = excluded.patience, strikes = excluded.strikes, deferrals = excluded.deferrals, round = excluded.round,
    really_free_at = case when p.destination = any($11::bytea[]) then p.really_free_at else excluded.really_free_at end,
    free_at = case when p.destination = any($11::bytea[]) then p.free_at else excluded.free_at end
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one batch of results says about one destination.

    `told`: the longest wait that was asked for, by an answer to what was started in `round`, and None where none was;
    -1 stands for one of no length. `late`: the same of answers to what had started before it was last told to wait.
    `taken` counts other answers; `probed`: the probe has come back, whatever came of it.
    """

    told: float | None = None
    late: float | None = None
    taken: int = 0
    probed: bool = False


def heard(results: Iterable[DeliveryResult], rounds: Mapping[bytes, int]) -> dict[bytes, Heard]:
    """What results say about each destination that they concern; `rounds` has those that have a pace already."""
    by_destination: defaultdict[bytes, list[DeliveryResult]] = defaultdict(list)
    for result in results:
        by_destination[result.delivery.destination].append(result)
    return {
        destination: _heard(found, rounds.get(destination)) for destination, found in sorted(by_destination.items())
    }


def _heard(results: Sequence[DeliveryResult], current: int | None) -> Heard:
    told: list[float] = []
    late: list[float] = []
    taken, probed = 0, False
    for result in results:
        slot, attempt = result.delivery.slot, result.attempt
        is_current = current is None or (slot is not None and slot.round == current)
        probed = probed or (is_current and slot is not None and slot.is_probe)
        match attempt.outcome if attempt else None:
            case Deferred(seconds=asked):
                (told if is_current else late).append(-1.0 if asked is None else asked)
            case None:
                pass
            case _:
                taken += is_current and slot is not None
    return Heard(max(told, default=None), max(late, default=None), taken, probed)


def after(pace: Pace | None, free_in: float, news: Heard) -> tuple[Pace, float | None] | None:
    """The pace after what was heard, and in how many seconds something may start if that changes; None for no change.

    `free_in` is in how many seconds it could have started so far. Pure.
    """
    if news.told is not None:
        asked = None if news.told < 0 else news.told
        return when_told_to_wait(pace or guessed(asked), asked)
    if pace is None:
        return None
    changed = when_taken(pace, news.taken) if news.taken else pace
    if news.late is not None and min(news.late, LONGEST_WAIT) > free_in:
        return changed, min(news.late, LONGEST_WAIT)
    if news.probed:
        return changed, changed.seconds if news.taken else 0.0
    return (changed, None) if news.taken else None


async def record_pace(connection: Connection, results: Sequence[DeliveryResult], now: datetime) -> None:
    """Learn from results how fast their destinations may be sent to, in the caller's transaction."""
    concerned = [result for result in results if _concerns_pace(result)]
    if not concerned:
        return
    rows = await connection.fetch(_READ, sorted({result.delivery.destination for result in concerned}))
    paces = {row["destination"]: Pace(*list(row.values())[1:-1]) for row in rows}
    free_in = {row["destination"]: row["free_in"] for row in rows}
    news = heard(concerned, {destination: pace.round for destination, pace in paces.items()})
    changes = {
        destination: change
        for destination, one in news.items()
        if (change := after(paces.get(destination), free_in.get(destination, 0.0), one)) is not None
    }
    await _write(connection, changes, now)


async def introduce(connection: Connection, limits: Mapping[bytes, float | None], now: datetime) -> None:
    """Give destinations the limits of their platforms, in messages a second; one that has no pace yet gets one."""
    rows = await connection.fetch(_READ, sorted(limits))
    paces = {row["destination"]: Pace(*list(row.values())[1:-1]) for row in rows}
    changes: dict[bytes, tuple[Pace, float | None]] = {}
    for destination, limit in sorted(limits.items()):
        if (pace := paces.get(destination)) is not None:
            changes[destination] = with_limit(pace, limit), None
        elif limit is not None:
            changes[destination] = limited(limit), 0.0
    await _write(connection, changes, now)


async def _write(connection: Connection, changes: Mapping[bytes, tuple[Pace, float | None]], now: datetime) -> None:
    if not changes:
        return
    rows = [(destination, *astuple(pace), free_in) for destination, (pace, free_in) in sorted(changes.items())]
    unmoved = [destination for destination, (_, free_in) in changes.items() if free_in is None]
    await connection.execute(_WRITE, *columns(rows), unmoved, now)


def _concerns_pace(result: DeliveryResult) -> bool:
    if result.attempt is not None and isinstance(result.attempt.outcome, Deferred):
        return not result.attempt.outcome.everybody and bool(result.delivery.destination)
    return result.delivery.slot is not None
