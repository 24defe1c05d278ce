"""Holds a log against its own hashes and against the heads that were published of it; names the first break. Pure.

What is found, by what was done to the table: an entry was edited, removed (with what follows renumbered or not), or
swapped with another; the log ends before a head (truncated, or put back to an older state); it has another history than
a head says (put back and gone on otherwise, or edited with all hashes after it).

After an old backup was restored the heads that were published since are of a history that is lost. The service notes
that as an entry of its own, by which they are explained, and it is always told.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from services.plumbing.audit.entries import GENESIS, ChainedEntry, entry_hash

FORKED = "audit.forked"
"""The action of the entry that says which published heads are of a history that was lost."""

LOOK_AHEAD = 10_000
"""Entries behind a break among which the one that belongs there is looked for."""

Damage = Literal["edited", "missing", "swapped", "truncated", "rewritten"]


@dataclass(frozen=True)
class Head:
    """What was published: the log reached this position, and had this hash there."""

    seq: int
    position: int
    hash: bytes


@dataclass(frozen=True)
class Fork:
    """The heads with these numbers are of a history that was lost when the database was put back."""

    position: int
    """Of the entry that says so."""
    first: Head
    last: Head
    went_on_behind: int
    """The position that the log had when it was put back."""

    def explains(self, head: Head) -> bool:
        """Whether the head is one of those."""
        return self.first.seq <= head.seq <= self.last.seq


@dataclass(frozen=True)
class Break:
    """The first place where the log isn't what it was."""

    position: int
    damage: Damage
    what: str
    """For people."""


@dataclass
class LogCheck:
    """Reads the entries of one service's log, in the order of their positions."""

    service: str
    heads: Sequence[Head]
    """As they were published, by their numbers."""
    position: int = 0
    found: Break | None = None
    forks: list[Fork] = field(default_factory=list)
    _last: bytes = GENESIS
    _at_heads: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wanted = {head.position for head in self.heads}

    def read(self, entry: ChainedEntry) -> bool:
        """Take the next entry; False where the chain breaks with it, and `explain` is to say how."""
        expected = entry_hash(self.service, entry, position=self.position + 1, previous=self._last)
        if entry.position != self.position + 1 or entry.previous != self._last or entry.hash != expected:
            return False
        self.position, self._last = entry.position, entry.hash
        if entry.position in self._wanted:
            self._at_heads[entry.position] = entry.hash
        if entry.action == FORKED and (fork := fork_in(entry)):
            self.forks.append(fork)
        return True

    def explain(self, broken: ChainedEntry, following: Sequence[ChainedEntry]) -> Break:
        """What was done where the chain breaks; `following` are up to `LOOK_AHEAD` entries behind it."""
        self.found = self._explained(broken, following)
        return self.found

    def finish(self) -> Break | None:
        """The first break, once all entries are read: heads that the log does not have, and no fork explains."""
        if self.found is None:
            self.found = next(self._against_heads(), None)
        return self.found

    def _explained(self, broken: ChainedEntry, following: Sequence[ChainedEntry]) -> Break:
        place = self.position + 1
        if broken.position != place:
            gone = f"{place}" if broken.position == place + 1 else f"{place} to {broken.position - 1}"
            return Break(place, "missing", f"entries are missing: {gone}")
        for other in following:
            belongs = entry_hash(self.service, other, position=place, previous=self._last)
            if belongs in (broken.hash, other.hash):
                what = f"the entry of position {place} stands at {other.position}: entries were swapped"
                return Break(place, "swapped", what)
        if broken.previous != self._last:
            for was in range(place + 1, place + 1 + LOOK_AHEAD):
                if entry_hash(self.service, broken, position=was, previous=broken.previous) == broken.hash:
                    what = f"{was - place} of the entries from {place} on are missing, and the rest is renumbered"
                    return Break(place, "missing", what)
        return Break(place, "edited", f"the entry at {place} is not what was written: it does not fit its hash")

    def _against_heads(self) -> Iterator[Break]:
        for head in sorted(self.heads, key=lambda head: head.position):
            if any(fork.explains(head) for fork in self.forks):
                continue
            if head.position > self.position:
                what = (
                    f"the log ends at {self.position}, and a head was published of {head.position}:"
                    " it was truncated, or put back to an older state"
                )
                yield Break(self.position + 1, "truncated", what)
            elif self._at_heads.get(head.position) != head.hash:
                what = (
                    f"at {head.position} the log has another hash than was published:"
                    " it was put back and went on otherwise, or rewritten from somewhere before"
                )
                yield Break(head.position, "rewritten", what)


def fork_in(entry: ChainedEntry) -> Fork | None:
    """What an entry says about a history that was lost; None where it says nothing that can be read."""
    try:
        before, after = json.loads(entry.before or ""), json.loads(entry.after or "")
        return Fork(entry.position, _head(before["first"]), _head(before["last"]), int(after["position"]))
    except (ValueError, KeyError, TypeError):
        return None


def head_facts(head: Head) -> Mapping[str, Any]:
    """A head as an entry says it."""
    return {"seq": head.seq, "position": head.position, "hash": head.hash.hex()}


def read_head(value: bytes) -> Head:
    """The head in the value of its record; raises ValueError for what is none."""
    try:
        return _head(json.loads(value))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no head of an audit log: {error!r}") from error


def _head(facts: Mapping[str, Any]) -> Head:
    return Head(int(facts["seq"]), int(facts["position"]), bytes.fromhex(facts["hash"]))
