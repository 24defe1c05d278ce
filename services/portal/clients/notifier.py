"""What the portal reads of the notifier for who has the link of a message: what a subscription asks for and was sent.

The portal has no key: what it may show it is told for the token that stands in the link.
"""

from uuid import UUID

from contracts.vocabulary import CountryCode, Instant, LanguageTag, PartyCode
from services.portal.clients.service_client import ServiceAnswer, ServiceClient


class DeliverySummary(ServiceAnswer):
    """One message to a subscription, and how that ended; without the address."""

    event: str
    commitment_id: str
    state: str
    reason: str | None = None
    settled_at: Instant | None = None
    created_at: Instant | None = None


class FiltersView(ServiceAnswer):
    """What a subscription asks for; an empty list asks for everything, and all lists have to agree."""

    events: tuple[str, ...] = ()
    parties: tuple[PartyCode, ...] = ()
    themes: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    commitments: tuple[str, ...] = ()

    @property
    def are_none(self) -> bool:
        """Whether everything is asked for."""
        return self == FiltersView()


class RungView(ServiceAnswer):
    """One step of a ladder, at a time of day."""

    step: str
    at: str


class HolidayRegionView(ServiceAnswer):
    """Whose public holidays are no business days."""

    country: CountryCode
    subdivision: str | None = None


class LadderView(ServiceAnswer):
    """When a subscription is reminded, instead of at the usual steps."""

    rungs: tuple[RungView, ...]
    holidays: HolidayRegionView | None = None


class SubscriptionView(ServiceAnswer):
    """Who asked for what; without the address."""

    id: UUID
    subscriber: str
    channel: str
    language: LanguageTag
    zone: str
    filters: FiltersView
    ladder: LadderView | None = None
    ladder_refused: str | None = None
    level: str | None = None
    state: str
    reason: str | None = None
    created_at: Instant
    ended_at: Instant | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is sent, unless its owner revives it."""
        return self.state in ("ended", "disabled")


class NotifierApi:
    """The notifier, as far as pages need it. Raises `Unavailable` as `ServiceClient` does."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def deliveries(self, token: str, most: int) -> list[DeliverySummary]:
        """What the subscription of a link was sent lately, the newest first."""
        path = f"/subscription-links/{token}/deliveries"
        return await self._service.all(path, DeliverySummary, {}, most_pages=1, limit=most)

    async def subscription(self, token: str) -> SubscriptionView | None:
        """What the subscription of a link asks for; None where there is none."""
        return await self._service.one_or_none(f"/subscription-links/{token}", SubscriptionView)
