"""The pages and the stream: what is at which address."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from contracts.topics import PUBLIC
from contracts.vocabulary import Country, Language, Status
from services.plumbing.clock import Clock
from services.plumbing.http.problems import Problem, fault_problem, http_problem, validation_problem
from services.plumbing.transient_errors import Unavailable, is_transient
from services.portal.event_lines import tell
from services.portal.feed import Feed, Heard, Place
from services.portal.pages import HERE, Pages, SafeHeaders
from services.portal.service_clients import (
    Choice,
    Commitment,
    Delivery,
    Milestone,
    Named,
    Neighbours,
    NotFound,
    Part,
    Reminder,
    Statement,
    next_milestone,
    part,
)
from services.portal.timeline import axis_for

MOST_READERS = 1000
"""Open streams of one process; each costs a connection and a task."""
SHOWN = 100
"""Events on the live page."""
TOLD = 20
"""Deliveries on a subscription's page."""

P = TypeVar("P")

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Portal:
    """What the pages are made from."""

    neighbours: Neighbours
    feed: Feed
    clock: Clock
    pages: Pages

    def today(self) -> date:
        """The day of the service's clock, in UTC."""
        return self.clock.now().date()


def add_routes(app: FastAPI, portal: Portal) -> None:
    """Put pages, stream and error pages into an application."""
    app.add_middleware(SafeHeaders)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    _add_pages(app, portal)
    _add_stream(app, portal)
    _add_error_pages(app, portal)


def _add_pages(app: FastAPI, portal: Portal) -> None:
    show, neighbours = portal.pages.show, portal.neighbours

    @app.get("/", include_in_schema=False)
    async def commitments(request: Request) -> Response:
        choice, wrong = _choice(request)
        statements, listed = await asyncio.gather(
            part("statements", neighbours.statements(), list[Statement]()),
            part("commitments", neighbours.commitments(choice), list[Commitment]()),
        )
        today = portal.today()
        return show(
            request,
            "commitments.html",
            503 if listed.is_missing else 200,
            choice=choice,
            wrong=wrong,
            statements=statements.value,
            is_missing=listed.is_missing,
            sections=_by_section(listed.value),
            total=len(listed.value),
            counts=_counts(listed.value),
            options=_options(statements.value, listed.value),
            picture=_picture(listed.value, statements.value, today),
            today=today,
            next_milestone=next_milestone,
        )

    @app.get("/commitments/{commitment_id}", include_in_schema=False)
    async def commitment(request: Request, commitment_id: str) -> Response:
        if not (len(commitment_id) <= 96 and _SLUG.fullmatch(commitment_id)):
            raise HTTPException(404)
        try:
            found = await neighbours.commitment(commitment_id)
        except NotFound:
            raise HTTPException(404) from None
        reminders, deliveries, statements, anchors, escalations = await asyncio.gather(
            part("reminders", neighbours.reminders(commitment_id), list[Reminder]()),
            part("deliveries", neighbours.deliveries(commitment_id), list[Delivery]()),
            part("statements", neighbours.statements(), list[Statement]()),
            _each("anchor", {m.anchor_id for m in found.milestones if m.anchor_id}, neighbours.anchor),
            _each("escalation", _past(found.milestones, portal.today()), neighbours.escalation),
        )
        return show(
            request,
            "commitment.html",
            commitment=found,
            statement=next((s for s in statements.value if s.id == found.statement_id), None),
            themes=_titles(theme for s in statements.value for theme in s.themes),
            reminders=reminders,
            deliveries=deliveries,
            milestones={milestone.id: milestone for milestone in found.milestones},
            reviews=_next_reviews(reminders.value),
            anchors=anchors,
            escalations=escalations,
            today=portal.today(),
        )

    @app.get("/subscriptions/{subscription_id}", include_in_schema=False)
    async def subscription(request: Request, subscription_id: str) -> Response:
        try:
            id_ = UUID(subscription_id)
        except ValueError:
            raise HTTPException(404) from None
        found = await part("subscription", neighbours.subscription(id_), None)
        if found.value is None:
            if found.is_missing:
                return show(request, "subscription.html", 503, subscription=None)
            raise HTTPException(404)
        deliveries, statements, listed = await asyncio.gather(
            part("deliveries", neighbours.deliveries_to(id_, TOLD), list[Delivery]()),
            part("statements", neighbours.statements(), list[Statement]()),
            part("commitments", neighbours.commitments(Choice()), list[Commitment]()),
        )
        return show(
            request,
            "subscription.html",
            subscription=found.value,
            deliveries=deliveries,
            titles=_titles(listed.value),
            **_options(statements.value, listed.value),
            has_no_titles=statements.is_missing or listed.is_missing,
        )

    @app.get("/live", include_in_schema=False)
    async def live(request: Request) -> Response:
        wanted = _wanted(request.query_params.get("commitment"))
        held = portal.feed.latest(wanted)[-SHOWN:]
        voice = portal.pages.voice(request)
        return show(
            request,
            "live.html",
            commitment_id=wanted,
            topics=" ".join(topic.name for topic in PUBLIC),
            told=[tell(heard, voice) for heard in reversed(held)],
            last=str(held[-1].place) if held else "",
            origin=str(request.base_url).rstrip("/"),
        )


def _add_stream(app: FastAPI, portal: Portal) -> None:
    async def has_room() -> None:
        # Asked before the stream begins: afterwards there is no status left to give.
        if portal.feed.readers >= MOST_READERS:
            raise Problem(503, "too-many-readers", "Too many streams are open here", headers={"Retry-After": "30"})

    @app.get(
        "/events",
        dependencies=[Depends(has_room)],
        response_class=EventSourceResponse,
        summary="The live feed of public events, as server-sent events",
        tags=["feed"],
    )
    async def events(
        request: Request,
        commitment: Annotated[str | None, Query(max_length=96, pattern=f"^{_SLUG.pattern}$")] = None,
        after: Annotated[str | None, Query(max_length=120, description="Tell what came after this event id")] = None,
        last_event_id: Annotated[str | None, Header(description="The same, as browsers send it")] = None,
        lang: Language | None = None,
    ) -> AsyncIterator[ServerSentEvent]:
        """Each event's `id` is `topic-partition-offset`, its `event` the topic, its data a line of it in words.

        A reader that comes back may be told again what it has heard in the last minute: `id` says so.
        """
        voice = portal.pages.voices[lang] if lang else portal.pages.voice(request)
        last = Place.parse(last_event_id or after or "")
        yield ServerSentEvent(comment="the wire is open", retry=3000)
        async for heard in portal.feed.follow(last, commitment):
            yield _sent(heard, tell(heard, voice).as_json())


def _sent(heard: Heard, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(id=str(heard.place), event=heard.place.topic, data=data)


def _add_error_pages(app: FastAPI, portal: Portal) -> None:
    """Browsers get a page, everybody else the problem document."""

    def show(request: Request, status: int, otherwise: Response) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return otherwise
        page = portal.pages.show(request, "error.html", status, status=status)
        for name in ("retry-after", "allow"):
            if name in otherwise.headers:
                page.headers[name] = otherwise.headers[name]
        return page

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return show(request, error.status_code, http_problem(error).response())

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        return show(request, 422, validation_problem(error).response())

    @app.exception_handler(Unavailable)
    async def away(request: Request, error: Unavailable) -> Response:
        return show(request, 503, fault_problem(request, error).response())

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        return show(request, 503 if is_transient(error) else 500, fault_problem(request, error).response())


def _choice(request: Request) -> tuple[Choice, list[str]]:
    """What the form asks for, and the names of fields that can't be what was meant; those are left out."""
    given = {name: request.query_params.get(name, "").strip()[:96] for name in vars(Choice())}
    wrong = [name for name, value in given.items() if value and not _is_sensible(name, value)]
    return Choice(**{name: value for name, value in given.items() if name not in wrong}), wrong


def _is_sensible(name: str, value: str) -> bool:
    match name:
        case "country":
            return value in list(Country)
        case "status":
            return value in list(Status)
        case "q":
            return value.isprintable()
        case "due_from" | "due_to":
            try:
                return date.fromisoformat(value).isoformat() == value
            except ValueError:
                return False
    return _SLUG.fullmatch(value) is not None


def _wanted(commitment_id: str | None) -> str | None:
    return commitment_id if commitment_id and _SLUG.fullmatch(commitment_id) else None


def _by_section(commitments: Sequence[Commitment]) -> list[tuple[Named, list[Commitment]]]:
    """Sections in the order of the text, which is the order of the list."""
    sections: dict[str, tuple[Named, list[Commitment]]] = {}
    for commitment in commitments:
        named = Named(id=commitment.section, title=commitment.section_title)
        sections.setdefault(commitment.section, (named, []))[1].append(commitment)
    return list(sections.values())


def _counts(commitments: Sequence[Commitment]) -> list[tuple[Status, int]]:
    found = Counter(commitment.status for commitment in commitments)
    return [(status, found[status]) for status in Status if found[status]]


async def _each(name: str, ids: Iterable[str], ask: Callable[[str], Awaitable[P | None]]) -> dict[str, P]:
    """What there is of some things by their ids; what can't be had is left out, and counted."""

    async def one(id_: str) -> tuple[str, P | None]:
        asked: Part[P | None] = await part(name, ask(id_), None)
        return id_, asked.value

    found = await asyncio.gather(*(one(id_) for id_ in sorted(ids)))
    return {id_: value for id_, value in found if value is not None}


def _past(milestones: Iterable[Milestone], today: date) -> list[str]:
    """Milestones whose last day is over, or may be: which day it is there, the scheduler knows."""
    return [m.id for m in milestones if m.span.latest and m.span.latest <= today]


def _next_reviews(reminders: Iterable[Reminder]) -> dict[str, Reminder]:
    """The next review of each milestone that has one."""
    found: dict[str, Reminder] = {}
    for reminder in sorted(reminders, key=lambda one: one.due_at):
        if reminder.step.startswith("review-"):
            found.setdefault(reminder.milestone_id, reminder)
    return found


def _titles(things: Any) -> dict[str, Any]:
    return {thing.id: thing.title for thing in things}


def _options(statements: Sequence[Statement], commitments: Sequence[Commitment]) -> dict[str, dict[str, Any]]:
    """What the form offers; without the statements, what the list itself holds."""
    sections = _titles(section for statement in statements for section in statement.sections)
    themes = _titles(theme for statement in statements for theme in statement.themes)
    if not sections:
        sections = {commitment.section: commitment.section_title for commitment in commitments}
    if not themes:
        themes = {theme: None for commitment in commitments for theme in sorted(commitment.themes)}
    return {"sections": sections, "themes": themes}


def _picture(commitments: Sequence[Commitment], statements: Sequence[Statement], today: date) -> dict[str, Any] | None:
    """The timeline's parts: axis, and a bar for each milestone that has a date."""
    dated = [
        (commitment, milestone, milestone.span.earliest, milestone.span.latest)
        for commitment in commitments
        for milestone in commitment.milestones
        if milestone.span.earliest
    ]
    if not dated:
        return None
    dated.sort(key=lambda row: (row[3] or date.max, row[2]))
    made_on = min((statement.made_on for statement in statements), default=min(row[2] for row in dated))
    axis = axis_for([(first, last or first) for *_, first, last in dated], made_on, today)
    bars = [(commitment, milestone, *axis.bar(first, last)) for commitment, milestone, first, last in dated]
    on_axis = axis.stretches[0].first <= today.year <= axis.stretches[-1].last
    return {"axis": axis, "bars": bars, "today": axis.at(today) if on_axis else None}
