"""Receipts over HTTP: what became of an event for a subscription, for owners, operators and who has a link."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from contracts.vocabulary import Channel, Instant, LanguageTag
from services.i18n.languages import ReaderLanguage, choose_language
from services.i18n.words import words_in
from services.notifier.delivery.log import DeliveryLog
from services.notifier.delivery.receipt_text import receipt_text
from services.notifier.delivery.receipts import ReceiptOutcome, receipt_of, receipt_of_nothing
from services.notifier.events.event_types import TOLD_AS
from services.notifier.events.published_event import PublishedEvent
from services.notifier.subscriptions.access import READERS, owner_for
from services.notifier.subscriptions.subscription_links import LINK_ENDED, SubscriptionLinks
from services.plumbing.clock import Clock
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.forms import ResponseModel
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import REFUSED_BY_RULE, not_found
from services.plumbing.sentences import Sentence


class ReceiptAnswer(ResponseModel):
    """What became of one event for one subscription, and the rule that decided."""

    event_id: UUID
    event: str
    subscription_id: UUID
    subscriber: str
    channel: Channel
    delivery_id: UUID | None
    """Null where the event owed the subscription nothing."""
    outcome: ReceiptOutcome
    rule: str | None
    """Which rule decided: why it waits, the reason of its end, or what left the subscription out; null for what was
    told at once."""
    until: Instant | None
    """Until when it waits, where that is known."""
    settled_at: Instant | None
    message: UUID | None
    """The delivery in whose message it was told; its own where it had one to itself."""
    others: int
    """What else that message told."""
    left_out_by: tuple[str, ...]
    """Which filters or rules left the subscription out, where the event owed it nothing."""
    text: str
    """All of this in a sentence or two, in the language that is asked for or that the request accepts."""


def receipt_router(log: DeliveryLog, keys: ApiKeys, links: SubscriptionLinks, clock: Clock) -> APIRouter:
    """Receipts; no answer names an address."""
    router = APIRouter(tags=["deliveries"])
    Reader = Annotated[Caller, Depends(keys.caller(*READERS))]  # noqa: N806  a type, bound to this application's keys

    async def answer(event: UUID, subscription: UUID, owner: str | None, language: LanguageTag) -> ReceiptAnswer:
        found = await log.receipt(event, subscription, owner)
        if found is None:
            raise not_found(Sentence("There is no such event or subscription"))
        heard, to, row = found
        if row is None:
            members = list(heard.values())
            receipt = receipt_of_nothing(dict(to), PublishedEvent(*members[:-1]), heard["received_at"])
        else:
            receipt = receipt_of(dict(row), clock.now())
        return ReceiptAnswer(
            event_id=heard["id"],
            event=TOLD_AS.get(heard["topic"], heard["topic"]),
            subscription_id=to["id"],
            subscriber=to["subscriber"],
            channel=to["channel"],
            delivery_id=row["id"] if row else None,
            outcome=receipt.outcome,
            rule=receipt.rule,
            until=receipt.until,
            settled_at=receipt.at,
            message=receipt.message,
            others=receipt.others,
            left_out_by=receipt.left_out_by,
            text=receipt_text(receipt, words_in(language), to["zone"]),
        )

    @router.get("/receipts", operation_id="read_receipt", responses=problems(401, 403, 404, 422, REFUSED_BY_RULE))
    async def show_receipt(
        request: Request, event: UUID, subscription: UUID, caller: Reader, lang: ReaderLanguage | None = None
    ) -> ReceiptAnswer:
        """What became of an event for a subscription: whether and when it was told, or the rule by which it wasn't."""
        return await answer(event, subscription, owner_for(caller), _language(lang, request))

    @router.get(
        "/subscription-links/{token}/receipts",
        operation_id="read_receipt_by_link",
        responses=problems(404, LINK_ENDED, 422, REFUSED_BY_RULE),
    )
    async def show_receipt_by_link(
        request: Request, token: str, event: UUID, lang: ReaderLanguage | None = None
    ) -> ReceiptAnswer:
        """The same, to who has the link of one of the subscription's messages."""
        row = await links.subscription(token)
        return await answer(event, row["id"], None, _language(lang, request))

    return router


def _language(wanted: LanguageTag | None, request: Request) -> LanguageTag:
    return choose_language(wanted, None, request.headers.get("accept-language"))
