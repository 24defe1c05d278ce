"""What the portal asks of the scheduler: reminders to come, who is on what, and what the link of an escalation asks."""

from collections.abc import Mapping
from uuid import UUID

from contracts.vocabulary import Day, Instant, LanguageTag, Text
from services.portal.clients.service_client import LinkEnded, ServiceAnswer, ServiceClient, ServiceReply, read_answer


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


class AcknowledgedView(ServiceAnswer):
    """Who is on it."""

    name: str
    at: Instant


class EscalationView(ServiceAnswer):
    """How it stands with a milestone."""

    milestone_title: Text
    commitment_id: str
    commitment_title: Text
    original_language: LanguageTag
    latest: Day | None = None
    zone: str = "Etc/UTC"
    """In whose calendar that day ends."""
    state: str
    acknowledged: AcknowledgedView | None = None

    @property
    def language(self) -> LanguageTag:
        """The language of the original."""
        return self.original_language

    @property
    def holder(self) -> AcknowledgedView | None:
        """Who is on it now."""
        return self.acknowledged if self.state == "owned" else None


class AskedView(ServiceAnswer):
    """A milestone that somebody is asked about, to who has the link of the message."""

    subscriber: str
    is_shared: bool = False
    language: LanguageTag
    zone: str
    escalation: EscalationView


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

    async def asked(self, token: str) -> AskedView:
        """What the link of an escalation asks about; raises `NoSuchResource` or `LinkEnded` where that is nothing."""
        reply = await self._service.ask(f"/acknowledgement-links/{token}")
        if reply.status == 410:
            raise LinkEnded
        return read_answer(AskedView, reply.content)

    async def acknowledge(self, token: str, made: Mapping[str, str], key: str, language: LanguageTag) -> ServiceReply:
        """Say that somebody is on it; `key` makes the same request again do nothing."""
        headers = {"idempotency-key": key, "accept-language": language}
        return await self._service.send("POST", f"/acknowledgement-links/{token}", dict(made), headers)
