"""Which problem a caller is answered for each error of the register."""

from collections.abc import Mapping

from fastapi import Request, Response

from services.plumbing.http.faults import Fault
from services.plumbing.http.problems import Problem, ProblemKind
from services.registry.actions.anchors import AnchorAlreadyCancelled, AnchorSucceeded
from services.registry.actions.assessments import NothingNew
from services.registry.actions.holds import SchedulerUnavailable
from services.registry.actions.import_statement import CopyDiffers
from services.registry.actions.initial_date import AmbiguousWording, AnchorNeeded, LanguageUnread
from services.registry.actions.reschedule import FollowsAnchor
from services.registry.actions.sent_reports import ReportChanged
from services.registry.actions.status_updates import UnknownMinistry
from services.registry.rules.api_keys import KeyNotAllowed, OtherMinistry, TooManyLiveKeys
from services.registry.rules.errors import AlreadyExists, Invalid, RegistryError, ResourceNotFound
from services.registry.rules.parties import UnknownParty
from services.registry.rules.status import EvidenceNeeded, StatusNotAllowed, VersionConflict
from services.registry.rules.status_party import NotYourParty, PartyNotBound

STATUS_OF: Mapping[type[RegistryError], int] = {
    ResourceNotFound: 404,
    Invalid: 422,
    AlreadyExists: 409,
    NotYourParty: 403,
    UnknownMinistry: 403,
    PartyNotBound: 422,
    StatusNotAllowed: 422,
    EvidenceNeeded: 422,
    NothingNew: 422,
    VersionConflict: 409,
    ReportChanged: 409,
    FollowsAnchor: 409,
    AnchorSucceeded: 409,
    AnchorAlreadyCancelled: 409,
    CopyDiffers: 422,
    AmbiguousWording: 422,
    AnchorNeeded: 422,
    LanguageUnread: 422,
    UnknownParty: 422,
    KeyNotAllowed: 403,
    OtherMinistry: 409,
    TooManyLiveKeys: 409,
    SchedulerUnavailable: 503,
}


def problem_kind(error: type[RegistryError]) -> ProblemKind:
    """The kind of problem that an error of the register is."""
    return ProblemKind(STATUS_OF[error], error.kind, error.title)


def kind_named(kind: str) -> ProblemKind:
    """The kind of problem that is called so; one of a later release is told by its name alone."""
    found = next((error for error in STATUS_OF if error.kind == kind), None)
    return problem_kind(found) if found else ProblemKind(422, kind, RegistryError.title)


def problem_of(error: RegistryError) -> Problem:
    """The problem that an error of the register is for who asked."""
    headers = {"Retry-After": "1"} if isinstance(error, SchedulerUnavailable) else {}
    faults = [Fault(error.code, error.sentence, {"pointer": error.pointer})] if error.pointer else []
    return Problem(problem_kind(type(error)), error.sentence, headers, faults=faults, **error.members)


async def answer_registry_error(request: Request, error: RegistryError) -> Response:
    """FastAPI's handler for `RegistryError`."""
    return problem_of(error).response(request.scope)
