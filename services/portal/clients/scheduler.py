"""What the portal reads of the scheduler: reminders to come, and how it stands with what is overdue."""

from uuid import UUID

from contracts.events import Acknowledgement
from contracts.vocabulary import Instant
from services.portal.clients.service_client import ServiceAnswer, ServiceClient


class UpcomingReminder(ServiceAnswer):
    """A reminder that is still to come."""

    milestone_id: str
    step: str
    due_at: Instant
    audience: UUID | None = None
    """The subscription whose own ladder it is a step of, where it is one's own."""


class EscalationView(ServiceAnswer):
    """How it stands with an overdue milestone: who is asked, and who has acknowledged it."""

    state: str
    """`climbing` while nobody owns it, `owned` once somebody does; otherwise there is nothing to say."""
    level: str | None = None
    """Who was asked last."""
    next_at: Instant | None = None
    """When the next level is asked; for what is owned, until when evidence is awaited."""
    next_level: str | None = None
    acknowledged: Acknowledgement | None = None
    """Who is on it; while it climbs, who acknowledged it and brought no evidence."""


class SchedulerApi:
    """The scheduler, as far as pages need it. Raises `Unavailable` as `ServiceClient` does."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def reminders(self, commitment_id: str) -> list[UpcomingReminder]:
        """What will be reminded of."""
        return await self._service.all("/reminders", UpcomingReminder, {"commitment": commitment_id})

    async def escalation(self, milestone_id: str) -> EscalationView | None:
        """How it stands with a milestone; None where the scheduler watches over none by this id."""
        return await self._service.one_or_none(f"/milestones/{milestone_id}/escalation", EscalationView)
