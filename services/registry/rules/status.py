"""How a commitment's status may change, and what the statuses of its countries make of the whole."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contracts.vocabulary import Country, Status
from services.registry.rules.errors import RegistryError

CountryStatuses = Mapping[Country, Status]
"""The status of each country that is bound; at least one."""

_ENDS = {Status.MET, Status.PARTLY_MET, Status.MISSED, Status.WITHDRAWN}
_NEXT: Mapping[Status, Collection[Status]] = {
    Status.ANNOUNCED: {Status.IN_PROGRESS, Status.AT_RISK, *_ENDS},
    Status.IN_PROGRESS: {Status.AT_RISK, *_ENDS},
    Status.AT_RISK: {Status.IN_PROGRESS, *_ENDS},
    Status.PARTLY_MET: {Status.IN_PROGRESS, Status.AT_RISK, Status.MET, Status.MISSED, Status.WITHDRAWN},
    # What was missed can still be done, late.
    Status.MISSED: {Status.IN_PROGRESS, Status.PARTLY_MET, Status.MET, Status.WITHDRAWN},
    # What has been done can turn out not to be, but it can no longer be withdrawn.
    Status.MET: {Status.IN_PROGRESS, Status.AT_RISK, Status.PARTLY_MET, Status.MISSED},
    Status.WITHDRAWN: {Status.ANNOUNCED, Status.IN_PROGRESS, Status.AT_RISK, *_ENDS} - {Status.WITHDRAWN},
}

CLOSED = frozenset({Status.MET, Status.WITHDRAWN})
"""Only a note reopens these: whoever was notified that it is over is owed a reason."""

# While nobody has met anything, the worst status counts; work that has begun in one country has not begun in all.
_WORST_FIRST = (Status.MISSED, Status.AT_RISK, Status.ANNOUNCED, Status.IN_PROGRESS)


class StatusNotAllowed(RegistryError):
    """A status that can't follow on the one that is."""

    kind = "status-not-allowed"


class VersionConflict(RegistryError):
    """Somebody has updated the commitment since the asker last read it."""

    kind = "version-conflict"


@dataclass(frozen=True)
class ReportedStatus:
    """What is reported: a status for one country, or for the commitment as a whole (every country then)."""

    status: Status
    country: Country | None = None
    note: str | None = None
    has_evidence: bool = False


@dataclass(frozen=True)
class StatusChange:
    """What an update does: from which status, and how the countries and the whole stand after it."""

    previous: Status
    country_statuses: CountryStatuses
    overall: Status


def overall(statuses: Collection[Status]) -> Status:
    """The status of the whole.

    Met or withdrawn when all countries are; partly met as soon as one has met it, in whole or in part; else
    the worst status among the countries that have not withdrawn.
    """
    found = set(statuses)
    if len(found) == 1:
        return found.pop()
    if found & {Status.MET, Status.PARTLY_MET}:
        return Status.PARTLY_MET
    return next(status for status in _WORST_FIRST if status in found)


def change_status(country_statuses: CountryStatuses, update: ReportedStatus) -> StatusChange:
    """What the update does; raises `StatusNotAllowed` where a country can't change to that status.

    The same status again is accepted only with a note or evidence. An update of the whole is one for every country.
    """
    if update.country is None:
        previous, affected = overall(country_statuses.values()), list(country_statuses)
    elif update.country in country_statuses:
        previous, affected = country_statuses[update.country], [update.country]
    else:
        raise StatusNotAllowed(f"The commitment does not bind {update.country}")
    has_note = bool(update.note and update.note.strip())
    changes = [country for country in affected if country_statuses[country] is not update.status]
    if not changes and not (has_note or update.has_evidence):
        raise StatusNotAllowed(f"It is {update.status} already; say what is new in a note or by evidence")
    for country in changes:
        _check(country_statuses[country], update.status, country, has_note)
    after = {**country_statuses, **dict.fromkeys(affected, update.status)}
    return StatusChange(previous, after, overall(after.values()))


def statuses_after(country_statuses: CountryStatuses, country: Country | None, status: Status) -> CountryStatuses:
    """How the countries stand after an update that was accepted before, whatever stood there then."""
    affected = list(country_statuses) if country is None else [country]
    return {**country_statuses, **dict.fromkeys(affected, status)}


def check_version(current: int, expected: int | None) -> None:
    """Raise `VersionConflict` where the asker has an expectation and it is not met."""
    if expected is not None and expected != current:
        raise VersionConflict(
            f"Version {expected} was expected, the commitment is at version {current}", current_version=current
        )


def _check(old: Status, new: Status, country: Country, has_note: bool) -> None:
    if new not in _NEXT[old]:
        raise StatusNotAllowed(f"{country}: {new} can't follow on {old}")
    if old in CLOSED and not has_note:
        raise StatusNotAllowed(f"{country}: what is {old} is reopened only with a note that says why")
