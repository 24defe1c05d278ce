"""What the notifier published once and has forgotten since, after an old backup: what had ended stays ended.

Subscriptions are on no topic, since addresses are secrets: those made, changed, paused or ended since the backup are
lost, but for what `ladder-chosen` tells. The operator is told, before anything is sent.
"""

from collections.abc import Collection, Sequence
from typing import Any, get_args
from uuid import UUID

from contracts.envelope import event_id_in, from_record
from contracts.events import DeliverySettled, LadderChosen, SettledDelivery
from contracts.topics import DELIVERY_SETTLED, LADDER_CHOSEN, Topic, audit_head_topic
from contracts.vocabulary import Outcome
from services.notifier.delivery.turns import WRITE_IN_TURN
from services.notifier.subscriptions.own_ladder import ladder_chosen_by
from services.plumbing.audit.forks import note_fork
from services.plumbing.audit.verifying import read_head
from services.plumbing.database import Connection
from services.plumbing.outbox import Outgoing
from services.plumbing.recovery.taking_over import Effects, by_itself

_AUDIT_HEAD = audit_head_topic("notifier")
TOPICS: tuple[Topic, ...] = (_AUDIT_HEAD, LADDER_CHOSEN, DELIVERY_SETTLED)
"""What the notifier writes."""

_END = """
update delivery d set state = b.state, attempts = greatest(d.attempts, b.attempts), reason = b.reason,
                      settled_at = b.settled_at, behind = false, lease = null, lease_until = null, message = b.message
from settled_before b
where b.event_id = any($1::uuid[]) and d.event_id = b.event_id and d.subscription_id = b.subscription_id
      and (d.state in ('pending', 'sending') or $2)
returning d.id
"""


async def end_settled_before(connection: Connection, event_ids: Collection[UUID], *, fresh: bool = False) -> set[UUID]:
    """End the deliveries of these events that had ended before an old backup was restored; their ids.

    They were told by `delivery-settled` then, and are not told again. `fresh`: they were written just now, so that
    nobody has been told of the end of any of them since.
    """
    return {row["id"] for row in await connection.fetch(_END, list(event_ids), fresh)}


async def count_unsettled(connection: Connection) -> int:
    """How many deliveries wait while nothing may be sent."""
    return int(await connection.fetchval("select count(*) from delivery where state in ('pending', 'sending')"))


class MissedNotifierEvents:
    """Takes over the notifier's events."""

    def event_id(self, headers: Sequence[tuple[str, bytes | None]]) -> UUID:
        """The id in a record's headers; raises ValueError."""
        return event_id_in(headers)

    async def take_over(
        self, connection: Connection, topic: str, missed: Sequence[Outgoing], waiting: Sequence[Outgoing]
    ) -> Effects:
        """Deliveries that had ended end, also those whose event this database has not heard of yet."""
        if topic == _AUDIT_HEAD.name:
            heads = [read_head(one.value) for one in missed]
            return Effects(waiting, await note_fork(connection, "notifier", heads))
        effects = Effects(waiting)
        if topic == DELIVERY_SETTLED.name:
            # Or a fan-out beside this could write a delivery whose end it can't see yet, and that is not seen here.
            await connection.execute(WRITE_IN_TURN, sorted({one.key for one in missed}))
        have_effect = _settled if topic == DELIVERY_SETTLED.name else _ladder_chosen
        later = {one.key for one in waiting}
        for one in missed:
            if topic == LADDER_CHOSEN.name and one.key in later:
                continue  # it has chosen otherwise meanwhile
            what = f"{topic} {one.event_id} about {one.key}"
            effects.remarks += await by_itself(connection, what, have_effect(connection, one))
        return effects


def _read(kind: Any, one: Outgoing) -> Any:
    headers = [(name, text.encode()) for name, text in one.headers.items()]
    return from_record(kind, one.key.encode(), headers, one.value)[1]


async def _settled(connection: Connection, one: Outgoing) -> None:
    event: DeliverySettled = _read(DeliverySettled, one)
    await connection.executemany(
        "insert into settled_before (event_id, subscription_id, state, reason, attempts, settled_at, message)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        [
            (event.event_id, each.subscription_id, *_end(each), each.attempts, each.settled_at, each.message)
            for each in event.deliveries
        ],
    )
    await end_settled_before(connection, [event.event_id])


def _end(settled: SettledDelivery) -> tuple[str, str | None]:
    """State and reason of an end; one that a later release knows is an end, too, and nothing is sent again."""
    if settled.outcome in get_args(Outcome):
        return settled.outcome, settled.reason
    return "suppressed", settled.reason or settled.outcome


async def _ladder_chosen(connection: Connection, one: Outgoing) -> None:
    """The subscription's ladder as it was chosen.

    That it has none any more may also mean that it was ended: it is paused, with a reason, until somebody says more.
    """
    event: LadderChosen = _read(LadderChosen, one)
    row = await connection.fetchrow("select * from subscription where id = $1 for update", event.subscription_id)
    if row is None:
        raise ValueError("the subscription is not in this database: it was made after the backup")
    if event.active:
        ladder = {
            "rungs": [rung.model_dump(mode="json") for rung in event.rungs],
            "holidays": event.holidays.model_dump(mode="json") if event.holidays else None,
        }
        await connection.execute("update subscription set ladder = $2 where id = $1", event.subscription_id, ladder)
    elif ladder_chosen_by(dict(row)).active:
        await connection.execute(
            "update subscription set state = 'paused', reason = 'recovery' where id = $1", event.subscription_id
        )
