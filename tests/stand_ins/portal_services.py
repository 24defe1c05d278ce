"""A small registry, scheduler and notifier that answer over real HTTP, in the real services' own models.

The registry holds catalogues, as they stood on a day: later news is not known yet.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response

from contracts.events import Reporter, StatementRef
from contracts.vocabulary import Channel, PartyCode, Span, Status, Text
from services.notifier.delivery.answers import DeliveryAnswer, DeliveryPage
from services.notifier.subscriptions.answers import SubscriptionSummary
from services.notifier.subscriptions.forms import FilterForm
from services.registry.catalogue.contents import Catalogue, Commitment
from services.registry.catalogue.loading import NALS_2021, load
from services.registry.rules import status as standing_rules
from services.registry.rules.paragraphs import paragraph_starts, passage
from services.registry.rules.schedule_change import change_of
from services.registry.views.commitments import (
    CommitmentEntry,
    CommitmentList,
    CommitmentRecord,
    PartyStatusEntry,
    QuotePassage,
)
from services.registry.views.milestones import MilestoneEntry, MilestoneRecord, ScheduleEntry
from services.registry.views.statements import StatementEntry, StatementList
from services.registry.views.status_updates import StatusUpdateEntry
from services.registry.wordings import read
from services.registry.wordings.policy import DEFAULT
from services.scheduler.reminders.routes import ReminderEntry, ReminderPage

_NAMESPACE = UUID("5f0c2b0a-6c7e-4c0a-8b1e-0c1d2e3f4a5b")
_CANADIAN = Reporter(
    client="chronicle",
    ministry="ca-gac",
    ministry_name=Text(en="Global Affairs Canada", fr="Affaires mondiales Canada"),
)


def answer(model: Any) -> Any:
    """What a service's own model puts on the wire."""
    return model.model_dump(mode="json")


def noon(day: date) -> datetime:
    """Noon of a day, UTC."""
    return datetime.combine(day, time(12), UTC)


class StandInRegister:
    """The catalogue that comes along, and others beside it, on a day, in the words of the registry's interface."""

    def __init__(self, today: date) -> None:
        self.catalogue: Catalogue = load()
        self.today = today
        self.catalogues: list[Catalogue] = []
        self.records: dict[str, CommitmentRecord] = {}
        self.hold(self.catalogue, (NALS_2021 / "joint-statement-2021-11-18.txt").read_text(encoding="utf-8"))

    def hold(self, catalogue: Catalogue, published: str) -> None:
        """Let there be this statement, whose document has these lines."""
        self.catalogues.append(catalogue)
        starts = paragraph_starts(published)
        self.records |= {one.id: self._record(catalogue, one, starts) for one in catalogue.commitments}

    def statements(self) -> tuple[StatementEntry, ...]:
        """The documents."""
        return tuple(self._statement(catalogue) for catalogue in self.catalogues)

    def _statement(self, catalogue: Catalogue) -> StatementEntry:
        told = catalogue.statement
        return StatementEntry(
            **{name: getattr(told, name) for name in StatementEntry.model_fields if hasattr(told, name)},
            sections=catalogue.sections,
            themes=catalogue.themes,
            commitments=len(catalogue.commitments),
            reading_policy=DEFAULT,
        )

    def chosen(self, asked: dict[str, str]) -> list[CommitmentEntry]:
        """Entries that meet the registry's filters."""
        return [self._entry(record) for record in self.records.values() if _meets(record, asked)]

    def _entry(self, record: CommitmentRecord) -> CommitmentEntry:
        shared = {name: getattr(record, name) for name in CommitmentEntry.model_fields if name != "milestones"}
        milestones = [
            MilestoneEntry(**{n: getattr(m, n) for n in MilestoneEntry.model_fields}) for m in record.milestones
        ]
        return CommitmentEntry(**shared, milestones=tuple(milestones))

    def _record(self, catalogue: Catalogue, commitment: Commitment, starts: Sequence[int]) -> CommitmentRecord:
        told = catalogue.statement
        text, start, end = passage(told.text, starts, commitment.quote.start, commitment.quote.end)
        standing = dict.fromkeys(commitment.parties, Status.ANNOUNCED)
        updates = tuple(self._updates(catalogue, commitment, standing))
        brief = catalogue.brief(commitment)
        return CommitmentRecord(
            **{name: getattr(brief, name) for name in type(brief).model_fields},
            statement=StatementRef(**{name: getattr(told, name) for name in StatementRef.model_fields}),
            quote=commitment.quote,
            passage=QuotePassage(text=text, start=start, end=end),
            verb=commitment.verb,
            summary=commitment.summary,
            strength=commitment.strength,
            lead_ministries=commitment.lead_ministries,
            status=standing_rules.overall(standing.values()),
            party_statuses=tuple(PartyStatusEntry(party=c, status=s) for c, s in standing.items()),
            version=1 + len(updates),
            milestones=tuple(self._milestones(catalogue, commitment)),
            status_updates=updates,
            assessments=(),
        )

    def _updates(
        self, catalogue: Catalogue, commitment: Commitment, standing: dict[PartyCode, Status]
    ) -> Iterable[StatusUpdateEntry]:
        version = 1
        for news in catalogue.chronicle:
            if news.commitment_id != commitment.id or news.known_on > self.today:
                continue
            for report in news.reports:
                version += 1
                previous, standing[report.party] = standing[report.party], report.status
                yield StatusUpdateEntry(
                    event_id=uuid5(_NAMESPACE, f"{commitment.id}{version}"),
                    version=version,
                    party=report.party,
                    previous=previous,
                    status=report.status,
                    current=True,
                    overall=standing_rules.overall(standing.values()),
                    note=report.note,
                    evidence=None,
                    reported_by=_CANADIAN if report.party == "CA" else Reporter(client="chronicle"),
                    report_id=None,
                    occurred_at=noon(news.known_on),
                    reported_at=noon(news.known_on),
                    recorded_at=noon(news.known_on),
                )

    def _milestones(self, catalogue: Catalogue, commitment: Commitment) -> Iterable[MilestoneRecord]:
        made_on = catalogue.statement.made_on
        for milestone in commitment.milestones:
            schedules = [_schedule(1, milestone.span, "first", None, made_on)]
            for news in catalogue.chronicle:
                if news.anchor_id is None or news.anchor_id != milestone.anchor_id or news.span is None:
                    continue
                change = change_of(schedules[-1].span, news.span)
                if news.known_on <= self.today and change in ("moved", "more-precise"):
                    schedules.append(_schedule(len(schedules) + 1, news.span, change, news.source, news.known_on))
            shared = {name: getattr(milestone, name) for name in type(milestone).model_fields if name != "span"}
            yield MilestoneRecord(
                **shared,
                commitment_id=commitment.id,
                span=schedules[-1].span,
                schedule_version=len(schedules),
                schedules=tuple(schedules),
                read_as=read(milestone.wording, milestone.wording_language, made_on),
            )


def _schedule(version: int, span: Span, change: Any, source: Any, known_on: date) -> ScheduleEntry:
    return ScheduleEntry(
        version=version, span=span, change=change, source=source, known_on=known_on, recorded_at=noon(known_on)
    )


def _meets(record: CommitmentRecord, asked: dict[str, str]) -> bool:
    latest = [milestone.span.latest for milestone in record.milestones if milestone.span.latest]
    words = (*record.title.root.values(), *record.summary.root.values(), record.quote.text)
    return (
        any(asked.get("q", "").lower() in text.lower() for text in words)
        and asked.get("party", record.parties[0]) in record.parties
        and asked.get("theme", record.themes[0]) in record.themes
        and asked.get("section", record.section) == record.section
        and asked.get("status", record.status) == record.status
        and ("due_from" not in asked or any(day >= date.fromisoformat(asked["due_from"]) for day in latest))
        and ("due_to" not in asked or any(day <= date.fromisoformat(asked["due_to"]) for day in latest))
    )


class StandInServices:
    """The three services at three paths of one server; `away` names those that answer 503."""

    def __init__(self, today: date, page: int = 20) -> None:
        self.register = StandInRegister(today)
        self.away: set[str] = set()
        self.asked: list[str] = []
        self.subscriptions: dict[UUID, SubscriptionSummary] = {}
        self.deliveries: list[DeliveryAnswer] = []
        """The newest first."""
        self.milestones: dict[str, dict[str, Any]] = {}
        """What the registry says of milestones beyond the catalogue, by their ids."""
        self.reminders: list[dict[str, Any]] = []
        """Reminders beyond those before the catalogues' dates."""
        self.rewrite: Callable[[Any], Any] = lambda told: told
        """What becomes of each answer on its way, so that one of a later release can be given."""
        self._page = page
        self.app = FastAPI()
        self._routes()

    def subscribe(self, subscriber: str, channel: Channel, **changes: Any) -> UUID:
        """Let somebody have subscribed, to everything and in English where nothing else is said."""
        number = len(self.subscriptions)
        made = SubscriptionSummary(
            id=uuid5(_NAMESPACE, f"subscription {number}"),
            subscriber=subscriber,
            channel=channel,
            **{
                "language": "en",
                "zone": "America/Toronto",
                "filters": FilterForm(),
                "ladder": None,
                "ladder_refused": None,
                "level": None,
                "state": "active",
                "reason": None,
                "created_at": noon(self.register.today),
                "ended_at": None,
                **changes,
            },
        )
        self.subscriptions[made.id] = made
        return made.id

    def tell(self, subscription_id: UUID, event: str, commitment_id: str, **changes: Any) -> None:
        """Let a subscription have been told of something, which went well where nothing else is said."""
        whom, number = self.subscriptions[subscription_id], len(self.deliveries)
        told = DeliveryAnswer(
            id=uuid5(_NAMESPACE, f"delivery {number}"),
            event_id=uuid5(_NAMESPACE, f"event {number}"),
            event=event,
            subscription_id=whom.id,
            subscriber=whom.subscriber,
            commitment_id=commitment_id,
            channel=whom.channel,
            language=whom.language,
            **{
                "state": "delivered",
                "attempts": 1,
                "deferrals": 0,
                "created_at": noon(self.register.today),
                "next_at": None,
                "not_after": None,
                "settled_at": noon(self.register.today) + timedelta(seconds=2),
                "reason": None,
                "last_code": 200,
                **changes,
            },
        )
        self.deliveries.insert(0, told)

    def remind(self, milestone_id: str, step: str, due_at: datetime, audience: UUID | None = None) -> None:
        """Let there be another reminder, for a subscription's own ladder where one is named."""
        record, milestone = self._milestone(milestone_id)
        told = answer(_reminder(record, milestone, step, due_at))
        self.reminders.append(told | {"audience": str(audience) if audience else None})

    def _milestone(self, milestone_id: str) -> tuple[CommitmentRecord, MilestoneRecord]:
        return next(
            (record, milestone)
            for record in self.register.records.values()
            for milestone in record.milestones
            if milestone.id == milestone_id
        )

    def _routes(self) -> None:
        app = self.app

        @app.middleware("http")
        async def on_its_way(request: Request, call_next: Any) -> Response:
            self.asked.append(f"{request.url.path}?{request.url.query}")
            if request.url.path.split("/")[1] in self.away:
                return JSONResponse({"title": "away"}, 503)
            answered = await call_next(request)
            if answered.status_code != 200:
                return answered  # type: ignore[no-any-return]
            body = b"".join([chunk async for chunk in answered.body_iterator])
            return JSONResponse(self.rewrite(json.loads(body)))

        @app.get("/registry/livez")
        async def livez() -> dict[str, str]:
            return {"status": "alive"}

        @app.get("/registry/statements")
        async def statements(request: Request) -> Any:
            if request.query_params:
                return JSONResponse({"type": "/problems/unknown-parameter"}, 400)  # this list has no pages
            return answer(StatementList(items=self.register.statements()))

        @app.get("/registry/commitments")
        async def commitments(request: Request) -> Any:
            asked = dict(request.query_params)
            found = self.register.chosen(asked)
            start = int(asked.get("cursor", 0))
            end = start + min(int(asked["limit"]), self._page)
            more = str(end) if end < len(found) else None
            return answer(CommitmentList(items=tuple(found[start:end]), next_cursor=more))

        @app.get("/registry/commitments/{commitment_id}")
        async def commitment(commitment_id: str) -> Any:
            if commitment_id not in self.register.records:
                return JSONResponse({"type": "/problems/not-found"}, 404)
            told = answer(self.register.records[commitment_id])
            return told | {"milestones": [m | self.milestones.get(m["id"], {}) for m in told["milestones"]]}

        @app.get("/registry/anchors/{anchor_id}")
        async def anchor(anchor_id: str) -> Any:
            for one in (anchor for catalogue in self.register.catalogues for anchor in catalogue.anchors):
                if one.id == anchor_id:
                    return {"id": one.id, "title": answer(one.title)}
            return JSONResponse({"type": "/problems/not-found"}, 404)

        @app.get("/scheduler/reminders")
        async def reminders(commitment: str) -> Any:
            told = answer(ReminderPage(items=tuple(self._reminders(commitment)), next_cursor=None))
            more = [one for one in self.reminders if one["commitment_id"] == commitment]
            return told | {"items": [*more, *told["items"]]}

        # The token of a link is the subscription's id here.
        @app.get("/notifier/subscription-links/{token}/deliveries")
        async def deliveries(token: UUID, limit: Annotated[int, Query(ge=1, le=200)]) -> Any:
            found = [one for one in self.deliveries if one.subscription_id == token]
            return answer(DeliveryPage(items=tuple(found[:limit]), next_cursor=None))

        @app.get("/notifier/subscription-links/{token}")
        async def summary(token: str) -> Any:
            found = {str(id_): one for id_, one in self.subscriptions.items()}.get(token)
            return answer(found) if found else JSONResponse({"type": "/problems/not-found"}, 404)

    def _reminders(self, commitment_id: str) -> Iterable[ReminderEntry]:
        record = self.register.records[commitment_id]
        for milestone in record.milestones:
            for days in (30, 7, 1):
                if milestone.span.latest and milestone.span.latest - timedelta(days=days) > self.register.today:
                    yield _reminder(
                        record, milestone, f"before-{days}d", noon(milestone.span.latest - timedelta(days=days))
                    )


def _reminder(record: CommitmentRecord, milestone: MilestoneRecord, step: str, due_at: datetime) -> ReminderEntry:
    return ReminderEntry(
        id=due_at.toordinal(),
        commitment_id=record.id,
        commitment_title=record.title,
        original_language=record.language,
        milestone_id=milestone.id,
        milestone_title=milestone.title,
        parties=milestone.parties,
        earliest=milestone.span.earliest,
        latest=milestone.span.latest,
        zone=milestone.zone,
        schedule_version=milestone.schedule_version,
        step=step,
        due_at=due_at,
        state="pending",
        fired_at=None,
        event_id=None,
        reason=None,
    )
