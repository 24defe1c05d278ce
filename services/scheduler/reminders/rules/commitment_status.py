"""The status of a commitment by the events so far, in whatever order they came."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from contracts.events import CommitmentCreated, StatusChanged
from contracts.vocabulary import PartyCode, Status

FINAL_STATUSES = frozenset({Status.MET, Status.WITHDRAWN})
"""Statuses after which nobody needs a reminder; one of a later release leaves it open."""


@dataclass(frozen=True)
class KnownStatus:
    """A status, and the `seq` of the event that brought it; 0 for the one that a commitment began with."""

    status: Status
    seq: int


@dataclass(frozen=True)
class CommitmentStatus:
    """The newest status of a commitment, overall and of single parties.

    The newest event decides, by its `seq` and not by its arrival.
    """

    overall: KnownStatus = KnownStatus(Status.ANNOUNCED, 0)
    parties: Mapping[PartyCode, KnownStatus] = field(default_factory=dict)

    def after_created(self, event: CommitmentCreated) -> "CommitmentStatus":
        """With what the commitment began with, unless something newer is known."""
        return self if self.overall.seq else replace(self, overall=KnownStatus(event.status, 0))

    def after_changed(self, event: StatusChanged) -> "CommitmentStatus":
        """With what this event says, as far as nothing newer is known; history that came late changes no party."""
        overall = max(self.overall, KnownStatus(event.overall, event.seq), key=_seq)
        if not event.current:
            return replace(self, overall=overall)
        newest = _newer(self.parties.get(event.party), KnownStatus(event.status, event.seq))
        return replace(self, overall=overall, parties={**self.parties, event.party: newest})

    def status_of(self, party: PartyCode) -> Status | None:
        """A party's own status; None while none has been reported."""
        said = self.parties.get(party)
        return said.status if said else None

    def is_over_for(self, parties: Iterable[PartyCode]) -> bool:
        """Whether a milestone that binds these parties is over: overall, or for each of them."""
        return self.overall.status in FINAL_STATUSES or all(
            self.status_of(party) in FINAL_STATUSES for party in parties
        )


def _seq(said: KnownStatus) -> int:
    return said.seq


def _newer(known: KnownStatus | None, said: KnownStatus) -> KnownStatus:
    return said if known is None or said.seq > known.seq else known
