"""Silences over HTTP: an operator's hold for everybody, a subscriber's for its own subscriptions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.notifier.silences.forms import NewSilence, SilenceAnswer, SilencePage, silence_answer
from services.notifier.silences.store import SilenceStore
from services.notifier.subscriptions.access import READERS, owner_for
from services.notifier.subscriptions.timing_form import LONGEST_MUTE
from services.plumbing.clock import Clock
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.cursors import BAD_CURSOR, Cursor, Cursors
from services.plumbing.http.forms import WRITTEN_NUMBER
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import REFUSED_BY_RULE, Problem, not_found
from services.plumbing.sentences import Sentence

_CURSORS = Cursors[UUID](UUID)


def silence_router(store: SilenceStore, keys: ApiKeys, clock: Clock) -> APIRouter:
    """Make, list and end silences."""
    router = APIRouter(tags=["silences"])
    Silencer = Annotated[Caller, Depends(keys.caller(*READERS))]  # noqa: N806  a type, bound to this application's keys

    @router.post("/silences", status_code=201, operation_id="add_silence", responses=problems(401, 403, 404))
    async def add_silence(form: NewSilence, caller: Silencer, response: Response) -> SilenceAnswer:
        """Silence something for a while: it is put off, and told when the silence ends. None lasts for ever."""
        now = clock.now()
        begins = form.begins or now
        ends = form.end(max(now, begins))
        if ends <= max(now, begins):
            raise Problem(REFUSED_BY_RULE, Sentence("a silence ends after it has begun, and not in the past"))
        if ends - now > LONGEST_MUTE:
            raise Problem(
                REFUSED_BY_RULE, Sentence("a silence ends within %(most_days)s days", most_days=LONGEST_MUTE.days)
            )
        values = {
            "owner": owner_for(caller),
            "subscription_id": form.subscription,
            "reason": form.reason,
            "begins": max(begins, now),
            "ends": ends,
            **form.filters.model_dump(mode="json"),
        }
        row = await store.add(values, now, caller.actor)
        if row is None:
            raise not_found(Sentence("There is no such subscription"))
        response.headers["Location"] = f"/silences/{row['id']}"
        return silence_answer(row, now)

    @router.get("/silences", operation_id="list_silences", responses=problems(BAD_CURSOR, 401, 403))
    async def list_silences(
        caller: Silencer,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=200), WRITTEN_NUMBER] = 50,
    ) -> SilencePage:
        """One's own silences, the newest first; an operator sees all."""
        now = clock.now()
        before = _CURSORS.read(cursor) if cursor is not None else None
        found = await store.page(owner_for(caller), before, limit + 1, now)
        rows, next_cursor = _CURSORS.page(found, limit, lambda row: row["id"])
        return SilencePage(items=tuple(silence_answer(row, now) for row in rows), next_cursor=next_cursor)

    @router.delete("/silences/{id_}", status_code=204, operation_id="end_silence", responses=problems(401, 403, 404))
    async def end_silence(id_: UUID, caller: Silencer) -> None:
        """End a silence before its time; what waited for it is told now."""
        if not await store.end(id_, owner_for(caller), clock.now(), caller.actor):
            raise not_found(Sentence("There is no such silence"))

    return router
