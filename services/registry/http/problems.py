"""Which problem a caller is answered for each error of the register."""

from collections.abc import Mapping

from fastapi import Request, Response

from services.plumbing.http.problems import Problem, ProblemKind
from services.registry.actions.anchors import AnchorAlreadyCancelled, AnchorSucceeded
from services.registry.actions.holds import SchedulerUnavailable
from services.registry.actions.import_statement import CopyDiffers
from services.registry.actions.initial_date import AmbiguousWording, AnchorNeeded
from services.registry.actions.reschedule import FollowsAnchor
from services.registry.rules.errors import AlreadyExists, Invalid, RegistryError, ResourceNotFound
from services.registry.rules.status import StatusNotAllowed, VersionConflict

STATUS_OF: Mapping[type[RegistryError], int] = {
    ResourceNotFound: 404,
    Invalid: 422,
    AlreadyExists: 409,
    StatusNotAllowed: 422,
    VersionConflict: 409,
    FollowsAnchor: 409,
    AnchorSucceeded: 409,
    AnchorAlreadyCancelled: 409,
    CopyDiffers: 422,
    AmbiguousWording: 422,
    AnchorNeeded: 422,
    SchedulerUnavailable: 503,
}


def problem_kind(error: type[RegistryError]) -> ProblemKind:
    """The kind of problem that an error of the register is; its title is the first line of the error's docstring."""
    title = (error.__doc__ or "").partition("\n")[0].removesuffix(".")
    return ProblemKind(STATUS_OF[error], error.kind, title)


async def answer_registry_error(_: Request, error: RegistryError) -> Response:
    """FastAPI's handler for `RegistryError`."""
    headers = {"Retry-After": "1"} if isinstance(error, SchedulerUnavailable) else {}
    return Problem(problem_kind(type(error)), str(error), headers, **error.members).response()
