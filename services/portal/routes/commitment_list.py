"""The list of commitments: by section, chosen by a form, with a timeline of what has a date."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from contracts.text import fit
from contracts.vocabulary import Status
from services.portal.clients.page_parts import page_part
from services.portal.clients.registry import (
    CommitmentQuery,
    CommitmentView,
    StatementView,
    next_milestone,
)
from services.portal.routes.due_notices import DUE_STATES, DueNotices, due_notices
from services.portal.routes.filter_choices import filter_choices
from services.portal.routes.portal import Portal
from services.portal.timeline import axis_for

LONGEST_ID = 96
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What an id looks like."""
JUST = timedelta(days=7)
"""What has another status or date since then has just changed."""
CHANGED_WITHIN = (JUST.days, 30)
"""Days that can be asked for."""
_LONGEST_PARTY = 64
_PARTY = re.compile(r"[A-Z]{2}|org-[a-z0-9]+(-[a-z0-9]+)*")


def add_commitment_list(app: FastAPI, portal: Portal) -> None:
    """`/`."""

    @app.get("/", include_in_schema=False)
    async def commitments(request: Request) -> Response:
        query, wrong = _query(request)
        statements, listed, notices = await asyncio.gather(
            page_part("statements", portal.registry.statements(), list[StatementView]()),
            page_part("commitments", portal.registry.commitments(query), list[CommitmentView]()),
            due_notices(portal),
        )
        changed = _just_changed(listed.value, portal.clock.now())
        return portal.pages.show(
            request,
            "commitments.html",
            503 if listed.is_missing else 200,
            query=query,
            wrong=wrong,
            statements=statements.value,
            is_missing=listed.is_missing,
            sections=_by_section(listed.value),
            total=len(listed.value),
            counts=_counts(listed.value),
            choices=filter_choices(statements.value, listed.value),
            due_states=DUE_STATES,
            changed_within=CHANGED_WITHIN,
            notices=notices,
            changed=changed,
            just=JUST.days,
            concerns=_concerns(listed.value, notices, changed),
            timeline_picture=_timeline(listed.value, statements.value, portal.clock.now().date()),
            today_in=portal.today_in,
            next_milestone=partial(next_milestone, today_in=portal.today_in),
        )


def _query(request: Request) -> tuple[CommitmentQuery, list[str]]:
    """What the form asks for, and the names of fields that can't be what was meant; those are left out."""
    given = {name: request.query_params.get(name, "").strip()[:LONGEST_ID] for name in vars(CommitmentQuery())}
    wrong = [name for name, value in given.items() if value and not _is_sensible(name, value)]
    return CommitmentQuery(**{name: value for name, value in given.items() if name not in wrong}), wrong


def _is_sensible(name: str, value: str) -> bool:
    match name:
        case "party":
            return len(value) <= _LONGEST_PARTY and _PARTY.fullmatch(value) is not None
        case "status":
            return value in list(Status)
        case "due":
            return value in DUE_STATES
        case "changed_within":
            return value in map(str, CHANGED_WITHIN)
        case "q":
            return _enters(value)
        case "due_from" | "due_to":
            try:
                return date.fromisoformat(value).isoformat() == value
            except ValueError:
                return False
    return SLUG.fullmatch(value) is not None


def _enters(text: str) -> bool:
    try:
        fit(text, LONGEST_ID)
    except ValueError:
        return False
    return True


def _by_section(commitments: Sequence[CommitmentView]) -> list[tuple[str, list[CommitmentView]]]:
    """The commitments of each section, under an id; in the order of the texts, which is the order of the list."""
    sections: dict[str, list[CommitmentView]] = {}
    for commitment in commitments:
        sections.setdefault(f"{commitment.statement_id}-{commitment.section}", []).append(commitment)
    return list(sections.items())


def _counts(commitments: Sequence[CommitmentView]) -> list[tuple[Status, int]]:
    """How many there are of each status, those of a later release last."""
    found = Counter(commitment.status for commitment in commitments)
    others = [status for status in found if not status.is_known]
    counts = [(status, found[status]) for status in Status if found[status]]
    return [*counts, (others[0], sum(found[status] for status in others))] if others else counts


def _just_changed(commitments: Sequence[CommitmentView], now: datetime) -> frozenset[str]:
    """The ids of those of which another status or date was recorded in the last days."""
    return frozenset(one.id for one in commitments if one.changed_at and now - one.changed_at <= JUST)


def _concerns(
    commitments: Sequence[CommitmentView], notices: DueNotices, changed: frozenset[str]
) -> list[tuple[str, str, int]]:
    """What in the list may be a reader's concern: the parameter that chooses it, its value, how many there are."""
    states = Counter(state for one in commitments for state in notices.states_of(one.id))
    counts = [("due", state, states[state]) for state in DUE_STATES]
    return [*counts, ("changed_within", str(JUST.days), len(changed))]


def _timeline(
    commitments: Sequence[CommitmentView], statements: Sequence[StatementView], today: date
) -> dict[str, Any] | None:
    """The picture's parts: axis, and a bar for each milestone that has a date; None where none has."""
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
    on_axis = axis.segments[0].first <= today.year <= axis.segments[-1].last
    return {"axis": axis, "bars": bars, "today": axis.at(today) if on_axis else None}
