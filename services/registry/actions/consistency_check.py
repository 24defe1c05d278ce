"""The daily check for what does not agree: each inconsistency is kept as a flag, and published once.

The flags are the truth. Checking again, or in two registries at once, finds the same ones; what no longer holds is
cleared, and is not published a second time if it comes back with the same rule, subject and day.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.events import ConsistencyFlagged
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.logs import log
from services.plumbing.zones import day_in, zone_named
from services.registry.actions.events import UNSAID, ActionContext, say
from services.registry.rules.consistency import (
    REGISTER_ZONE,
    CheckedCommitment,
    Inconsistency,
    due_day,
    find_inconsistencies,
)
from services.registry.store.commitments import commitment_briefs
from services.registry.store.consistency import (
    FlagKey,
    add_flags,
    anchors_to_check,
    clear_flags,
    commitments_to_check,
    known_flags,
    reopen_flags,
    take_day,
)

CLIENT = "registry"
"""Who publishes the flags."""


class ConsistencySettings(BaseSettings):
    """How long a commitment may go without activity."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_")

    no_news_months: int = Field(default=12, ge=1, le=120)
    """Months without a status update or another date after which a commitment is flagged."""


class ConsistencyCheck:
    """Checks once for each day of business time, whichever registry gets to it first."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: ConsistencySettings,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._may_send = may_send
        self._last_day: date | None = None

    async def beat(self) -> None:
        """Check if that is due, at the clockwork's own pace; not while the register may be an old backup."""
        if self._may_send():
            await self.run_if_due()

    async def run_if_due(self) -> int:
        """Check, if today's check is due and nobody has; how many flags are new. Missed days are not made up.

        Raises what the database raises.
        """
        now = self._clock.now()
        day = due_day(now)
        if self._last_day == day:
            return 0
        new = 0
        async with self._database.transaction() as connection:
            # Whoever comes second waits here for the first one's commit, and then finds the day taken.
            is_ours = await take_day(connection, day)
            if is_ours:
                new = await update_flags(self._database, connection, now, self._settings.no_news_months)
        self._last_day = day
        if is_ours:
            log.info("looked for what does not agree", action="consistency_looked", day=str(day), new=new)
        return new


async def update_flags(database: Database, connection: Connection, now: datetime, no_news_months: int) -> int:
    """Bring the flags up to date in the caller's transaction, and publish the new ones; how many are new."""
    commitments = await commitments_to_check(connection)
    anchors = await anchors_to_check(connection)
    found: dict[FlagKey, Inconsistency] = {
        (one.rule, one.subject, one.since): one
        for one in find_inconsistencies(commitments.values(), anchors, now, no_news_months)
    }
    known = await known_flags(connection)
    await clear_flags(
        connection, [flag.id for key, flag in known.items() if key not in found and not flag.is_cleared], now
    )
    await reopen_flags(connection, [flag.id for key, flag in known.items() if key in found and flag.is_cleared])
    new = [one for key, one in found.items() if key not in known]
    await add_flags(connection, new, await _publish(database, connection, new, commitments, now), now)
    return len(new)


async def flag_history(
    database: Database, connection: Connection, context: ActionContext, about: Collection[str], no_news_months: int
) -> int:
    """Note at once what does not agree in commitments that are taken in as history; how many flags are new.

    The next morning's look finds them known, and tells nobody of what had been so for years.
    """
    commitments = await commitments_to_check(connection)
    anchors = await anchors_to_check(connection)
    known = await known_flags(connection)
    found = find_inconsistencies(commitments.values(), anchors, context.now, no_news_months)
    new = [
        one
        for one in found
        if (one.rule, one.subject, one.since) not in known and (one.commitment_id is None or one.commitment_id in about)
    ]
    event_ids = await _publish(database, connection, new, commitments, context.now, is_history=True)
    await add_flags(connection, new, event_ids, context.now)
    return len(new)


async def _publish(
    database: Database,
    connection: Connection,
    new: Sequence[Inconsistency],
    commitments: Mapping[str, CheckedCommitment],
    now: datetime,
    *,
    is_history: bool = False,
) -> list[UUID | None]:
    """One event for each that concerns a commitment; their ids, None where there is no event."""
    concerned = [(one, one.commitment_id) for one in new if one.commitment_id is not None]
    keys = [commitment_id for _, commitment_id in concerned]
    briefs = await commitment_briefs(connection, set(keys))
    context = ActionContext(now, CLIENT, is_history=is_history)
    flagged_on = day_in(zone_named(REGISTER_ZONE), now)
    events = [
        ConsistencyFlagged(
            seq=1,
            cause=UNSAID,
            commitment=briefs[commitment_id],
            rule=one.rule,
            milestone=one.milestone,
            anchor_id=one.anchor_id,
            since=one.since,
            days=max((flagged_on - one.since).days, 0),
            status=commitments[commitment_id].status,
            flagged_on=flagged_on,
        )
        for one, commitment_id in concerned
    ]
    event_ids = iter(await say(database, connection, "consistency-check", events, context))
    return [None if one.commitment_id is None else next(event_ids) for one in new]
