"""What GET answers of one thing, for who changes it and has named by `If-Match` what they read.

Each function locks the thing's row first, so that nobody else changes it between the look and the change.
"""

from functools import partial

from pydantic import BaseModel

from contracts.vocabulary import Slug
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.http.write_endpoint import Shown
from services.registry.views.anchors import anchor_record
from services.registry.views.commitments import commitment_record
from services.registry.views.milestones import schedule_version
from services.registry.views.ministries import ministry_record
from services.registry.views.statements import statement_record


class ScheduleVersion(ResponseModel):
    """Which of a milestone's schedules holds; reminders of an older one must not fire."""

    milestone_id: Slug
    schedule_version: int


def commitment_shown(commitment_id: str) -> Shown:
    """As `GET /commitments/{commitment_id}` shows it."""
    return partial(_commitment, commitment_id)


def anchor_shown(anchor_id: str) -> Shown:
    """As `GET /anchors/{anchor_id}` shows it."""
    return partial(_anchor, anchor_id)


def statement_shown(statement_id: str) -> Shown:
    """As `GET /statements/{statement_id}` shows it."""
    return partial(_statement, statement_id)


def ministry_shown(code: str) -> Shown:
    """As `GET /ministries/{code}` shows it."""
    return partial(_ministry, code)


def schedule_shown(milestone_id: str) -> Shown:
    """As `GET /milestones/{milestone_id}/schedule-version` shows it."""
    return partial(_schedule, milestone_id)


async def _commitment(commitment_id: str, connection: Connection) -> BaseModel | None:
    await connection.execute("select from commitment where id = $1 for update", commitment_id)
    return await commitment_record(connection, commitment_id)


async def _anchor(anchor_id: str, connection: Connection) -> BaseModel | None:
    await connection.execute("select from anchor where id = $1 for update", anchor_id)
    return await anchor_record(connection, anchor_id)


async def _statement(statement_id: str, connection: Connection) -> BaseModel | None:
    await connection.execute("select from statement where id = $1 for update", statement_id)
    return await statement_record(connection, statement_id)


async def _ministry(code: str, connection: Connection) -> BaseModel | None:
    await connection.execute("select from ministry where code = $1 for update", code)
    return await ministry_record(connection, code)


async def _schedule(milestone_id: str, connection: Connection) -> BaseModel | None:
    await connection.execute("select from milestone where id = $1 for update", milestone_id)
    version = await schedule_version(connection, milestone_id)
    return None if version is None else ScheduleVersion(milestone_id=milestone_id, schedule_version=version)
