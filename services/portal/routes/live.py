"""The live page, and the stream of server-sent events that feeds it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.i18n.languages import languages_to_ask_for
from services.i18n.words import words_in
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.sentences import Sentence
from services.portal.event_lines import event_line
from services.portal.live_feed import TOPICS, LiveEvent, RecordPosition
from services.portal.routes.commitment_list import LONGEST_ID, SLUG
from services.portal.routes.portal import Portal

MOST_READERS = 1000
"""Open streams of one process; each costs a connection and a task."""
TOO_MANY_READERS = ProblemKind(503, "too-many-readers", Sentence("Too many streams are open here"))
LATEST_EVENTS = 100
"""Events on the live page."""


def add_live_page(app: FastAPI, portal: Portal) -> None:
    """`/live`, of all commitments or one."""

    @app.get("/live", include_in_schema=False)
    async def live(request: Request) -> Response:
        asked = request.query_params.get("commitment")
        commitment_id = asked if asked and SLUG.fullmatch(asked) else None
        events = portal.feed.latest(commitment_id)[-LATEST_EVENTS:]
        words = portal.pages.words(request)
        return portal.pages.show(
            request,
            "live.html",
            commitment_id=commitment_id,
            topics=" ".join(TOPICS),
            lines=[event_line(event, words) for event in reversed(events)],
            last=str(events[-1].position) if events else "",
        )


def add_stream(app: FastAPI, portal: Portal) -> None:
    """`/events`."""

    async def counted() -> AsyncIterator[None]:
        # Asked before the stream begins: afterwards there is no status left to give.
        if portal.feed.readers >= MOST_READERS:
            raise Problem(TOO_MANY_READERS, headers={"Retry-After": "30"})
        with portal.feed.reader():
            yield

    @app.get(
        "/events",
        dependencies=[Depends(counted)],
        response_class=EventSourceResponse,
        summary="The live feed of public events, as server-sent events",
        tags=["feed"],
        responses=problems(TOO_MANY_READERS),
    )
    async def events(
        request: Request,
        commitment: Annotated[str | None, Query(max_length=LONGEST_ID, pattern=f"^{SLUG.pattern}$")] = None,
        after: Annotated[str | None, Query(max_length=120, description="Send what came after this event id")] = None,
        last_event_id: Annotated[str | None, Header(description="The same, as browsers send it")] = None,
        lang: Annotated[str | None, Query(pattern=f"^({'|'.join(languages_to_ask_for())})$")] = None,
    ) -> AsyncIterator[ServerSentEvent]:
        """Each event's `id` is `topic-partition-offset`, its `event` the topic, its data a line of it in words.

        A reader that comes back may get the events of the last minute again; it knows them by their `id`.
        """
        words = words_in(lang) if lang else portal.pages.words(request)
        last = RecordPosition.parse(last_event_id or after or "")
        yield ServerSentEvent(comment="the wire is open", retry=3000)
        async for event in portal.feed.follow(last, commitment):
            yield _sent(event, event_line(event, words).as_json())


def _sent(event: LiveEvent, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(id=str(event.position), event=event.position.topic, data=data)
