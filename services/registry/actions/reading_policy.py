"""Another reading policy for a statement: its milestones whose days it changes move, in the same transaction."""

from dataclasses import dataclass

from contracts.vocabulary import Language, Source
from services.plumbing.database import Connection, Database
from services.registry import store
from services.registry.actions.events import Occasion
from services.registry.actions.reschedule import News, Scheduled, dated_now, schedule
from services.registry.rules.errors import Unknown
from services.registry.store import HeldMilestone, KnownStatement
from services.registry.wordings import ReadingPolicy, Wording, read

READING_POLICY = Source(text="reading policy")
"""The source of a date that another policy gave: nobody has said anything new, we read it otherwise."""


@dataclass(frozen=True)
class Reread:
    """What another policy did; `kept` are the milestones that it gives no date, which keep the one they have."""

    rescheduled: tuple[Scheduled, ...]
    kept: tuple[str, ...]


async def put_policy(
    database: Database,
    connection: Connection,
    statement_id: str,
    policy: ReadingPolicy,
    language: Language | None,
    occasion: Occasion,
) -> Reread:
    """Give a statement another policy, and read again the dates that the old one had read in its words.

    A date from an anchor, from news or from an editor who differs from the words stays. Without a language the
    statement keeps its own; another one is for milestones to come, since each knows the language of its words.
    """
    statement = await store.known_statement(connection, statement_id, to_change=True)
    if statement is None:
        raise Unknown(f"There is no statement {statement_id}")
    await store.put_reading_policy(connection, statement_id, language or statement.language, policy)
    held = await store.hold_milestones(connection, await store.without_anchor(connection, statement_id))
    dates, kept = [], []
    for one in held:
        if one.source not in {None, READING_POLICY}:
            continue
        before = _words(one, statement, statement.policy)
        after = _words(one, statement, policy)
        if before.span != one.milestone.span or after.span == before.span:
            continue
        if after.edtf is None:
            kept.append(one.milestone.id)
        else:
            news = News(after.span, READING_POLICY, occasion.now.date(), one.milestone.local_time, told_as="moved")
            dates.append((dated_now(one), news))
    return Reread(tuple(await schedule(database, connection, dates, occasion)), tuple(kept))


def _words(held: HeldMilestone, statement: KnownStatement, policy: ReadingPolicy) -> Wording:
    milestone = held.milestone
    return read(milestone.wording, milestone.wording_language, statement.ref.made_on, policy)
