"""What becomes of claimed reminders: fired, merged into another, withdrawn or put aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.plumbing.database import Connection
from services.scheduler.ladders.due_reminder import DueReminder
from services.scheduler.ladders.ladder import Step
from services.scheduler.reminders.claims import ClaimedReminder


@dataclass(frozen=True)
class FiredReminder:
    """A claimed reminder with what its event says, and that event's id."""

    claimed: ClaimedReminder
    reminder: DueReminder
    event_id: UUID


async def record_fired(connection: Connection, told: Sequence[FiredReminder], now: datetime) -> None:
    """Say of the claimed reminders which event told them, or the one that they were merged into; plan what follows.

    What was fired before never fires again: raises RuntimeError.
    """
    fired = [(t, t.reminder.step, t.reminder.due_at, "fired") for t in told]
    merged = [(t, step, due_at, "merged") for t in told for step, due_at in t.reminder.merged.items()]
    changes = [
        (t.claimed.ids[step.name], state, t.event_id)
        for t, step, _, state in [*fired, *merged]
        if step.name in t.claimed.ids
    ]
    if changes:
        await connection.execute(
            "update reminder r set state = n.state, event_id = n.event_id, fired_at = $4"
            " from unnest($1::bigint[], $2::text[], $3::uuid[]) as n(id, state, event_id) where r.id = n.id",
            [id_ for id_, *_ in changes],
            [state for _, state, _ in changes],
            [event_id for *_, event_id in changes],
            now,
        )
    # Endless rungs that nobody had planned yet; one may have been withdrawn before the commitment was taken up again.
    caught_up = [mark for mark in [*fired, *merged] if mark[1].name not in mark[0].claimed.ids]
    if caught_up and (missing := len(caught_up) - await _record_caught_up(connection, caught_up, now)):
        raise RuntimeError(f"{missing} of {len(caught_up)} steps had been fired before")
    follow_ups = [(t, t.reminder.follow_up) for t in told if t.reminder.follow_up]
    if follow_ups:
        await connection.execute(
            """
            insert into reminder as r (milestone_id, schedule_version, step, due_at, state, audience)
            select m, v, p, d, 'pending', a
            from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::uuid[]) as n(m, v, p, d, a)
            on conflict (milestone_id, schedule_version, step, audience)
            do update set state = 'pending', due_at = excluded.due_at where r.state = 'withdrawn'
            """,
            [t.claimed.plan.milestone_id for t, _ in follow_ups],
            [t.claimed.schedule_version for t, _ in follow_ups],
            [planned.step.name for _, planned in follow_ups],
            [planned.due_at for _, planned in follow_ups],
            [t.claimed.audience for t, _ in follow_ups],
        )


async def _record_caught_up(
    connection: Connection, marks: Sequence[tuple[FiredReminder, Step, datetime, str]], now: datetime
) -> int:
    rows = await connection.fetch(
        """
        insert into reminder as r (milestone_id, schedule_version, step, due_at, state, fired_at, event_id, audience)
        select m, v, p, d, s, $8, e, a
        from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::uuid[], $7::uuid[])
             as n(m, v, p, d, s, e, a)
        on conflict (milestone_id, schedule_version, step, audience)
        do update set state = excluded.state, fired_at = excluded.fired_at, event_id = excluded.event_id
        where r.state in ('pending', 'withdrawn')
        returning id
        """,
        [t.claimed.plan.milestone_id for t, *_ in marks],
        [t.claimed.schedule_version for t, *_ in marks],
        [step.name for _, step, _, _ in marks],
        [due_at for _, _, due_at, _ in marks],
        [state for *_, state in marks],
        [t.event_id for t, *_ in marks],
        [t.claimed.audience for t, *_ in marks],
        now,
    )
    return len(rows)


async def withdraw(connection: Connection, given_up: Sequence[ClaimedReminder]) -> None:
    """Let what was claimed by ladders that their readers no longer have, and what was to follow, stay unsent."""
    if not given_up:
        return
    await connection.execute(
        """
        update reminder r set state = 'withdrawn'
        where r.id = any($1::bigint[])
           or (r.state = 'pending' and (r.milestone_id, r.audience) in (select * from unnest($2::text[], $3::uuid[])))
        """,
        [id_ for due in given_up for id_ in due.ids.values()],
        [due.plan.milestone_id for due in given_up],
        [due.audience for due in given_up],
    )


async def mark_failed(connection: Connection, milestone_id: str, reason: str, now: datetime) -> int:
    """Put aside what is due of a milestone and can't be fired; how many steps those are."""
    await connection.execute("select from milestone_plan where milestone_id = $1 for update", milestone_id)
    rows = await connection.fetch(
        "update reminder set state = 'failed', reason = $2, fired_at = $3"
        " where milestone_id = $1 and state = 'pending' and due_at <= $3 returning id",
        milestone_id,
        reason,
        now,
    )
    return len(rows)


async def retry_failed(connection: Connection) -> int:
    """Let what was put aside be tried again, unless its milestone has been moved or settled; how many steps."""
    rows = await connection.fetch(
        """
        with plan as (
            select milestone_id, schedule_version from milestone_plan p
            where not settled and exists (
                select from reminder r where r.state = 'failed' and r.milestone_id = p.milestone_id
            )
            order by milestone_id for update
        )
        update reminder r set state = 'pending', reason = null, fired_at = null
        from plan where r.state = 'failed'
          and (r.milestone_id, r.schedule_version) = (plan.milestone_id, plan.schedule_version)
        returning r.id
        """
    )
    return len(rows)
