"""What the portal reads of the registry: statements, commitments with their milestones, events that dates hang on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import ConfigDict, Field

from contracts.events import Evidence, Reporter
from contracts.vocabulary import Country, Instant, Link, Milestone, Source, Span, Status, Strength, Text
from services.portal.clients.service_client import ServiceAnswer, ServiceClient


class TitledItem(ServiceAnswer):
    """Something with an id and a title: a section, a theme, an anchor."""

    id: str
    title: Text


class StatementView(ServiceAnswer):
    """The document that made the commitments."""

    id: str
    title: Text
    made_on: date
    url: Link | None = None
    sections: tuple[TitledItem, ...] = ()
    themes: tuple[TitledItem, ...] = ()


class ScheduleView(ServiceAnswer):
    """A date that a milestone has or had."""

    version: int
    span: Span
    change: str
    source: Source | None = None
    known_on: date | None = None
    recorded_at: Instant | None = None


class MilestoneDetailView(Milestone):
    """A milestone with the history of its dates, oldest first; a list has the present date only."""

    model_config = ConfigDict(extra="ignore", strict=False)

    schedules: tuple[ScheduleView, ...] = ()


class CountryStatusView(ServiceAnswer):
    """How one country stands."""

    country: Country
    status: Status


class CommitmentView(ServiceAnswer):
    """A commitment as a list has it."""

    id: str
    statement_id: str
    title: Text
    section: str
    section_title: Text
    countries: tuple[Country, ...]
    themes: tuple[str, ...]
    summary: Text
    strength: Strength
    status: Status
    country_statuses: tuple[CountryStatusView, ...] = ()
    milestones: tuple[MilestoneDetailView, ...] = ()


class PassageView(ServiceAnswer):
    """The paragraph around the quote, and where the quote stands in it (characters, end exclusive)."""

    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class StatusUpdateView(ServiceAnswer):
    """One line of the status history."""

    country: Country | None = None
    previous: Status
    status: Status
    overall: Status
    note: str | None = None
    evidence: Evidence | None = None
    reported_by: Reporter
    reported_at: Instant


class CommitmentDetailView(CommitmentView):
    """A commitment with its words and its history, oldest first."""

    lead_ministries: tuple[str, ...] = ()
    passage: PassageView
    status_updates: tuple[StatusUpdateView, ...] = ()

    @property
    def differing(self) -> tuple[CountryStatusView, ...]:
        """How the countries stand, where they don't all stand as the whole does."""
        return self.country_statuses if any(c.status != self.status for c in self.country_statuses) else ()


@dataclass(frozen=True)
class CommitmentQuery:
    """What a reader asks the list for; the members are the registry's own parameters."""

    country: str = ""
    theme: str = ""
    section: str = ""
    status: str = ""
    due_from: str = ""
    due_to: str = ""
    q: str = ""

    def parameters(self) -> dict[str, str]:
        """The parameters that are set."""
        return {name: value for name, value in vars(self).items() if value}


class RegistryApi:
    """The registry, as far as pages need it. Raises `Unavailable` as `ServiceClient` does."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service
        self.check = service.check

    async def statements(self) -> list[StatementView]:
        """The documents with their sections and themes."""
        return await self._service.all("/statements", StatementView, {})

    async def commitments(self, query: CommitmentQuery) -> list[CommitmentView]:
        """All commitments that a reader chose, in the order of their statements."""
        return await self._service.all("/commitments", CommitmentView, query.parameters())

    async def commitment(self, commitment_id: str) -> CommitmentDetailView:
        """One commitment; raises `NoSuchResource` where there is none."""
        return await self._service.one(f"/commitments/{commitment_id}", CommitmentDetailView)

    async def anchor(self, anchor_id: str) -> TitledItem | None:
        """An event on which milestones hang; None where the registry knows none by this id."""
        return await self._service.one_or_none(f"/anchors/{anchor_id}", TitledItem)


def next_milestone(milestones: Sequence[MilestoneDetailView], today: date) -> MilestoneDetailView | None:
    """The next milestone with a date that has not gone by, else the last that has, else one without a date."""
    dated = sorted((m for m in milestones if m.span.latest), key=lambda m: m.span.latest or today)
    ahead = [m for m in dated if m.span.latest and m.span.latest >= today]
    return next(iter(ahead or dated[-1:] or milestones), None)
