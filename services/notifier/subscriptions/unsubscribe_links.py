"""The link of each mail that ends its subscription without signing in (RFC 8058, one click)."""

from uuid import UUID

from services.notifier.subscriptions.link_settings import LinkSettings
from services.notifier.subscriptions.signed_ids import SignedIds


class UnsubscribeLinks:
    """Makes and reads unsubscribe links; each is bound to one subscription."""

    def __init__(self, settings: LinkSettings) -> None:
        self._ids = SignedIds(settings, "unsubscribe")
        self._base = settings.public_url
        self.subscription = self._ids.subscription

    def url(self, subscription_id: UUID) -> str:
        """The link that ends a subscription: its page asks, a POST to it acts."""
        return f"{self._base}/unsubscribe/{self._ids.token(subscription_id)}"
