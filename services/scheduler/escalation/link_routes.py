"""`/acknowledgement-links/{token}`: who was asked about a milestone answers by the link of the message, without a key.

The notifier made the link and says what it is good for; the scheduler takes nobody else's word.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from services.plumbing.audit.entries import Actor
from services.plumbing.audit.keyed_hash import WITHHELD, KeyedHash
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.forms import strict_body
from services.plumbing.http.idempotency import IDEMPOTENCY_KEY, keyed_request
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind, not_found
from services.plumbing.sentences import Sentence
from services.scheduler.escalation import queries
from services.scheduler.escalation.acknowledgement_routes import (
    NOTHING_TO_OWN,
    OWNED_BY_ANOTHER,
    AcknowledgementDoor,
)
from services.scheduler.escalation.acknowledging import AcknowledgedBy
from services.scheduler.escalation.forms import (
    EscalationByLink,
    EscalationEntry,
    NewAcknowledgement,
    escalation_entry,
)
from services.scheduler.escalation.notifier_client import LinkHolder, LinkOver, NotifierClient
from services.scheduler.escalation.store import EscalationStore

BY_LINK = Actor("acknowledgement-link")
"""Who has the link of an escalation needs no key."""
LINK_ENDED = ProblemKind(410, "link-ended", Sentence("This link has ended; a newer message has another"))


def acknowledgement_link_routes(
    database: Database,
    clock: Clock,
    escalations: EscalationStore,
    notifier: NotifierClient | None,
    keyed_hash: KeyedHash = WITHHELD,
) -> APIRouter:
    """See how it stands with what one is asked about, and acknowledge it."""
    router, door = APIRouter(tags=["escalations"]), AcknowledgementDoor(database, clock, escalations)

    async def holder_of(token: str) -> LinkHolder:
        """Who has the link; a 404 or 410 problem where it is good for nothing."""
        try:
            holder = await notifier.link_holder(token) if notifier else None
        except LinkOver:
            raise Problem(LINK_ENDED) from None
        if holder is None:
            raise not_found(Sentence("There is no such link"))
        return holder

    @router.get(
        "/acknowledgement-links/{token}",
        responses=problems(404, LINK_ENDED),
        operation_id="read_escalation_by_link",
    )
    async def read_escalation_by_link(token: str) -> EscalationByLink:
        """How it stands with the milestone that one is asked about."""
        holder = await holder_of(token)
        async with database.connection() as connection:
            escalation = await queries.read_escalation(connection, holder.milestone_id)
        if escalation is None:
            raise not_found(Sentence("There is no such milestone"))
        return EscalationByLink(
            subscriber=holder.subscriber,
            is_shared=holder.is_shared,
            language=holder.language,
            zone=holder.zone,
            escalation=escalation_entry(escalation, escalations.book),
        )

    @router.post(
        "/acknowledgement-links/{token}",
        status_code=201,
        response_model=EscalationEntry,
        responses=problems(404, LINK_ENDED, NOTHING_TO_OWN, OWNED_BY_ANOTHER),
        openapi_extra={"parameters": [IDEMPOTENCY_KEY]},
        operation_id="acknowledge_by_link",
    )
    async def acknowledge_by_link(
        request: Request, token: str, new: Annotated[NewAcknowledgement, Body(), strict_body(NewAcknowledgement)]
    ) -> Response:
        """Say that somebody is on it, as with a key: nobody further is notified, unless no evidence follows."""
        holder = await holder_of(token)
        keyed = await keyed_request(request, f"subscription/{holder.subscription_id}")
        actor = replace(BY_LINK, ministry=holder.ministry)
        by = AcknowledgedBy(actor, new.take_over_from, keyed_hash, holder.subscription_id, holder.subscriber)
        return await door.acknowledge(holder.milestone_id, new, keyed, by)

    return router
