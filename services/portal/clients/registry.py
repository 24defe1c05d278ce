"""What the portal reads of the registry: statements, commitments with their milestones, events that dates hang on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import Field

from contracts.commitments import Milestone, Organisation
from contracts.events import Evidence, Reporter
from contracts.vocabulary import Assessment, Instant, LanguageTag, Link, PartyCode, Source, Span, Status, Strength, Text
from services.portal.clients.service_client import ServiceAnswer, ServiceClient


class TitledItem(ServiceAnswer):
    """Something with an id and a title: a section, a theme, an anchor."""

    id: str
    title: Text


class StatementView(ServiceAnswer):
    """The document that made the commitments."""

    id: str
    language: LanguageTag = "en"
    """Of its own words."""
    title: Text
    made_on: date
    url: Link | None = None
    parties: tuple[PartyCode, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    """What is to be known of each party that is no country."""
    sections: tuple[TitledItem, ...] = ()
    themes: tuple[TitledItem, ...] = ()


class StatementListView(ServiceAnswer):
    """All statements; this list has no pages."""

    items: list[StatementView]


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

    schedules: tuple[ScheduleView, ...] = ()


class PartyStatusView(ServiceAnswer):
    """How one party stands."""

    party: PartyCode
    status: Status


class CommitmentView(ServiceAnswer):
    """A commitment as a list has it."""

    id: str
    statement_id: str
    language: LanguageTag = "en"
    """Of the statement's own words."""
    title: Text
    section: str
    section_title: Text
    parties: tuple[PartyCode, ...]
    organisations: tuple[Organisation, ...] = ()
    """What is to be known of each party that is no country."""
    themes: tuple[str, ...]
    summary: Text
    strength: Strength
    status: Status
    party_statuses: tuple[PartyStatusView, ...] = ()
    milestones: tuple[MilestoneDetailView, ...] = ()
    changed_at: Instant | None = None
    """When another status or date was recorded last; a list says it."""


class PassageView(ServiceAnswer):
    """The paragraph around the quote, and where the quote stands in it (characters, end exclusive)."""

    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class StatusUpdateView(ServiceAnswer):
    """One line of the status history."""

    party: PartyCode
    previous: Status
    status: Status
    current: bool
    overall: Status
    note: str | None = None
    evidence: Evidence | None = None
    reported_by: Reporter
    occurred_at: Instant
    reported_at: Instant


class AssessmentView(ServiceAnswer):
    """One view of an independent assessor."""

    organisation: str
    party: PartyCode | None = None
    assessment: Assessment
    note: str | None = None
    evidence: Evidence | None = None
    assessed_at: Instant
    is_newest: bool


class CommitmentDetailView(CommitmentView):
    """A commitment with its words and its history, oldest first."""

    lead_ministries: tuple[str, ...] = ()
    passage: PassageView
    status_updates: tuple[StatusUpdateView, ...] = ()
    assessments: tuple[AssessmentView, ...] = ()

    @property
    def differing(self) -> tuple[PartyStatusView, ...]:
        """How the parties stand, where they don't all stand as the whole does."""
        return self.party_statuses if any(c.status != self.status for c in self.party_statuses) else ()

    @property
    def by_status(self) -> dict[Status, list[PartyCode]]:
        """The parties by how they stand, in the order of the statuses; those of a later release last."""
        found: dict[Status, list[PartyCode]] = {status: [] for status in Status}
        for one in self.party_statuses:
            found.setdefault(one.status, []).append(one.party)
        return {status: parties for status, parties in found.items() if parties}


class DueMilestoneView(ServiceAnswer):
    """A milestone that is overdue, to be asked about, or due soon."""

    milestone_id: str
    commitment_id: str
    state: str
    """`overdue`, `asked` (has it taken place?) or `soon`; a later release may know more."""
    since: date | None = None
    """The first day after its last one, of what is not still to come."""


class MinistryView(ServiceAnswer):
    """Whose a report or an acknowledgement is."""

    code: str
    name: Text


class MinistryListView(ServiceAnswer):
    """All ministries; this list has no pages."""

    items: list[MinistryView]


@dataclass(frozen=True)
class CommitmentQuery:
    """What a reader asks the list for; the members are the registry's own parameters."""

    party: str = ""
    theme: str = ""
    section: str = ""
    status: str = ""
    due_from: str = ""
    due_to: str = ""
    due: str = ""
    changed_within: str = ""
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
        return (await self._service.one("/statements", StatementListView)).items

    async def commitments(self, query: CommitmentQuery) -> list[CommitmentView]:
        """All commitments that a reader chose, in the order of their statements."""
        return await self._service.all("/commitments", CommitmentView, query.parameters())

    async def commitment(self, commitment_id: str) -> CommitmentDetailView:
        """One commitment; raises `NoSuchResource` where there is none."""
        return await self._service.one(f"/commitments/{commitment_id}", CommitmentDetailView)

    async def due_milestones(self, commitment_id: str | None = None) -> list[DueMilestoneView]:
        """What is overdue, asked about or due soon, of one commitment or of all."""
        of_one = {"commitment": commitment_id} if commitment_id else {}
        return await self._service.all("/due-milestones", DueMilestoneView, of_one)

    async def ministries(self) -> list[MinistryView]:
        """The ministries, with what they are called."""
        return (await self._service.one("/ministries", MinistryListView)).items

    async def anchor(self, anchor_id: str) -> TitledItem | None:
        """An event on which milestones hang; None where the registry knows none by this id."""
        return await self._service.one_or_none(f"/anchors/{anchor_id}", TitledItem)


def next_milestone(
    milestones: Sequence[MilestoneDetailView], today_in: Callable[[str], date]
) -> MilestoneDetailView | None:
    """The next milestone with a date that has not gone by, else the last that has, else one without a date.

    `today_in` is the day in a milestone's zone.
    """
    dated = sorted((m for m in milestones if m.span.latest), key=lambda m: m.span.latest or date.max)
    ahead = [m for m in dated if m.span.latest and m.span.latest >= today_in(m.zone)]
    return next(iter(ahead or dated[-1:] or milestones), None)
