"""Where the pages for people are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

DueState = Literal["overdue", "asked", "soon"]
"""As the portal's list filters by it."""


def unsigned(subscription_id: UUID, milestone_id: str, is_shared: bool) -> str:
    """In place of a token where nobody is to answer, as in a preview."""
    return "preview"


@dataclass(frozen=True)
class PageLinks:
    """Addresses of pages; `portal` is an absolute address without a slash at its end.

    `token` makes what stands in the address of a subscription's page in place of its id: the page is for those who
    have had a message.
    """

    portal: str
    token: Callable[[UUID], str]
    shared_token: Callable[[UUID], str] | None = None
    """Makes it where everybody in a channel reads the message: that link has an end."""
    acknowledgement_token: Callable[[UUID, str, bool], str] = unsigned
    """Makes the token by which who is asked about a milestone says that they are on it."""

    def commitment(self, commitment_id: str) -> str:
        """The page of a commitment."""
        return f"{self.portal}/commitments/{commitment_id}"

    def commitments(self, due: DueState | None = None) -> str:
        """The page that lists what is in the register, or of it what is overdue, asked about or due soon."""
        return f"{self.portal}/?due={due}" if due else f"{self.portal}/"

    def subscription(self, subscription_id: UUID, *, is_shared: bool = False) -> str:
        """The page where a reader sees and changes what they get."""
        token = self.shared_token if is_shared and self.shared_token else self.token
        return f"{self.portal}/subscriptions/{token(subscription_id)}"

    def stop(self, subscription_id: UUID) -> str:
        """The page where a reader of mails says that they want no more of them, or less."""
        return f"{self.subscription(subscription_id)}/stop"

    def on_it(self, subscription_id: UUID, milestone_id: str, *, is_shared: bool) -> str:
        """The page where who is asked about what is overdue says that they are on it."""
        return f"{self.portal}/on-it/{self.acknowledgement_token(subscription_id, milestone_id, is_shared)}"
