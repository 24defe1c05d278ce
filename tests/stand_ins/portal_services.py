"""A small registry, scheduler and notifier that answer over real HTTP, in the real services' own models.

The registry holds catalogues, as they stood on a day: later news is not known yet.
"""

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response

from contracts.vocabulary import Channel
from services.notifier.delivery.answers import DeliveryAnswer, DeliveryPage
from services.notifier.subscriptions.answers import SubscriptionSummary
from services.notifier.subscriptions.forms import ChangedByLink, FilterForm
from services.registry.views.commitments import (
    CommitmentList,
    CommitmentRecord,
)
from services.registry.views.due_milestones import DueMilestonePage
from services.registry.views.milestones import MilestoneRecord
from services.registry.views.ministries import MinistryList
from services.registry.views.statements import StatementList
from services.scheduler.escalation.forms import EscalationByLink, EscalationEntry
from services.scheduler.escalation.public_routes import PublicAcknowledgement, PublicAcknowledgementPage
from services.scheduler.reminders.routes import ReminderEntry, ReminderPage
from tests.stand_ins.openapi_parameters import known_parameters
from tests.stand_ins.portal_register import StandInRegister, noon

_NAMESPACE = UUID("5f0c2b0a-6c7e-4c0a-8b1e-0c1d2e3f4a5b")


def answer(model: Any) -> Any:
    """What a service's own model puts on the wire."""
    return model.model_dump(mode="json")


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
        self.acknowledgements: list[PublicAcknowledgement] = []
        """Of which milestones somebody is on it."""
        self.asked_about: dict[str, Any] | None = None
        """What the link `asked` asks about, as the scheduler says it."""
        self.acknowledged: list[tuple[str, dict[str, Any]]] = []
        """What was said by it: the idempotency key and the form."""
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
                "is_shared": channel in ("slack", "teams"),
                "is_for_people": channel != "webhook",
                "language": "en",
                "zone": "America/Toronto",
                "filters": FilterForm(),
                "ladder": None,
                "ladder_refused": None,
                "timing": None,
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

    def ask_about(self, commitment_id: str, *, language: str = "en", state: str = "climbing") -> None:
        """Let somebody be asked about a commitment, whose first milestone is overdue, and have a link."""
        record = self.register.records[commitment_id]
        milestone = record.milestones[0]
        entry = EscalationEntry(
            milestone_id=milestone.id,
            milestone_title=milestone.title,
            commitment_id=record.id,
            commitment_title=record.title,
            original_language=record.language,
            parties=milestone.parties,
            latest=milestone.span.latest,
            zone=milestone.zone,
            schedule_version=1,
            state=state,  # type: ignore[arg-type]  # one of its words
            round=1,
            level="focal-point",
            next_at=None,
            next_level="director",
            acknowledged=None,
            failed=None,
        )
        told = EscalationByLink(
            subscriber="Desk", is_shared=False, language=language, zone="America/Mexico_City", escalation=entry
        )
        self.asked_about = answer(told)

    def let_be_on_it(self, name: str) -> None:
        """Let somebody be on it."""
        assert self.asked_about
        self.asked_about["escalation"] |= {
            "state": "owned",
            "acknowledged": {"name": name, "note": None, "at": noon(self.register.today).isoformat()},
        }

    def remind(self, milestone_id: str, step: str, due_at: datetime, audience: UUID | None = None) -> None:
        """Let there be another reminder, for a subscription's own ladder where one is named."""
        record, milestone = self._milestone(milestone_id)
        told = answer(_reminder(record, milestone, step, due_at))
        self.reminders.append(told | {"audience": str(audience) if audience else None})

    def acknowledge(self, milestone_id: str, ministry: str | None, since: datetime) -> None:
        """Let somebody be on a milestone."""
        record, _ = self._milestone(milestone_id)
        self.acknowledgements.append(
            PublicAcknowledgement(milestone_id=milestone_id, commitment_id=record.id, ministry=ministry, since=since)
        )

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
            service, _, path = request.url.path.removeprefix("/").partition("/")
            if service in self.away:
                return JSONResponse({"title": "away"}, 503)
            if set(request.query_params) - known_parameters(service, f"/{path}"):
                return JSONResponse({"type": "/problems/unknown-parameter"}, 400)
            answered = await call_next(request)
            if answered.status_code != 200:
                return answered  # type: ignore[no-any-return]
            body = b"".join([chunk async for chunk in answered.body_iterator])
            return JSONResponse(self.rewrite(json.loads(body)))

        @app.get("/registry/livez")
        async def livez() -> dict[str, str]:
            return {"status": "alive"}

        @app.get("/registry/statements")
        async def statements() -> Any:
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

        @app.get("/registry/due-milestones")
        async def due_milestones(commitment: str | None = None) -> Any:
            found = [one for one in self.register.due() if commitment in (None, one.commitment_id)]
            return answer(DueMilestonePage(items=tuple(found), next_cursor=None))

        @app.get("/registry/ministries")
        async def ministries() -> Any:
            return answer(MinistryList(items=self.register.ministries()))

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

        @app.get("/scheduler/acknowledgements")
        async def acknowledgements(commitment: str | None = None) -> Any:
            found = [one for one in self.acknowledgements if commitment in (None, one.commitment_id)]
            return answer(PublicAcknowledgementPage(items=tuple(found), next_cursor=None))

        @app.get("/scheduler/acknowledgement-links/{token}")
        async def asked(token: str) -> Any:
            is_asked = token == "asked" and self.asked_about
            return self.asked_about if is_asked else JSONResponse({"type": "/problems/not-found"}, 404)

        @app.post("/scheduler/acknowledgement-links/{token}")
        async def acknowledge(request: Request, token: str) -> Any:
            made, key = await request.json(), request.headers["idempotency-key"]
            assert self.asked_about
            holder = self.asked_about["escalation"]["acknowledged"]
            is_repeated = key in {known for known, _ in self.acknowledged}
            if holder and not is_repeated and made.get("take_over_from") != holder["name"]:
                refusal = {"type": "/problems/owned-by-another", "title": "Somebody else is on it"}
                return JSONResponse({**refusal, "held_by": holder["name"]}, 409)
            self.acknowledged.append((key, made))
            self.let_be_on_it(made["name"])
            return JSONResponse(self.asked_about["escalation"], 201)

        # The token of a link is the subscription's id here.
        @app.get("/notifier/subscription-links/{token}/deliveries")
        async def deliveries(token: UUID, limit: Annotated[int, Query(ge=1, le=200)]) -> Any:
            found = [one for one in self.deliveries if one.subscription_id == token]
            return answer(DeliveryPage(items=tuple(found[:limit]), next_cursor=None))

        @app.get("/notifier/subscription-links/{token}")
        async def summary(token: str) -> Any:
            found = {str(id_): one for id_, one in self.subscriptions.items()}.get(token)
            return answer(found) if found else JSONResponse({"type": "/problems/not-found"}, 404)

        @app.patch("/notifier/subscription-links/{token}")
        async def change(token: UUID, form: ChangedByLink) -> Any:
            before = self.subscriptions[token]
            changes = {name: getattr(form, name) for name in form.model_fields_set if name != "events"}
            if form.events is not None:
                changes["filters"] = before.filters.model_copy(update={"events": form.events})
            self.subscriptions[token] = before.model_copy(update=changes)
            return answer(self.subscriptions[token])

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
