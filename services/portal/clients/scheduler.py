"""What the portal reads of the scheduler: reminders to come."""

from uuid import UUID

from contracts.vocabulary import Instant
from services.portal.clients.service_client import ServiceAnswer, ServiceClient


class UpcomingReminder(ServiceAnswer):
    """A reminder that is still to come."""

    milestone_id: str
    step: str
    due_at: Instant
    audience: UUID | None = None
    """The subscription whose own ladder it is a step of, where it is one's own."""


class SchedulerApi:
    """The scheduler, as far as pages need it. Raises `Unavailable` as `ServiceClient` does."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def reminders(self, commitment_id: str) -> list[UpcomingReminder]:
        """What will be reminded of."""
        return await self._service.all("/reminders", UpcomingReminder, {"commitment": commitment_id})
