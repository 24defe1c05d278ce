"""`POST /milestones/{id}/acknowledgements`: somebody says that they are working on an overdue milestone."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response
from fastapi.responses import JSONResponse

from contracts.events import Acknowledgement
from contracts.vocabulary import Slug
from services.plumbing.audit.keyed_hash import WITHHELD, KeyedHash
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.forms import strict_body
from services.plumbing.http.idempotency import IDEMPOTENCY_KEY, KeyedRequest, keyed_request
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind, not_found
from services.plumbing.sentences import Sentence, sentence_of
from services.scheduler.escalation.acknowledging import AcknowledgedBy, UnknownMilestone, acknowledge
from services.scheduler.escalation.forms import EscalationEntry, NewAcknowledgement, escalation_entry
from services.scheduler.escalation.rules.machine import NothingToOwn, OwnedByAnother
from services.scheduler.escalation.store import EscalationStore

NOTHING_TO_OWN = ProblemKind(409, "nothing-to-own", Sentence("There is nothing to own"))
OWNED_BY_ANOTHER = ProblemKind(409, "owned-by-another", Sentence("Somebody else is on it"))


class AcknowledgementDoor:
    """What every way to acknowledge a milestone does, and how it refuses."""

    def __init__(self, database: Database, clock: Clock, escalations: EscalationStore) -> None:
        self._database = database
        self._clock = clock
        self._escalations = escalations

    async def acknowledge(
        self, milestone_id: str, new: NewAcknowledgement, request: KeyedRequest, by: AcknowledgedBy
    ) -> Response:
        """The answer to who is on a milestone; raises a 404 or 409 problem."""
        acknowledgement = Acknowledgement(name=new.name, note=new.note, at=self._clock.now())
        book = self._escalations.book
        try:
            answer = await acknowledge(
                self._database,
                self._escalations,
                milestone_id,
                acknowledgement,
                request,
                by,
                lambda escalation: escalation_entry(escalation, book).model_dump(mode="json"),
            )
        except UnknownMilestone:
            raise not_found(Sentence("There is no such milestone")) from None
        except NothingToOwn as refusal:
            raise Problem(NOTHING_TO_OWN, sentence_of(refusal)) from None
        except OwnedByAnother as refusal:
            name, since = refusal.holder.name, refusal.holder.at.isoformat()
            how = Sentence("%(name)s is on it since %(since)s", name=name, since=since)
            raise Problem(OWNED_BY_ANOTHER, how, held_by=name, held_since=since) from None
        return JSONResponse(answer.body, answer.status)


def acknowledgement_routes(
    database: Database, clock: Clock, keys: ApiKeys, escalations: EscalationStore, keyed_hash: KeyedHash = WITHHELD
) -> APIRouter:
    """The route by which a milestone is acknowledged; it takes a key with the role `reporter`."""
    router, door = APIRouter(tags=["escalations"]), AcknowledgementDoor(database, clock, escalations)
    Reporter = Annotated[Caller, Depends(keys.caller("reporter"))]  # noqa: N806  a type

    @router.post(
        "/milestones/{milestone_id}/acknowledgements",
        status_code=201,
        response_model=EscalationEntry,
        responses=problems(401, 403, 404, NOTHING_TO_OWN, OWNED_BY_ANOTHER),
        openapi_extra={"parameters": [IDEMPOTENCY_KEY]},
        operation_id="acknowledge_milestone",
    )
    async def acknowledge_milestone(
        request: Request,
        milestone_id: Slug,
        new: Annotated[NewAcknowledgement, Body(), strict_body(NewAcknowledgement)],
        caller: Reporter,
    ) -> Response:
        """Say that somebody is on it: nobody further is notified, unless no evidence follows.

        While somebody else is on it this is refused, and says who and since when (`held_by`, `held_since`). With their
        name in `take_over_from` it is taken over from them, and the milestone's log says so.
        """
        by = AcknowledgedBy(caller.actor, new.take_over_from, keyed_hash)
        return await door.acknowledge(milestone_id, new, await keyed_request(request, caller.client), by)

    return router
