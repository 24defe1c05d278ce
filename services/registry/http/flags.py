"""The open flags, as the HTTP interface shows them."""

from contracts.vocabulary import LARGEST
from services.plumbing.database import Connection
from services.registry.http.forms import Flag, FlagList
from services.registry.http.paging import BadCursor, read_cursor, write_cursor
from services.registry.rules.consistency import Rule


async def flag_list(
    connection: Connection, rule: Rule | None, commitment_id: str | None, limit: int, cursor: str | None
) -> FlagList:
    """One page of what does not agree now; raises `BadCursor` for a cursor that can't be one of ours."""
    rows = await connection.fetch(
        """
        select id, rule, commitment_id, milestone_id, anchor_id, since, flagged_at, event_id from consistency_flag
        where cleared_at is null and id > $1
          and ($2::text is null or rule = $2) and ($3::text is null or commitment_id = $3)
        order by id limit $4
        """,
        0 if cursor is None else _number(cursor),
        rule,
        commitment_id,
        limit + 1,
    )
    items = tuple(Flag(**{name: row[name] for name in Flag.model_fields}) for row in rows[:limit])
    return FlagList(items=items, next_cursor=write_cursor(str(rows[limit - 1]["id"])) if len(rows) > limit else None)


def _number(cursor: str) -> int:
    """The number of the last flag of the page before; one that has been cleared since is no less a place."""
    named = read_cursor(cursor)
    if not named.isdecimal() or not 0 < int(named) <= LARGEST:
        raise BadCursor("Use the `next_cursor` of an answer as it is, or none")
    return int(named)
