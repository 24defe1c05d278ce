"""Where the pages for people are."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class PageLinks:
    """Addresses of pages; `portal` is an absolute address without a slash at its end.

    `token` makes what stands in the address of a subscription's page in place of its id: the page is for those who
    have had a message.
    """

    portal: str
    token: Callable[[UUID], str]

    def commitment(self, commitment_id: str) -> str:
        """The page of a commitment."""
        return f"{self.portal}/commitments/{commitment_id}"

    @property
    def commitments(self) -> str:
        """The page that lists what is in the register."""
        return f"{self.portal}/"

    def subscription(self, subscription_id: UUID) -> str:
        """The page where a reader sees what they get."""
        return f"{self.portal}/subscriptions/{self.token(subscription_id)}"
