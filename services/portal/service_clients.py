"""What the portal asks the other services, over their HTTP interfaces; a part that is away is a part, not the page.

The models here read only what pages show, and let the answers grow: unknown members are ignored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar
from uuid import UUID

import httpx2
from prometheus_client import Counter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts import vocabulary
from contracts.events import Acknowledgement, Evidence, Reporter
from contracts.vocabulary import Country, Instant, Language, Link, Source, Span, Status, Strength, Text
from services.plumbing.logs import log
from services.plumbing.tracing import current_traceparent
from services.plumbing.transient_errors import Unavailable

T = TypeVar("T", bound=BaseModel)
P = TypeVar("P")

MISSING = Counter("pledgewire_portal_parts_missing_total", "Parts of pages that another service did not give", ["part"])


class NeighbourSettings(BaseSettings):
    """Where the other services answer."""

    model_config = SettingsConfigDict(env_prefix="")

    registry_url: str = "http://127.0.0.1:8001"
    scheduler_url: str = "http://127.0.0.1:8002"
    notifier_url: str = "http://127.0.0.1:8003"


class NotFound(LookupError):
    """The other service knows no such thing."""


class Reading(BaseModel):
    """An answer as far as pages show it."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Named(Reading):
    """A section or theme."""

    id: str
    title: Text


class Statement(Reading):
    """The document that made the commitments."""

    id: str
    title: Text
    made_on: date
    url: Link | None = None
    sections: tuple[Named, ...] = ()
    themes: tuple[Named, ...] = ()


class Schedule(Reading):
    """A date that a milestone has or had."""

    version: int
    span: Span
    change: str
    source: Source | None = None
    known_on: date | None = None
    recorded_at: Instant | None = None


class Milestone(vocabulary.Milestone):
    """A milestone with the history of its dates, oldest first; a list has the present date only."""

    model_config = ConfigDict(extra="ignore", strict=False)

    schedules: tuple[Schedule, ...] = ()


class CountryStatus(Reading):
    """How one country stands."""

    country: Country
    status: Status


class Commitment(Reading):
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
    country_statuses: tuple[CountryStatus, ...] = ()
    milestones: tuple[Milestone, ...] = ()


class Passage(Reading):
    """The paragraph around the quote, and where the quote stands in it (characters, end exclusive)."""

    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class StatusUpdate(Reading):
    """One line of the status history."""

    country: Country | None = None
    previous: Status
    status: Status
    overall: Status
    note: str | None = None
    evidence: Evidence | None = None
    reported_by: Reporter
    reported_at: Instant


class CommitmentPage(Commitment):
    """A commitment with its words and its history, oldest first."""

    lead_ministries: tuple[str, ...] = ()
    passage: Passage
    status_updates: tuple[StatusUpdate, ...] = ()

    @property
    def differing(self) -> tuple[CountryStatus, ...]:
        """How the countries stand, where they don't all stand as the whole does."""
        return self.country_statuses if any(c.status != self.status for c in self.country_statuses) else ()


class Reminder(Reading):
    """A reminder that is still to come."""

    milestone_id: str
    step: str
    due_at: Instant
    audience: UUID | None = None
    """The subscription whose own ladder it is a step of, where it is one's own."""


class Anchor(Reading):
    """An event on which milestones hang."""

    id: str
    title: Text


class Escalation(Reading):
    """How it stands with an overdue milestone: who hears, and who has said that they are on it."""

    state: str
    """`climbing` while nobody owns it, `owned` once somebody does; otherwise there is nothing to say."""
    level: str | None = None
    """Who heard last."""
    next_at: Instant | None = None
    """When the next level hears; for what is owned, until when evidence is awaited."""
    next_level: str | None = None
    acknowledged: Acknowledgement | None = None
    """Who is on it; while it climbs, who said so and brought no evidence."""


class Delivery(Reading):
    """Who was told of an event, and how that ended; never where."""

    event: str
    commitment_id: str
    subscriber: str
    channel: str
    language: Language | None = None
    state: str
    reason: str | None = None
    settled_at: Instant | None = None
    created_at: Instant | None = None


class Filters(Reading):
    """What a subscription asks for; an empty list asks for everything, and all lists have to agree."""

    events: tuple[str, ...] = ()
    countries: tuple[Country, ...] = ()
    themes: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    commitments: tuple[str, ...] = ()

    @property
    def are_none(self) -> bool:
        """Whether everything is asked for."""
        return self == Filters()


class Rung(Reading):
    """One step of a ladder, at a time of day."""

    step: str
    at: str


class HolidayRegion(Reading):
    """Whose public holidays are no business days."""

    country: Country
    subdivision: str | None = None


class Ladder(Reading):
    """When a subscription is reminded, instead of at the usual steps."""

    rungs: tuple[Rung, ...]
    holidays: HolidayRegion | None = None


class Subscription(Reading):
    """Who asked for what; never where it goes."""

    id: UUID
    subscriber: str
    channel: str
    language: Language
    zone: str
    filters: Filters
    ladder: Ladder | None = None
    level: str | None = None
    state: str
    reason: str | None = None
    created_at: Instant
    ended_at: Instant | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is sent, unless its owner revives it."""
        return self.state in ("ended", "disabled")


class PageOf(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Part(Generic[P]):
    """A part of a page, or the fact that it could not be had."""

    value: P
    is_missing: bool = False


@dataclass(frozen=True)
class Choice:
    """What a reader asks the list for; the members are the registry's own parameters."""

    country: str = ""
    theme: str = ""
    section: str = ""
    status: str = ""
    due_from: str = ""
    due_to: str = ""
    q: str = ""

    def asked(self) -> dict[str, str]:
        """The parameters that are set."""
        return {name: value for name, value in vars(self).items() if value}


class Neighbours:
    """The registry, the scheduler and the notifier, as seen from here.

    `Unavailable` is raised for one that does not answer, answers with an error or with something else than promised.
    """

    def __init__(self, settings: NeighbourSettings, timeout: float = 4.0) -> None:
        self._settings = settings
        self._client = httpx2.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def statements(self) -> list[Statement]:
        """The documents with their sections and themes."""
        return await self._all(self._settings.registry_url, "/statements", Statement, {})

    async def commitments(self, choice: Choice) -> list[Commitment]:
        """All commitments that a reader chose, in the order of their statements."""
        return await self._all(self._settings.registry_url, "/commitments", Commitment, choice.asked())

    async def commitment(self, commitment_id: str) -> CommitmentPage:
        """One commitment; raises `NotFound` where there is none."""
        answer = await self._get(self._settings.registry_url, f"/commitments/{commitment_id}", {})
        return _read(CommitmentPage, answer)

    async def reminders(self, commitment_id: str) -> list[Reminder]:
        """What will be reminded of."""
        return await self._all(self._settings.scheduler_url, "/reminders", Reminder, {"commitment": commitment_id})

    async def anchor(self, anchor_id: str) -> Anchor | None:
        """An event; None where the registry knows none by this id."""
        return await self._found(self._settings.registry_url, f"/anchors/{anchor_id}", Anchor)

    async def escalation(self, milestone_id: str) -> Escalation | None:
        """How it stands with a milestone; None where the scheduler watches over none by this id."""
        return await self._found(self._settings.scheduler_url, f"/milestones/{milestone_id}/escalation", Escalation)

    async def deliveries(self, commitment_id: str) -> list[Delivery]:
        """Who was told lately, the newest first."""
        asked = {"commitment": commitment_id}
        return await self._all(self._settings.notifier_url, "/deliveries", Delivery, asked, most_pages=1)

    async def subscription(self, subscription_id: UUID) -> Subscription | None:
        """What a subscription asks for; None where there is none."""
        return await self._found(self._settings.notifier_url, f"/subscriptions/{subscription_id}/summary", Subscription)

    async def deliveries_to(self, subscription_id: UUID, most: int) -> list[Delivery]:
        """What a subscription was told lately, the newest first."""
        asked = {"subscription": str(subscription_id)}
        return await self._all(self._settings.notifier_url, "/deliveries", Delivery, asked, most_pages=1, page=most)

    async def check(self) -> str | None:
        """For `/readyz`: whether the registry answers; without it there is no page."""
        try:
            await self._get(self._settings.registry_url, "/livez", {})
        except (Unavailable, NotFound) as error:
            return str(error)
        return None

    async def _found(self, base: str, path: str, model: type[T]) -> T | None:
        try:
            return _read(model, await self._get(base, path, {}))
        except NotFound:
            return None

    async def _all(
        self,
        base: str,
        path: str,
        model: type[T],
        parameters: Mapping[str, str],
        *,
        most_pages: int = 25,
        page: int = 200,
    ) -> list[T]:
        # A longer list is cut rather than waited for.
        found: list[T] = []
        cursor: str | None = None
        for _ in range(most_pages):
            more = {"cursor": cursor} if cursor else {}
            answer = await self._get(base, path, {**parameters, "limit": str(page), **more})
            read = _read(PageOf[model], answer)  # type: ignore[valid-type]  # a model made at run time
            found += read.items
            cursor = read.next_cursor
            if not cursor:
                break
        return found

    async def _get(self, base: str, path: str, parameters: Mapping[str, str]) -> bytes:
        traceparent = current_traceparent()
        headers = {"accept": "application/json"} | ({"traceparent": traceparent} if traceparent else {})
        try:
            answer = await self._client.get(base.rstrip("/") + path, params=dict(parameters), headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"{path}: {type(error).__name__}: {error}") from error
        if answer.status_code == 404:
            raise NotFound(path)
        if answer.status_code != 200:
            raise Unavailable(f"{path}: answered {answer.status_code}")
        return answer.content


def _read(model: type[T], answer: bytes) -> T:
    try:
        return model.model_validate_json(answer)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise Unavailable(f"not the promised answer: {where}: {fault['msg']}") from error


async def part(name: str, asking: Any, otherwise: P) -> Part[P]:
    """A part of a page; where the other service is away the page is told so, and the log why."""
    try:
        return Part(await asking)
    except (Unavailable, NotFound) as error:
        MISSING.labels(name).inc()
        log.warning("a part of a page is missing", action="part_missing", part=name, error=str(error))
        return Part(otherwise, is_missing=True)


def next_milestone(milestones: Sequence[Milestone], today: date) -> Milestone | None:
    """The next milestone with a date that has not gone by, else the last that has, else one without a date."""
    dated = sorted((m for m in milestones if m.span.latest), key=lambda m: m.span.latest or today)
    ahead = [m for m in dated if m.span.latest and m.span.latest >= today]
    return next(iter(ahead or dated[-1:] or milestones), None)
