"""The link of an escalation by which somebody says that they are on it: for one subscription and one milestone.

Who was asked may answer, without a key. It says nothing else, and ends with the subscription; in a channel it ends by
itself, as all links there do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fastapi import APIRouter

from contracts.vocabulary import Channel, LanguageTag, MinistryCode, Slug
from services.notifier.channels import CHANNELS
from services.notifier.subscriptions.link_settings import LinkSettings
from services.notifier.subscriptions.signed_ids import SignedValues
from services.notifier.subscriptions.store import Row, SubscriptionStore
from services.notifier.subscriptions.subscription_links import LINK_ENDED, last_day_of_shared, no_such_link
from services.plumbing.clock import Clock
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.forms import ResponseModel
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem


@dataclass(frozen=True)
class AskedMilestone:
    """What a token was made for; `last_day` in UTC, None where it has none."""

    subscription_id: UUID
    milestone_id: str
    last_day: date | None


class AcknowledgementTokens:
    """Makes and reads the tokens."""

    def __init__(self, settings: LinkSettings) -> None:
        self._values = SignedValues(settings, "acknowledgement")

    def token(self, subscription_id: UUID, milestone_id: str, last_day: date | None = None) -> str:
        """The token by which who has it answers for this subscription."""
        return self._values.token([subscription_id.hex, milestone_id, last_day.toordinal() if last_day else None])

    def read(self, token: str) -> AskedMilestone | None:
        """What a token says, whether or not it has ended; None where we did not make it."""
        match self._values.value(token):
            case [str(id_), str(milestone_id), int(last_day)]:
                return AskedMilestone(UUID(hex=id_), milestone_id, date.fromordinal(last_day))
            case [str(id_), str(milestone_id), None]:
                return AskedMilestone(UUID(hex=id_), milestone_id, None)
        return None


def acknowledgement_token(tokens: AcknowledgementTokens, clock: Clock) -> Callable[[UUID, str, bool], str]:
    """What makes the token in a message to a subscription; the last argument is whether a channel reads it."""

    def made(subscription_id: UUID, milestone_id: str, is_shared: bool) -> str:
        return tokens.token(subscription_id, milestone_id, last_day_of_shared(clock.now()) if is_shared else None)

    return made


class AcknowledgementLink(ResponseModel):
    """For whom, and to what, who has a link may answer."""

    milestone_id: Slug
    subscription_id: UUID
    subscriber: str
    """For whom the subscription is; neither the address nor the owner."""
    channel: Channel
    is_shared: bool
    """Whether everybody in a channel has the link."""
    language: LanguageTag
    zone: str
    ministry: MinistryCode | None
    """The ministry for which the subscription's owner speaks, where there is one."""


def acknowledgement_link_router(
    store: SubscriptionStore, tokens: AcknowledgementTokens, keys: ApiKeys, clock: Clock
) -> APIRouter:
    """What the scheduler asks before it lets somebody acknowledge by a link."""
    router = APIRouter(tags=["links"])

    @router.get(
        "/acknowledgement-links/{token}",
        operation_id="read_acknowledgement_link",
        responses=problems(404, LINK_ENDED),
    )
    async def read_acknowledgement_link(token: str) -> AcknowledgementLink:
        """Which milestone who has the link of an escalation may say to be on."""
        asked = tokens.read(token)
        row: Row | None = await store.find(asked.subscription_id, None) if asked else None
        if asked is None or row is None:
            raise no_such_link()
        is_over = asked.last_day is not None and asked.last_day < clock.now().date()
        if is_over or row["state"] == "ended":
            raise Problem(LINK_ENDED)
        return AcknowledgementLink(
            milestone_id=asked.milestone_id,
            subscription_id=row["id"],
            subscriber=row["subscriber"],
            channel=row["channel"],
            is_shared=CHANNELS[row["channel"]].is_shared,
            language=row["language"],
            zone=row["zone"],
            ministry=keys.ministry_of(row["owner"]),
        )

    return router
