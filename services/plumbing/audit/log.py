"""Writes to the audit log, in the transaction of the change."""

from services.plumbing.audit.entries import AuditEntry, canonical_json
from services.plumbing.database import Connection

_WRITE = """
insert into audit_pending (at, action, subject, client, ministry, key_id, before, after)
select a, n, s, c, m, k, b, f
from unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
     with ordinality as e(a, n, s, c, m, k, b, f, o) order by o
"""


class WrittenEntries:
    """How many entries this process has written, so that its chain need not look while there are none."""

    count = 0


WRITTEN = WrittenEntries()


async def audit(connection: Connection, *entries: AuditEntry) -> None:
    """Write entries in the caller's transaction, in the order given; the chain takes them up after the commit.

    They lock nothing that another transaction waits for.
    """
    if not entries:
        return
    WRITTEN.count += len(entries)
    await connection.execute(
        _WRITE,
        [e.at for e in entries],
        [e.action for e in entries],
        [e.subject for e in entries],
        [e.actor.client for e in entries],
        [e.actor.ministry for e in entries],
        [e.actor.key_id for e in entries],
        [canonical_json(e.before) if e.before is not None else None for e in entries],
        [canonical_json(e.after) if e.after is not None else None for e in entries],
    )
