"""What a batch of the intake means for feeds."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from contracts.causes import HISTORY
from services.plumbing.database import Connection
from services.scheduler.feeds.calendar_store import update_entries
from services.scheduler.feeds.event_store import write_events
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.rules.agenda import Agenda


async def write_feed_changes(
    connection: Connection,
    batch: Sequence[ReceivedCommitmentEvent],
    before: Mapping[str, Agenda],
    after: Mapping[str, Agenda],
    now: datetime,
) -> None:
    """Write what a batch of the intake means for calendars and feeds of events, in its transaction.

    An event that came before is in both already, and changes nothing. History has its days in the calendars, and is no
    news for a feed of events.
    """
    await write_events(connection, [one for one in batch if one.event.cause.kind != HISTORY], now)
    await update_entries(connection, batch, before, after, now)
