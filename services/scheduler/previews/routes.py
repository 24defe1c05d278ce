"""The preview over HTTP: every instant of a commitment with its reason, and what became of a single reminder."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request

from contracts.vocabulary import Slug
from services.i18n.languages import SOURCE, ReaderLanguage
from services.i18n.spans import date_phrase
from services.i18n.text import plain
from services.i18n.words import Words, words_in
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import KEY_OR_NOT, ApiKeys
from services.plumbing.http.forms import WRITTEN_NUMBER, ZoneName
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import REFUSED_BY_RULE, not_found
from services.plumbing.sentences import Sentence
from services.plumbing.zones import day_in, zone_named
from services.scheduler.escalation.routes import READERS as ESCALATION_READERS
from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.ladders.access import READERS, may_see
from services.scheduler.ladders.book import LadderBook, kind_of
from services.scheduler.ladders.countdown import Countdown
from services.scheduler.ladders.planning import left_out_rungs
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder
from services.scheduler.previews import store
from services.scheduler.previews.presenting import (
    escalation_preview,
    hold_entry,
    left_out_entry,
    moment_entry,
    next_entry,
    outcome_entry,
)
from services.scheduler.previews.responses import (
    LeftOutEntry,
    MilestonePreview,
    ReminderExplanation,
    ReviewEntry,
    SchedulePreview,
)
from services.scheduler.previews.rules.outcomes import next_reminder, next_sentence, outcome_of, outcome_sentence
from services.scheduler.previews.rules.preview import StoredReminder, countdown_for, preview_moments, stored_moment
from services.scheduler.previews.rules.reasons import left_out_sentence
from services.scheduler.previews.store import MilestoneView
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.rules.agenda import PlanningRules

SHOWN_ENDLESS_STEPS = 3
"""So many of the endless steps are shown beyond the table, unless asked otherwise."""


Zone = Annotated[
    ZoneName | None,
    Query(description="The reader's IANA zone; without it the own ladder's, or else the milestone's."),
]
SentenceLanguage = Annotated[ReaderLanguage, Query(description="Of the sentences.")]


def preview_routes(
    database: Database, clock: Clock, keys: ApiKeys, shipped: LadderBook, book: EscalationBook
) -> APIRouter:
    """The routes of the preview: of the book's ladders for anybody, of a subscription's own for its owner.

    `book` is that of the escalation, which is shown to those who may read escalations.
    """
    router = APIRouter(tags=["reminders"])
    rules_cache = RulesCache(shipped)  # its own: it reads the rules as of its own instant

    @router.get(
        "/schedule/preview",
        operation_id="preview_schedule",
        openapi_extra=dict(KEY_OR_NOT),
        responses=problems(401, 403, 404, 422, REFUSED_BY_RULE),
    )
    async def preview_schedule(
        request: Request,
        commitment: Slug,
        subscription: Annotated[
            UUID | None, Query(description="By this subscription's own ladder, where it has one; else by the book's.")
        ] = None,
        zone: Zone = None,
        language: SentenceLanguage = SOURCE,
        limit: Annotated[
            int,
            Query(ge=0, le=100, description="So many of a ladder's endless steps beyond what is planned."),
            WRITTEN_NUMBER,
        ] = SHOWN_ENDLESS_STEPS,
    ) -> SchedulePreview:
        """Every instant of every milestone of a commitment, and why it is then."""
        now, words = clock.now(), words_in(language)
        caller = keys.require(request, *READERS) if subscription else keys.known(request)
        async with store.snapshot(database) as connection:
            rules = await rules_cache.rules(connection)
            own_ladder = rules.ladder_of(subscription) if subscription else None
            if caller and not may_see(own_ladder, caller.client, caller.roles):
                own_ladder = None  # as for a subscription that is not known
            seen = await store.milestones_of(connection, commitment, subscription if own_ladder else None)
            if not seen and not await store.is_known(connection, commitment):
                raise not_found(Sentence("There is no such commitment"))
            replanning = await store.is_replanning(connection)
        shown_book = book if caller and not caller.roles.isdisjoint(ESCALATION_READERS) else None
        return SchedulePreview(
            commitment_id=commitment,
            status=seen[0].status if seen else None,
            title=seen[0].schedule.commitment.title if seen else None,
            original_language=seen[0].schedule.commitment.language if seen else None,
            at=now,
            language=language,
            ladder_of="subscription" if own_ladder else "book",
            subscription=subscription,
            being_planned_anew=replanning,
            milestones=tuple(_milestone(one, rules, own_ladder, shown_book, zone, words, now, limit) for one in seen),
        )

    @router.get(
        "/reminders/{id_}/explanation",
        operation_id="explain_reminder",
        openapi_extra=dict(KEY_OR_NOT),
        responses=problems(401, 404, 422, REFUSED_BY_RULE),
    )
    async def explain_reminder(
        request: Request,
        id_: Annotated[int, Path(ge=1, lt=2**63), WRITTEN_NUMBER],
        zone: Zone = None,
        language: SentenceLanguage = SOURCE,
    ) -> ReminderExplanation:
        """One reminder: what it is, why it is due then, what became of it, and what comes next."""
        now, words = clock.now(), words_in(language)
        async with store.snapshot(database) as connection:
            rules = await rules_cache.rules(connection)
            found = await store.reminder_with_milestone(connection, id_)
        if found is None:
            raise not_found(Sentence("There is no such reminder"))
        if (audience := found[0].audience) is not None:
            caller = keys.known(request)
            if caller is None or not may_see(rules.ladder_of(audience), caller.client, caller.roles):
                raise not_found(Sentence("There is no such reminder"))
        return _explanation(*found, rules, zone, words, now)

    return router


def _milestone(
    seen: MilestoneView,
    rules: PlanningRules,
    own_ladder: SubscriptionLadder | None,
    book: EscalationBook | None,
    zone: str | None,
    words: Words,
    now: datetime,
    limit: int,
) -> MilestonePreview:
    schedule, milestone = seen.schedule, seen.schedule.milestone
    here = zone or (own_ladder.zone if own_ladder else milestone.zone)
    count = countdown_for(rules, schedule, own_ladder)
    kind = kind_of(milestone)
    return MilestonePreview(
        milestone_id=milestone.id,
        title=milestone.title,
        wording=milestone.wording,
        wording_language=milestone.wording_language,
        parties=milestone.parties,
        earliest=milestone.span.earliest,
        latest=milestone.span.latest,
        when=date_phrase(milestone.span, milestone.reading, plain(milestone.wording), words),
        kind=kind,
        zone=milestone.zone,
        reader_zone=here,
        schedule_version=schedule.version,
        scheduled_at=schedule.scheduled_at,
        settled=schedule.settled,
        asked_for=count is not None,
        ladder=count.ladder.name if count else None,
        moments=tuple(
            moment_entry(one, here, milestone.zone, words)
            for one in preview_moments(schedule, seen.stored, count, now, limit)
        ),
        left_out=_left_out(count, rules, own_ladder, words) if count else (),
        review=ReviewEntry(
            every_months=milestone.review_months or rules.book.review_months,
            counted_from=day_in(zone_named(milestone.zone), schedule.scheduled_at),
        )
        if kind == "review"
        else None,
        hold=hold_entry(seen.hold) if seen.hold else None,
        escalation=escalation_preview(seen.escalation, book, here) if seen.escalation and book else None,
    )


def _left_out(
    count: Countdown, rules: PlanningRules, own_ladder: SubscriptionLadder | None, words: Words
) -> tuple[LeftOutEntry, ...]:
    return tuple(
        left_out_entry(one, left_out_sentence(one, count, words))
        for one in left_out_rungs(count.milestone, rules.book, own_ladder)
    )


def _explanation(
    stored: StoredReminder, seen: MilestoneView, rules: PlanningRules, zone: str | None, words: Words, now: datetime
) -> ReminderExplanation:
    schedule, milestone = seen.schedule, seen.schedule.milestone
    own_ladder = rules.ladder_of(stored.audience) if stored.audience else None
    given_up = stored.audience is not None and own_ladder is None
    count = None if given_up else countdown_for(rules, schedule, own_ladder)
    here = zone or (own_ladder.zone if own_ladder else milestone.zone)
    outcome = outcome_of(stored, schedule, seen.stored, count, seen.hold, now)
    following = next_reminder(stored, seen.stored, count)
    moment = stored_moment(schedule, stored, count)
    return ReminderExplanation(
        id=stored.id,
        commitment_id=schedule.commitment.id,
        commitment_title=schedule.commitment.title,
        milestone_id=milestone.id,
        milestone_title=milestone.title,
        original_language=schedule.commitment.language,
        audience=stored.audience,
        zone=milestone.zone,
        reader_zone=here,
        moment=moment_entry(moment, here, milestone.zone, words),
        what=words.gettext(
            "Reminder %(step)s of %(milestone)s, %(when)s.",
            step=stored.step.name,
            milestone=words.quoted(
                plain(milestone.title.in_language(words.language, schedule.commitment.language).text)
            ),
            when=date_phrase(milestone.span, milestone.reading, plain(milestone.wording), words),
        ),
        fate=outcome_entry(outcome, outcome_sentence(outcome, words, here)),
        next=next_entry(following, here) if following else None,
        next_sentence=next_sentence(following, stored, schedule, words, here),
    )
