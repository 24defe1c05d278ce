"""What does not agree with itself, or with the calendar: four rules, checked once a day.

- `past-due-in-progress`: announced, in progress or at risk in a party that a milestone binds, and the milestone's
  latest day has ended in its zone. Of an event that is an anchor's this says nothing before it was held: whether it has
  taken place is what `anchor-without-outcome` asks.
- `met-with-open-milestones`: met in every party that a milestone binds, while its latest day is still ahead.
- `no-news`: neither a status update nor another date for so many months, counted from the statement's day at first;
  what is met or withdrawn has come to rest and needs none.
- `anchor-without-outcome`: the latest day of an event has ended where it takes place, and nobody has said whether it
  was held. It is found once for each commitment that hangs on it, and once by itself where nothing does.

An inconsistency stays the same one as long as its rule, subject and `since` do.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from contracts.commitments import Milestone
from contracts.vocabulary import PartyCode, Reading, Span, Status
from services.plumbing.calendar_arithmetic import add_months
from services.plumbing.zones import day_in, zone_named
from services.registry.rules.status import PartyStatuses

ConsistencyRule = Literal["past-due-in-progress", "met-with-open-milestones", "no-news", "anchor-without-outcome"]

REGISTER_ZONE = "America/Mexico_City"
"""Where the days of the register itself are counted; a milestone's are in its own zone."""
CHECK_TIME = time(6)
"""When the rules are checked, on the wall clocks of `REGISTER_ZONE`."""

_CLOSED = frozenset({Status.MET, Status.WITHDRAWN})
_OPEN = frozenset({Status.ANNOUNCED, Status.IN_PROGRESS, Status.AT_RISK})


@dataclass(frozen=True)
class StatusHistoryEntry:
    """One status update that was current when it was recorded: from then on the party had this status."""

    at: datetime
    party: PartyCode
    status: Status


@dataclass(frozen=True)
class CheckedCommitment:
    """A commitment as the rules see it; `last_activity` is the day of its last update or move, or the statement's."""

    id: str
    status: Status
    party_statuses: PartyStatuses
    milestones: Sequence[Milestone]
    history: Sequence[StatusHistoryEntry]
    last_activity: date


@dataclass(frozen=True)
class CheckedAnchor:
    """An anchor as the rules see it."""

    id: str
    zone: str
    span: Span
    has_outcome: bool


@dataclass(frozen=True)
class Inconsistency:
    """Something that does not agree, and since which day."""

    rule: ConsistencyRule
    subject: str
    since: date
    commitment_id: str | None
    milestone: Milestone | None = None
    anchor_id: str | None = None


def due_day(now: datetime) -> date:
    """The day whose check is due: today from six in the morning on, yesterday before."""
    here = now.astimezone(zone_named(REGISTER_ZONE))
    return here.date() if here.time() >= CHECK_TIME else here.date() - timedelta(days=1)


def find_inconsistencies(
    commitments: Iterable[CheckedCommitment], anchors: Iterable[CheckedAnchor], now: datetime, no_news_months: int
) -> list[Inconsistency]:
    """Everything that does not agree now."""
    checked = list(commitments)
    found: list[Inconsistency] = []
    for one in checked:
        found += past_due(one, now)
        found += met_too_early(one, now)
        found += without_activity(one, now, no_news_months)
    hanging: dict[str, list[tuple[str, Milestone]]] = {}
    for one in checked:
        for milestone in one.milestones:
            if milestone.anchor_id:
                hanging.setdefault(milestone.anchor_id, []).append((one.id, milestone))
    for anchor in anchors:
        found += without_outcome(anchor, hanging.get(anchor.id, []), now)
    return found


def past_due(one: CheckedCommitment, now: datetime) -> Iterator[Inconsistency]:
    """Milestones whose latest day has ended before all whom they bind were done, or had failed."""
    for milestone in one.milestones:
        latest = _last_day(milestone)
        if latest is None or day_in(zone_named(milestone.zone), now) <= latest or _is_asked_of_its_anchor(milestone):
            continue
        if any(one.party_statuses.get(party) in _OPEN for party in milestone.parties):
            yield _about(one, milestone, "past-due-in-progress", latest)


def met_too_early(one: CheckedCommitment, now: datetime) -> Iterator[Inconsistency]:
    """Milestones that are still ahead, while all whom they bind have met the commitment."""
    for milestone in one.milestones:
        latest = _last_day(milestone)
        if latest is None or day_in(zone_named(milestone.zone), now) >= latest:
            continue
        since = met_since(one.history, milestone.parties)
        if since and all(one.party_statuses.get(party) is Status.MET for party in milestone.parties):
            yield _about(one, milestone, "met-with-open-milestones", day_in(zone_named(REGISTER_ZONE), since))


def without_activity(one: CheckedCommitment, now: datetime, months: int) -> Iterator[Inconsistency]:
    """A commitment that is not closed, with neither a status update nor another date for so many months."""
    if one.status not in _CLOSED and day_in(zone_named(REGISTER_ZONE), now) >= add_months(one.last_activity, months):
        yield Inconsistency("no-news", one.id, one.last_activity, one.id)


def without_outcome(
    anchor: CheckedAnchor, hanging: Sequence[tuple[str, Milestone]], now: datetime
) -> Iterator[Inconsistency]:
    """An event that is over by the calendar, and of which nobody has said what came of it."""
    latest = anchor.span.latest
    if anchor.has_outcome or latest is None or day_in(zone_named(anchor.zone), now) <= latest:
        return
    first: dict[str, Milestone] = {}
    for commitment_id, milestone in sorted(hanging, key=lambda pair: pair[1].id):
        first.setdefault(commitment_id, milestone)
    for commitment_id, milestone in first.items():
        subject = f"{anchor.id}/{commitment_id}"
        yield Inconsistency("anchor-without-outcome", subject, latest, commitment_id, milestone, anchor.id)
    if not first:
        yield Inconsistency("anchor-without-outcome", anchor.id, latest, None, None, anchor.id)


def met_since(history: Iterable[StatusHistoryEntry], parties: Sequence[PartyCode]) -> datetime | None:
    """Since when these parties have all met it without a break; None if they haven't."""
    party_statuses: dict[PartyCode, Status] = {}
    since: datetime | None = None
    for entry in history:
        party_statuses[entry.party] = entry.status
        if any(party_statuses.get(party) is not Status.MET for party in parties):
            since = None
        elif since is None:
            since = entry.at
    return since


def _is_asked_of_its_anchor(milestone: Milestone) -> bool:
    """Whether it is its anchor, and that has not been held: an event is not late."""
    is_anchor = milestone.is_event and milestone.anchor_id is not None and milestone.offset is None
    return is_anchor and not milestone.held


def _last_day(milestone: Milestone) -> date | None:
    """The day on which it is over; what only begins then has none."""
    return None if milestone.reading is Reading.FROM else milestone.span.latest


def _about(one: CheckedCommitment, milestone: Milestone, rule: ConsistencyRule, since: date) -> Inconsistency:
    return Inconsistency(rule, milestone.id, since, one.id, milestone, milestone.anchor_id)
