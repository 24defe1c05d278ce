"""Who has lost their links and asks for them by mail, in PostgreSQL.

Whether an address is known is looked at later, by whoever sends: asking takes the same one statement for every address.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from services.notifier.subscriptions.destinations import Destinations
from services.notifier.subscriptions.sealed_columns import opened_row
from services.plumbing.database import Database
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets

BETWEEN_MAILS = timedelta(hours=24)
"""An address gets one mail in this time at most, whoever asks how often."""
MOST_ATTEMPTS = 5
_FIRST_PAUSE = timedelta(minutes=2)
_AT_ONCE = 20
_CHANNEL = "email"


class LinkRequest(NamedTuple):
    """One who asked, and the which attempt to answer this is."""

    destination: bytes
    asked_at: datetime
    attempt: int


class LinkRequests:
    """Requests for links; an address is kept only as its keyed hash."""

    def __init__(self, database: Database, destinations: Destinations, secrets: Secrets = IN_THE_CLEAR) -> None:
        self._database = database
        self._secrets = secrets
        self._destinations = destinations

    async def ask(self, address: str, now: datetime) -> None:
        """Somebody asks for the links of an address; nothing where it was asked for within `BETWEEN_MAILS`."""
        async with self._database.connection() as connection:
            await connection.execute(
                "insert into link_request (destination, asked_at, next_at) values ($1, $2, $2)"
                " on conflict (destination) do update"
                " set asked_at = $2, next_at = $2, state = 'waiting', attempts = 0 where link_request.asked_at <= $3",
                self._destinations.of(_CHANNEL, address),
                now,
                now - BETWEEN_MAILS,
            )

    async def claim(self, now: datetime) -> list[LinkRequest]:
        """Those that are to be answered now; nobody else gets them before a pause, which grows."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "update link_request set attempts = attempts + 1, next_at = $1 + $2::interval * (attempts + 1)"
                " where destination in (select destination from link_request where state = 'waiting' and next_at <= $1"
                " order by next_at limit $3 for update skip locked) returning destination, asked_at, attempts",
                now,
                _FIRST_PAUSE,
                _AT_ONCE,
            )
            return [LinkRequest(*row.values()) for row in rows]

    async def subscriptions(self, request: LinkRequest) -> Sequence[Mapping[str, Any]]:
        """The subscriptions of the address that have not ended, the oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select id, subscriber, address, language, state from subscription"
                " where destination = $1 and channel = $2 and state <> 'ended' order by id",
                request.destination,
                _CHANNEL,
            )
            return [opened_row(self._secrets, dict(row)) for row in rows]

    async def done(self, request: LinkRequest) -> None:
        """It is answered, or will not be."""
        async with self._database.connection() as connection:
            await connection.execute(
                "update link_request set state = 'done' where destination = $1 and asked_at = $2",
                request.destination,
                request.asked_at,
            )

    async def hold(self, request: LinkRequest, until: datetime) -> None:
        """It is not to be answered before: this attempt counts for none."""
        async with self._database.connection() as connection:
            await connection.execute(
                "update link_request set attempts = attempts - 1, next_at = $3"
                " where destination = $1 and asked_at = $2 and state = 'waiting'",
                request.destination,
                request.asked_at,
                until,
            )

    async def forget(self, now: datetime) -> None:
        """Drop what no longer says anything."""
        async with self._database.connection() as connection:
            await connection.execute(
                "delete from link_request where state = 'done' and asked_at <= $1", now - BETWEEN_MAILS
            )
