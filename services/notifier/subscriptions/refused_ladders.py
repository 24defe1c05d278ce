"""Ladders that the scheduler has put aside: their subscriptions say so, and get the usual reminders meanwhile.

What the scheduler could not read or plan lies in the dead-letter topic with the reason. Without this, nobody but an
operator would know, and the subscriber would be reminded of nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts.topics import LADDER_CHOSEN
from services.i18n.text import plain, shorten
from services.plumbing.database import Database
from services.plumbing.logs import log

GROUP = "notifier-refused-ladders"
TOPICS = (LADDER_CHOSEN.dead,)
_LONGEST_REASON = 300

# The newest choice counts: of an older one that was put aside nothing is left to say.
_REFUSE = """
update subscription s set ladder_refused = r.reason
from unnest($1::uuid[], $2::bigint[], $3::text[]) as r(id, seq, reason)
where s.id = r.id and s.ladder is not null
  and (r.seq is null or r.seq >= (select q.last from outbox_seq q where q.topic = $4 and q.key = s.id::text))
returning s.id, s.ladder_refused
"""


@dataclass(frozen=True)
class RefusedLadder:
    """A choice that was put aside; without an id where it is nobody's."""

    subscription_id: UUID | None
    seq: int | None
    """Which choice of the subscription it was, where that can be read."""
    reason: str


def read(record: ConsumerRecord[bytes, bytes]) -> RefusedLadder:
    """What was put aside, as far as it can be read; never raises, or the dead letter would be put aside again."""
    reason = next((text for name, text in record.headers if name == "dead_reason"), b"")
    return RefusedLadder(
        _subscription_id(record.key),
        _seq(record.value),
        shorten(plain((reason or b"").decode("utf-8", "replace")), _LONGEST_REASON),
    )


def _subscription_id(key: bytes | None) -> UUID | None:
    try:
        return UUID((key or b"").decode())
    except ValueError:
        return None


def _seq(value: bytes | None) -> int | None:
    try:
        seq = json.loads(value or b"null")["seq"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return seq if type(seq) is int and 0 < seq < 2**63 else None


class RefusedLadders:
    """Writes down at each subscription why its ladder is not planned."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, batch: Sequence[RefusedLadder]) -> None:
        """All or nothing; a repeat changes nothing."""
        refused = {one.subscription_id: one for one in batch if one.subscription_id is not None}
        if not refused:
            return
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                _REFUSE,
                list(refused),
                [one.seq for one in refused.values()],
                [one.reason for one in refused.values()],
                LADDER_CHOSEN.name,
            )
        for row in rows:
            log.warning(
                "a ladder is not planned, and its subscription gets the usual reminders",
                action="ladder_refused",
                subscription_id=str(row["id"]),
                reason=row["ladder_refused"],
            )
