"""After an old backup: the heads that were published since are noted, so that nobody has to guess what they were."""

from collections.abc import Sequence

from services.plumbing.audit.chaining import newest
from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.audit.verifying import FORKED, Head, head_facts
from services.plumbing.database import Connection


async def note_fork(connection: Connection, service: str, heads: Sequence[Head]) -> list[str]:
    """Write which of these heads this log does not have, in the caller's transaction; remarks for the operator.

    What they stood for was lost with the backup. Nothing may have been linked since the database was put back.
    """
    rows = await connection.fetch(
        "select position, hash from audit_entry where position = any($1::bigint[])", [head.position for head in heads]
    )
    ours = {row["position"]: row["hash"] for row in rows}
    lost = sorted((head for head in heads if ours.get(head.position) != head.hash), key=lambda head: head.seq)
    if not lost:
        return []
    position, hash_ = await newest(connection)
    now = await connection.fetchval("select clock_timestamp()")
    entry = AuditEntry(
        FORKED,
        f"audit/{service}",
        Actor(service),
        now,
        before={"heads": len(lost), "first": head_facts(lost[0]), "last": head_facts(lost[-1])},
        after={"position": position, "hash": hash_.hex()},
    )
    await audit(connection, entry)
    until = max(head.position for head in lost)
    return [f"the audit log went on to {until} after this backup, which ends at {position}: those changes are lost"]
