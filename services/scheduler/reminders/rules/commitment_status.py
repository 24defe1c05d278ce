"""The status of a commitment by the events so far, in whatever order they came."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from contracts.events import CommitmentCreated, StatusChanged
from contracts.vocabulary import Country, Status

FINAL_STATUSES = frozenset({Status.MET, Status.WITHDRAWN})
"""Statuses after which nobody needs a reminder."""


@dataclass(frozen=True)
class KnownStatus:
    """A status, and the `seq` of the event that brought it; 0 for the one that a commitment began with."""

    status: Status
    seq: int


@dataclass(frozen=True)
class CommitmentStatus:
    """The newest status of a commitment: overall, as reported for it as a whole, and for single countries.

    The newest event decides, by its `seq` and not by its arrival. A status of the whole holds for every country
    until a later one of that country.
    """

    overall: KnownStatus = KnownStatus(Status.ANNOUNCED, 0)
    whole: KnownStatus | None = None
    countries: Mapping[Country, KnownStatus] = field(default_factory=dict)

    def after_created(self, event: CommitmentCreated) -> "CommitmentStatus":
        """With what the commitment began with, unless something newer is known."""
        return self if self.overall.seq else replace(self, overall=KnownStatus(event.status, 0))

    def after_changed(self, event: StatusChanged) -> "CommitmentStatus":
        """With what this event says, as far as nothing newer is known."""
        said = KnownStatus(event.status, event.seq)
        overall = max(self.overall, KnownStatus(event.overall, event.seq), key=_seq)
        if event.country is None:
            return replace(self, overall=overall, whole=_newer(self.whole, said))
        newest = _newer(self.countries.get(event.country), said)
        return replace(self, overall=overall, countries={**self.countries, event.country: newest})

    def status_of(self, country: Country) -> Status | None:
        """A country's own status; None while none has been reported."""
        said = max(filter(None, (self.whole, self.countries.get(country))), key=_seq, default=None)
        return said.status if said else None

    def is_over_for(self, countries: Iterable[Country]) -> bool:
        """Whether a milestone that binds these countries is over: overall, or for each of them."""
        return self.overall.status in FINAL_STATUSES or all(
            self.status_of(country) in FINAL_STATUSES for country in countries
        )


def _seq(said: KnownStatus) -> int:
    return said.seq


def _newer(known: KnownStatus | None, said: KnownStatus) -> KnownStatus:
    return said if known is None or said.seq > known.seq else known
