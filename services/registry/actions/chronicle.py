"""Takes in what became of a statement since it was made: its events moved and held, and how its commitments stand.

It is history: what it says of dates that have passed is in the register, and nobody is told, reminded or asked because
of it. What the register knows better stays. Taken in again, it changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time

from services.plumbing.database import Connection, Database
from services.plumbing.ids import id_about
from services.plumbing.logs import log
from services.registry.actions.anchors import MoveAnchor, RecordAnchorHeld, move_anchor, record_anchor_held
from services.registry.actions.events import ActionContext
from services.registry.actions.holds import ScheduleHolds
from services.registry.actions.status_updates import ReportStatus, record_status_updates
from services.registry.catalogue.contents import Catalogue
from services.registry.catalogue.happenings import (
    AnchorHeld,
    AnchorMoves,
    StatusComes,
    days_with_happenings,
    happenings,
)
from services.registry.rules.edtf_dates import span_of
from services.registry.rules.errors import RegistryError
from services.registry.store.anchors import AnchorState, lock_anchors
from services.registry.store.status_updates import known_reports


async def take_in_chronicle(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    catalogue: Catalogue,
    context: ActionContext,
) -> int:
    """Bring the register up to what the chronicle knew until now, in the caller's transaction; how many statuses came.

    The statement has to be there. `holds` is who holds the old dates; None where no date is known outside yet.
    """
    history = replace(context, is_history=True)
    reports: list[tuple[date, StatusComes]] = []
    for day in days_with_happenings(catalogue):
        if day > context.now.date():
            break
        for one in happenings(catalogue, day):
            match one:
                case StatusComes():
                    reports.append((day, one))
                case AnchorMoves() | AnchorHeld():
                    await _tell_of_anchor(database, connection, holds, one, day, history)
    return await _record(database, connection, reports, history)


async def _tell_of_anchor(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    one: AnchorMoves | AnchorHeld,
    day: date,
    context: ActionContext,
) -> None:
    anchor = (await lock_anchors(connection, [one.anchor_id]))[one.anchor_id]
    if not is_news(anchor, one, day):
        return
    if isinstance(one, AnchorMoves):
        if one.entry.span is not None:
            move = MoveAnchor(one.entry.span, None, one.entry.source, day)
            await move_anchor(database, connection, holds, one.anchor_id, move, context)
        return
    held = RecordAnchorHeld(span_of(one.edtf) if one.edtf else None, None, one.source, day)
    await record_anchor_held(database, connection, holds, one.anchor_id, held, context)


def is_news(anchor: AnchorState, one: AnchorMoves | AnchorHeld, day: date) -> bool:
    """Whether the register does not know it, or anything newer of the same event, yet."""
    if anchor.successor_id or anchor.outcome == "cancelled":
        return False
    if isinstance(one, AnchorHeld):
        return anchor.known_on < day or (anchor.known_on == day and anchor.outcome is None)
    return anchor.known_on < day


async def _record(
    database: Database, connection: Connection, told: Sequence[tuple[date, StatusComes]], context: ActionContext
) -> int:
    """Record the statuses that the history hasn't, as they were said then; what later news rules out stays out."""
    ids = [
        id_about("chronicle", one.commitment_id, one.party, one.status, one.source, day.isoformat())
        for day, one in told
    ]
    known = await known_reports(connection, ids)
    reports = [
        (
            ReportStatus(
                commitment_id=one.commitment_id,
                status=one.status,
                party=one.party,
                note=one.told,
                reported_at=min(datetime.combine(day, time(18), UTC), context.now),
                report_id=id_,
            ),
            context,
        )
        for (day, one), id_ in zip(told, ids, strict=True)
        if id_ not in known
    ]
    results = await record_status_updates(database, connection, reports)
    for (report, _), result in zip(reports, results, strict=True):
        if isinstance(result, RegistryError):
            log.info(
                "a status of the chronicle does not fit", action="chronicle_left_out", commitment=report.commitment_id
            )
    return sum(not isinstance(result, RegistryError) for result in results)
