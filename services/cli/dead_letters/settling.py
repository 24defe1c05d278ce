"""What operators said of letters: it stands in the registry's audit log, and nowhere else."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from services.cli.database_question import in_schema
from services.cli.dead_letters.letters import Letter, LetterId, Settlement, What

if TYPE_CHECKING:
    from services.plumbing.audit.entries import Actor

SUBJECT = "dead-letter/"
_AT_ONCE = 500
"""Entries of one transaction."""
# Whatever begins with the subject; the character behind a slash is a zero.
_SAID = """
select action, subject, client, at, after from registry.audit_entry where subject >= $1 and subject < $2
union all
select action, subject, client, at, after from registry.audit_pending where subject >= $1 and subject < $2
"""


async def settled_letters(connection: Any) -> dict[tuple[LetterId, datetime], Settlement]:
    """What was said of each letter, by where it lay and when it was put aside.

    A topic that was deleted and made again counts its offsets anew; by the time its letters are other ones.
    """
    found = {}
    for row in await connection.fetch(_SAID, SUBJECT, f"{SUBJECT[:-1]}0"):
        after = json.loads(row["after"])
        place = LetterId.of(row["subject"].removeprefix(SUBJECT))
        put_aside_at = datetime.fromtimestamp(after["put_aside_ms"] / 1000, UTC)
        what: What = "replayed" if row["action"] == "dead-letter.replayed" else "dropped"
        found[place, put_aside_at] = Settlement(
            what, row["client"].removeprefix("command-line/"), row["at"], after["reason"]
        )
    return found


async def settle(connection: Any, letters: Sequence[Letter], what: What, reason: str, by: "Actor") -> None:
    """Write down that these were replayed or dropped, why and by whom; one entry for each."""
    from services.plumbing.audit.entries import AuditEntry
    from services.plumbing.audit.log import audit
    from services.plumbing.clock import MACHINE_CLOCK

    for first in range(0, len(letters), _AT_ONCE):
        entries = [
            AuditEntry(
                f"dead-letter.{what}",
                f"{SUBJECT}{one.id}",
                by,
                MACHINE_CLOCK.now(),
                after={
                    "reason": reason,
                    "group": one.group,
                    "error": one.error,
                    "put_aside_ms": round(one.put_aside_at.timestamp() * 1000),
                },
            )
            for one in letters[first : first + _AT_ONCE]
        ]
        async with in_schema(connection, "registry"):
            await audit(connection, *entries)
