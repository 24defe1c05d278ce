"""Where the pages for people are."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class PageLinks:
    """Addresses of pages; `portal` is an absolute address without a slash at its end."""

    portal: str

    def commitment(self, commitment_id: str) -> str:
        """The page of a commitment."""
        return f"{self.portal}/commitments/{commitment_id}"

    def subscription(self, subscription_id: UUID) -> str:
        """The page where a reader changes what they get."""
        return f"{self.portal}/subscriptions/{subscription_id}"
