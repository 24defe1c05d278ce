"""The daily look at what does not agree: each finding is kept as a flag, and said once.

The flags are the truth. Looking again, or in two registries at once, finds the same ones; what no longer holds is
cleared, and is not said a second time if it comes back with the same rule, subject and day.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.events import ConsistencyFlagged
from contracts.topics import CONSISTENCY_FLAGGED
from contracts.vocabulary import Country, Milestone, Status
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.logs import log
from services.plumbing.outbox import append, take_seqs
from services.plumbing.zones import day_in, zone_named
from services.registry import store
from services.registry.actions.events import Occasion, announcement
from services.registry.rules.consistency import HOME, Finding, Step, Watched, WatchedAnchor, due_day, findings
from services.registry.store import SCHEDULED_MILESTONE, SPAN, milestone_from, span_from, standing_from

CLIENT = "registry"
"""Who says it."""


class ConsistencySettings(BaseSettings):
    """When silence is worth a word."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_")

    no_news_months: int = Field(default=12, ge=1, le=120)
    """Months without a status update or another date after which a commitment is flagged."""


class DailyLook:
    """Looks once for each day of business time, whichever registry gets to it first."""

    def __init__(self, database: Database, clock: Clock, settings: ConsistencySettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._looked: object = None

    async def beat(self) -> None:
        """Look if that is due, at the clockwork's own pace."""
        await self.once()

    async def once(self) -> int:
        """Look, if today's look is due and nobody has; how many flags are new. Days that were missed are not made up.

        Raises what the database raises.
        """
        now = self._clock.now()
        day = due_day(now)
        if self._looked == day:
            return 0
        async with self._database.transaction() as connection:
            # Whoever comes second waits here for the first one's commit, and then finds the day taken.
            mine = await connection.fetchval("update consistency_run set day = $1 where day < $1 returning true", day)
            new = await flag(self._database, connection, now, self._settings.no_news_months) if mine else 0
        self._looked = day
        if mine:
            log.info("looked for what does not agree", action="consistency_looked", day=str(day), new=new)
        return new


async def flag(database: Database, connection: Connection, now: datetime, no_news_months: int) -> int:
    """Bring the flags up to date in the caller's transaction, and say the new ones; how many were said."""
    commitments = await watched(connection)
    found = findings(commitments.values(), await watched_anchors(connection), now, no_news_months)
    known = {
        (row["rule"], row["subject"], row["since"]): row
        for row in await connection.fetch("select id, rule, subject, since, cleared_at from consistency_flag")
    }
    holding = {(one.rule, one.subject, one.since): one for one in found}
    cleared = [row["id"] for key, row in known.items() if key not in holding and row["cleared_at"] is None]
    again = [row["id"] for key, row in known.items() if key in holding and row["cleared_at"] is not None]
    await connection.execute("update consistency_flag set cleared_at = $2 where id = any($1)", cleared, now)
    await connection.execute("update consistency_flag set cleared_at = null where id = any($1)", again)
    new = [one for key, one in holding.items() if key not in known]
    await _say(database, connection, new, commitments, now)
    return len(new)


async def _say(
    database: Database,
    connection: Connection,
    new: Sequence[Finding],
    commitments: dict[str, Watched],
    now: datetime,
) -> None:
    told = [(one, one.commitment_id) for one in new if one.commitment_id is not None]
    keys = [commitment_id for _, commitment_id in told]
    briefs = await store.briefs(connection, set(keys))
    seqs = await take_seqs(connection, CONSISTENCY_FLAGGED.name, keys)
    occasion = Occasion(now, CLIENT)
    flagged_on = day_in(zone_named(HOME), now)
    outgoing = [
        announcement(
            ConsistencyFlagged(
                seq=seq,
                commitment=briefs[commitment_id],
                rule=one.rule,
                milestone=one.milestone,
                anchor_id=one.anchor_id,
                since=one.since,
                days=max((flagged_on - one.since).days, 0),
                status=commitments[commitment_id].status,
                flagged_on=flagged_on,
            ),
            occasion,
        )
        for seq, (one, commitment_id) in zip(seqs, told, strict=True)
    ]
    await append(database, connection, outgoing, now)
    events = dict(zip((id(one) for one, _ in told), outgoing, strict=True))
    await connection.executemany(
        "insert into consistency_flag"
        " (rule, subject, since, commitment_id, milestone_id, anchor_id, flagged_at, event_id)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (
                one.rule,
                one.subject,
                one.since,
                one.commitment_id,
                one.milestone.id if one.milestone else None,
                one.anchor_id,
                now,
                events[id(one)].event_id if id(one) in events else None,
            )
            for one in new
        ],
    )


async def watched(connection: Connection) -> dict[str, Watched]:
    """All commitments as the rules see them."""
    milestones: dict[str, list[Milestone]] = {}
    for row in await connection.fetch(f"{SCHEDULED_MILESTONE} order by m.id"):
        milestones.setdefault(row["commitment_id"], []).append(milestone_from(row))
    history: dict[str, list[Step]] = {}
    for row in await connection.fetch(
        "select commitment_id, country, to_status, recorded_at from status_update order by commitment_id, version"
    ):
        country = None if row["country"] is None else Country(row["country"])
        history.setdefault(row["commitment_id"], []).append(Step(row["recorded_at"], country, Status(row["to_status"])))
    rows = await connection.fetch(
        f"""
        select c.id, c.countries, c.status, {store.DIFFERING} as differing, st.made_on,
               (select max(d.recorded_at) from milestone m join milestone_schedule d on d.milestone_id = m.id
                where m.commitment_id = c.id and d.version > 1) as rescheduled_at
        from commitment c join statement st on st.id = c.statement_id order by c.id
        """
    )
    found = {}
    for row in rows:
        steps = history.get(row["id"], [])
        news = [step.at for step in steps] + ([row["rescheduled_at"]] if row["rescheduled_at"] else [])
        found[row["id"]] = Watched(
            id=row["id"],
            status=Status(row["status"]),
            standing=standing_from(row),
            milestones=milestones.get(row["id"], []),
            history=steps,
            last_news=max([row["made_on"], *(day_in(zone_named(HOME), at) for at in news)]),
        )
    return found


async def watched_anchors(connection: Connection) -> list[WatchedAnchor]:
    """All anchors as the rules see them."""
    rows = await connection.fetch(f"select id, zone, {SPAN}, outcome from anchor order by id")
    return [WatchedAnchor(row["id"], row["zone"], span_from(row), row["outcome"] is not None) for row in rows]
