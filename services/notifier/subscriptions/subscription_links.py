"""The link of a message: who has it sees and changes the subscription that the message was sent to.

A mail's link is its reader's for ever. What is posted to a chat channel is read by everybody there, also by who joined
yesterday and who left last year; so its link ends, and each message has a new one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from services.notifier.channels import CHANNELS
from services.notifier.subscriptions.signed_ids import SignedIds
from services.notifier.subscriptions.store import Row, SubscriptionStore
from services.plumbing.clock import Clock
from services.plumbing.http.problems import Problem, ProblemKind, not_found
from services.plumbing.sentences import Sentence

SHARED_DAYS = 30
"""Days for which the link of a message is good that everybody in a channel can read."""
LINK_ENDED = ProblemKind(
    410, "link-ended", Sentence("This link has ended; the newest message in the channel has another")
)


def last_day_of_shared(now: datetime) -> date:
    """The last day, in UTC, of a link that a channel is sent now."""
    return now.date() + timedelta(days=SHARED_DAYS)


def shared_token(tokens: SignedIds, clock: Clock) -> Callable[[UUID], str]:
    """What makes the tokens of links that everybody in a channel holds."""
    return lambda subscription_id: tokens.token(subscription_id, last_day_of_shared(clock.now()))


@dataclass(frozen=True)
class SubscriptionLinks:
    """Reads the links of messages."""

    store: SubscriptionStore
    tokens: SignedIds
    clock: Clock

    async def subscription(self, token: str) -> Row:
        """The row of the subscription whose message has this link; a 404 problem for one that we did not make, 410 for
        one that has ended. A channel's links from before they had an end have ended, too.
        """
        signed = self.tokens.read(token)
        row = await self.store.find(signed.id, None) if signed else None
        if signed is None or row is None:
            raise no_such_link()
        is_endless = signed.last_day is None and CHANNELS[row["channel"]].is_shared
        if is_endless or signed.has_ended(self.clock.now().date()):
            raise Problem(LINK_ENDED)
        return row


def no_such_link() -> Problem:
    """What is answered to every link that we did not make."""
    return not_found(Sentence("There is no such link"))
