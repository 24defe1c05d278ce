"""Which ladders subscriptions have, for the scheduler: `ladder-chosen`, in the transaction that changes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.envelope import Envelope, to_record
from contracts.majors import said_later
from contracts.topics import LADDER_CHOSEN
from services.notifier.subscriptions.own_ladder import is_for_scheduler, ladder_chosen_by
from services.plumbing.database import Connection, Database
from services.plumbing.ids import new_id
from services.plumbing.outbox import Outgoing, append, take_seqs
from services.plumbing.tracing import current_traceparent

COLUMNS = "id, owner, state, zone, ladder, parties, themes, sections, commitments"
"""What of a subscription the scheduler has to know."""

RowChange = tuple[Mapping[str, Any] | None, Mapping[str, Any]]
"""A subscription's row before, if there was one, and after."""


async def publish_ladder_changes(
    database: Database, connection: Connection, changes: Sequence[RowChange], now: datetime
) -> None:
    """Write the events about what has changed into the outbox; a change that the scheduler need not know writes none.

    The caller holds the locks of the rows, so for one subscription the order of `seq` is that of its changes.
    """
    changed = [after for before, after in changes if is_for_scheduler(before, after)]
    if not changed:
        return
    seqs = await take_seqs(connection, LADDER_CHOSEN.name, [str(row["id"]) for row in changed])
    records = []
    for row, seq in zip(changed, seqs, strict=True):
        id_ = new_id()
        record = to_record(
            ladder_chosen_by(row, seq), Envelope(id_, now, str(row["id"]), traceparent=current_traceparent())
        )
        records.append(Outgoing(id_, record.topic, record.key, record.headers, record.value))
    await append(database, connection, records, now, said_later)
