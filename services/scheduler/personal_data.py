"""What the scheduler holds of one person, by name: that they are on an overdue milestone. Given out, or erased."""

import json
from datetime import datetime
from typing import Any

from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.database import Database

ERASED = "erased"
"""What stands in the place of a name."""


class AcknowledgedNames:
    """What is held of who has a name, as they gave it when they said that they are on it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held(self, name: str) -> dict[str, Any]:
        """Everything that is held of a name."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select milestone_id, what, at, name, note, client from escalation_log where name = $1 order by id",
                name,
            )
        return {"acknowledgements": [dict(row) for row in rows]}

    async def erase(self, name: str, now: datetime, by: Actor) -> dict[str, int]:
        """Put `ERASED` in the place of a name, and nothing in that of its notes; who is on it is not said any more."""
        async with self._database.transaction() as connection:
            milestones = await connection.fetch(
                "select distinct milestone_id from escalation_log where name = $1 order by 1", name
            )
            await connection.execute(
                "select from milestone_plan where milestone_id = any($1) order by milestone_id for update",
                [row["milestone_id"] for row in milestones],
            )
            done = await connection.execute(
                "update escalation_log set name = $2, note = null,"
                " answer = replace(answer::text, $3, $4)::jsonb where name = $1",
                name,
                ERASED,
                json.dumps(name, ensure_ascii=False),
                json.dumps(ERASED),
            )
            await connection.execute(
                "update escalation"
                " set acknowledged = acknowledged || jsonb_build_object('name', $2::text, 'note', null)"
                " where acknowledged ->> 'name' = $1",
                name,
                ERASED,
            )
            await audit(
                connection,
                *(
                    AuditEntry("acknowledgement.erased", f"milestone/{row['milestone_id']}", by, now)
                    for row in milestones
                ),
            )
        return {"acknowledgements": int(done.split()[-1])}
