"""Another reading policy for a statement: its milestones whose days it changes move, in the same transaction."""

from dataclasses import dataclass

from contracts.vocabulary import LanguageTag, Source
from services.plumbing.database import Connection, Database
from services.plumbing.sentences import Sentence
from services.registry.actions.auditing import audit_change
from services.registry.actions.events import ActionContext
from services.registry.actions.holds import ScheduleHolds
from services.registry.actions.reschedule import ScheduledMilestone, SourcedDate, schedule, to_reschedule
from services.registry.rules.errors import Invalid, ResourceNotFound, at
from services.registry.store.milestones import LockedMilestone, lock_milestones, milestones_without_anchor
from services.registry.store.statements import StatementFacts, find_statement, put_reading_policy, texts_without
from services.registry.wordings import ReadingPolicy, Wording, read

READING_POLICY = Source(text="reading policy")
"""The source of a date that another policy gave: nobody has reported anything new, the words are read otherwise."""


@dataclass(frozen=True)
class PolicyResult:
    """What another policy did; `kept` are the milestones that it gives no date, which keep the one they have."""

    rescheduled: tuple[ScheduledMilestone, ...]
    kept: tuple[str, ...]


async def change_reading_policy(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    statement_id: str,
    policy: ReadingPolicy,
    language: LanguageTag | None,
    context: ActionContext,
) -> PolicyResult:
    """Give a statement another policy, and read again the dates that the old one had read in its words.

    A date from an anchor, from another source or from an editor who differs from the words stays. Without a language
    the statement keeps its own; another one is for milestones to come, since each knows the language of its words.

    Raises `ResourceNotFound`, and `Invalid` for a language in which the words that are there already are not.
    """
    statement = await find_statement(connection, statement_id, to_change=True)
    if statement is None:
        raise ResourceNotFound(Sentence("There is no statement %(statement_id)s", statement_id=statement_id))
    if language and (lacking := await texts_without(connection, statement_id, language)):
        raise Invalid(
            Sentence(
                "The words of %(lacking)s are not there in this language: %(language)s",
                lacking=lacking,
                language=language,
            ),
            **at("language"),
        )
    await put_reading_policy(connection, statement_id, language or statement.language, policy)
    await audit_change(
        connection,
        context,
        "statement.read-otherwise",
        f"statement/{statement_id}",
        {"policy": statement.policy.model_dump(mode="json"), "language": statement.language},
        {"policy": policy.model_dump(mode="json"), "language": language or statement.language},
    )
    dates, kept = [], []
    for one in await lock_milestones(connection, await milestones_without_anchor(connection, statement_id)):
        if one.source not in {None, READING_POLICY}:
            continue
        before = _read_by(statement.policy, one, statement)
        after = _read_by(policy, one, statement)
        if before.span != one.milestone.span or after.span == before.span:
            continue
        if after.edtf is None:
            kept.append(one.milestone.id)
        else:
            today = context.now.date()
            date = SourcedDate(after.span, READING_POLICY, today, one.milestone.local_time, change="moved")
            dates.append((to_reschedule(one), date))
    rescheduled = await schedule(database, connection, holds, dates, "reading-policy", context)
    return PolicyResult(tuple(rescheduled), tuple(kept))


def _read_by(policy: ReadingPolicy, locked: LockedMilestone, statement: StatementFacts) -> Wording:
    milestone = locked.milestone
    return read(milestone.wording, milestone.wording_language, statement.ref.made_on, policy)
