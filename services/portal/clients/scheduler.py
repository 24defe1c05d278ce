"""What the portal reads of the scheduler: reminders to come, and who is on what is overdue."""

from uuid import UUID

from contracts.vocabulary import Instant
from services.portal.clients.service_client import ServiceAnswer, ServiceClient


class UpcomingReminder(ServiceAnswer):
    """A reminder that is still to come."""

    milestone_id: str
    step: str
    due_at: Instant
    zone: str = "Etc/UTC"
    """In whose calendar the milestone's days are counted."""
    audience: UUID | None = None
    """The subscription whose own ladder it is a step of, where it is one's own."""


class AcknowledgementView(ServiceAnswer):
    """That somebody is on a milestone that is overdue."""

    milestone_id: str
    ministry: str | None = None
    since: Instant


class SchedulerApi:
    """The scheduler, as far as pages need it. Raises `Unavailable` as `ServiceClient` does."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def reminders(self, commitment_id: str) -> list[UpcomingReminder]:
        """What will be reminded of."""
        return await self._service.all("/reminders", UpcomingReminder, {"commitment": commitment_id})

    async def acknowledgements(self, commitment_id: str | None = None) -> list[AcknowledgementView]:
        """Of which milestones somebody is on it, of one commitment or of all."""
        of_one = {"commitment": commitment_id} if commitment_id else {}
        return await self._service.all("/acknowledgements", AcknowledgementView, of_one)
