"""Many status updates in one request, each answered by itself; and what became of a report."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field, ValidationError

from contracts.vocabulary import Slug
from services.plumbing.http.answer_language import kept_language
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.faults import Fault
from services.plumbing.http.forms import ResponseModel, StrictRequestModel, strict_body
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import NOT_FOUND, Problem, validation_problem
from services.plumbing.sentences import Sentence, Translate
from services.registry.actions.events import report_event_id, sender_of
from services.registry.actions.sent_reports import Outcome, ReportedBefore, record_sent_reports
from services.registry.http.problems import kind_named, problem_of
from services.registry.http.status_updates import NewStatusUpdate, check_speaks, report_in_body
from services.registry.http.write_endpoint import WriteEndpoint, written
from services.registry.rules.errors import RegistryError
from services.registry.store.refused_reports import find_refused_report
from services.registry.views.reports import RecordedReport, ReportOutcome, recorded_reports

MOST_REPORTS = 200
"""Of one request; its body has the bound of all bodies beside."""


class NewReport(NewStatusUpdate):
    """A status update, its commitment, and the sender's own id of it."""

    report_id: UUID
    """Made up by the sender: the same report again, in whichever request, is recorded once."""
    commitment_id: Slug


class UnreadableReport(StrictRequestModel):
    """Whatever else has an id: it is answered as refused, and holds up no other."""

    model_config = ConfigDict(extra="allow")

    report_id: UUID


class Reports(StrictRequestModel):
    """Status updates, each for itself."""

    reports: Annotated[
        tuple[Annotated[NewReport | UnreadableReport, Field(union_mode="left_to_right")], ...],
        Field(min_length=1, max_length=MOST_REPORTS),
    ]


class ReportResult(ResponseModel):
    """What became of one report."""

    report_id: UUID
    result: Literal["recorded", "known", "refused"]
    """`known`: the same was recorded before under this id."""
    event_id: UUID | None = None
    version: int | None = None
    current: bool | None = None
    """False where newer news of the same was known already: it is history only."""
    recorded_at: datetime | None = None
    problem: dict[str, Any] | None = None
    """Of what was refused, as it would be over HTTP by itself; pointers lead into the report."""


class ReportResults(ResponseModel):
    """The results of reports, in their order."""

    recorded: int
    known: int
    refused: int
    results: tuple[ReportResult, ...]


ReportsBody = Annotated[Reports, Body(), strict_body(Reports)]


def read_routes(endpoint: WriteEndpoint) -> APIRouter:
    """What senders may ask of their reports."""
    router = APIRouter()
    Sender = Annotated[Caller, Depends(endpoint.reader("reporter", "editor"))]  # noqa: N806  a type, though made here

    @router.get(
        "/reports/{report_id}",
        response_model=ReportOutcome,
        responses=problems(401, 403, 404),
        operation_id="read_report",
    )
    async def read_report(request: Request, report_id: UUID, caller: Sender) -> ReportOutcome:
        """What became of a report that the caller's ministry has sent, over HTTP, from a file or over Kafka.

        What nobody has sent, or somebody else, is not there. A report on a topic is there once it has been read.
        """
        sender = sender_of(caller.ministry, caller.client)
        event_id = report_event_id(sender, report_id)
        async with endpoint.database.connection() as connection:
            found = (await recorded_reports(connection, {event_id})).get(event_id)
            refused = await find_refused_report(connection, sender, report_id)
        if found is not None:
            state: Literal["recorded", "history"] = "recorded" if found.current else "history"
            return ReportOutcome(report_id=report_id, state=state, recorded=found, refused_at=None, problem=None)
        if refused is None:
            raise Problem(NOT_FOUND, title=Sentence("There is no such report"))
        faults = [Fault(refused.code, refused.detail, {"pointer": refused.pointer})] if refused.pointer else []
        problem = Problem(kind_named(refused.kind), refused.detail, faults=faults)
        return ReportOutcome(
            report_id=report_id,
            state="refused",
            recorded=None,
            refused_at=refused.refused_at,
            problem=problem.document(kept_language(request.scope)[1]),
        )

    return router


def write_routes(endpoint: WriteEndpoint) -> APIRouter:
    """What reporters do with many at once."""
    router = APIRouter()
    Reporter = Annotated[Caller, Depends(endpoint.caller("reporter", "editor"))]  # noqa: N806  a type, though made here

    @router.post(
        "/status-updates", response_model=ReportResults, responses=problems(401, 403), operation_id="report_statuses"
    )
    async def report_statuses(request: Request, new: ReportsBody, caller: Reporter) -> Response:
        """Report how it goes with many commitments: recorded in one transaction, each with a result of its own.

        The answer is 200 whatever became of the rows. A report is recorded once for its `report_id`, so that the whole
        may be sent again; one that was refused may come again, mended, under the same id.
        """
        check_speaks(caller)
        context = endpoint.context(request, caller)
        translate = kept_language(request.scope)[1]
        reports = [
            (report_in_body(one, one.commitment_id, one.report_id), context)
            for one in new.reports
            if isinstance(one, NewReport)
        ]
        transaction = endpoint.database.dry_run() if context.is_dry_run else endpoint.database.transaction()
        async with transaction as connection:
            outcomes = await record_sent_reports(endpoint.database, connection, reports)
            before = {one.event_id for one in outcomes if isinstance(one, ReportedBefore)}
            known = await recorded_reports(connection, before)
        of_readable = iter(outcomes)
        results = [
            _result(one.report_id, next(of_readable), known, translate)
            if isinstance(one, NewReport)
            else _unreadable(one, translate)
            for one in new.reports
        ]
        counts = {name: sum(one.result == name for one in results) for name in ("recorded", "known", "refused")}
        answer = ReportResults(results=tuple(results), **counts)
        return written(answer.model_dump(mode="json"), 200, context)

    return router


def _result(
    report_id: UUID, outcome: Outcome, known: Mapping[UUID, RecordedReport], translate: Translate
) -> ReportResult:
    if isinstance(outcome, RegistryError):
        return ReportResult(report_id=report_id, result="refused", problem=problem_of(outcome).document(translate))
    found = known[outcome.event_id] if isinstance(outcome, ReportedBefore) else outcome
    return ReportResult(
        report_id=report_id,
        result="known" if isinstance(outcome, ReportedBefore) else "recorded",
        event_id=found.event_id,
        version=found.version,
        current=found.current,
        recorded_at=found.recorded_at,
    )


def _unreadable(one: UnreadableReport, translate: Translate) -> ReportResult:
    """The result of what is no report: its faults, as those of a body that holds it alone."""
    body = one.model_dump(mode="json")
    try:
        NewReport.model_validate_json(one.model_dump_json())
    except ValidationError as error:
        located = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        problem = validation_problem(RequestValidationError(located, body=body))
        return ReportResult(report_id=one.report_id, result="refused", problem=problem.document(translate))
    raise AssertionError("what can be read was read")
