"""How a party's status may change, and what the statuses of all parties make of the whole."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contracts.vocabulary import PartyCode, Status
from services.plumbing.sentences import Sentence
from services.registry.rules.errors import RegistryError, at
from services.registry.rules.status_table import MOVES, Needed, Speaker

PartyStatuses = Mapping[PartyCode, Status]
"""The status of each party that is bound; at least one."""

# While nobody has met anything, the worst status counts; work that has begun in one party has not begun in all.
_WORST_FIRST = (Status.MISSED, Status.AT_RISK, Status.ANNOUNCED, Status.IN_PROGRESS)


class StatusNotAllowed(RegistryError):
    """A status that can't follow on the one that is."""

    kind = "status-not-allowed"
    title = Sentence("A status that can't follow on the one that is")


class EvidenceNeeded(RegistryError):
    """This status is believed with evidence only."""

    kind = "evidence-needed"
    title = Sentence("This status is believed with evidence only")


class VersionConflict(RegistryError):
    """Somebody has updated the commitment since the asker last read it."""

    kind = "version-conflict"
    title = Sentence("Somebody has updated the commitment since the asker last read it")


@dataclass(frozen=True)
class ReportedStatus:
    """What is reported of one party, by whom, and what comes with it."""

    status: Status
    speaker: Speaker
    has_note: bool = False
    has_evidence: bool = False


def overall(statuses: Collection[Status]) -> Status:
    """The status of the whole.

    Met or withdrawn when all parties are; partly met as soon as one has met it, in whole or in part; else
    the worst status among the parties that have not withdrawn. What a later release calls a status counts as none of
    these, and is the whole's where nobody has another.
    """
    found = set(statuses)
    if len(found) == 1:
        return found.pop()
    if found & {Status.MET, Status.PARTLY_MET}:
        return Status.PARTLY_MET
    return next((status for status in _WORST_FIRST if status in found), min(found - {Status.WITHDRAWN}))


def check_change(previous: Status, reported: ReportedStatus) -> None:
    """Hold a report against the table of who may say what, where a party stands at `previous`.

    Raises `StatusNotAllowed` for what can't follow, for who may not say it, and for a note that is missing;
    `EvidenceNeeded` where that is. What may follow on a status of a later release, nobody knows here.
    """
    status, said = reported.status, {"status": reported.status, "previous": previous}
    move = MOVES.get((previous, status))
    if move is None:
        raise StatusNotAllowed(
            Sentence("The party stands at %(previous)s, which only a later release knows", previous=previous),
            **at("status"),
        )
    if reported.speaker not in move.speakers:
        raise StatusNotAllowed(
            Sentence("%(status)s can't follow on %(previous)s; an editor may correct it", **said), **at("status")
        )
    if Needed.EVIDENCE in move.needed and not reported.has_evidence:
        raise EvidenceNeeded(
            Sentence(
                "%(status)s needs evidence: an address, its title, and the day on which it was looked at",
                status=status,
            ),
            **at("evidence"),
        )
    if Needed.NOTE in move.needed and not reported.has_note:
        raise StatusNotAllowed(
            Sentence("What is %(previous)s becomes %(status)s only with a note that says why", **said), **at("note")
        )
    if Needed.NOTE_OR_EVIDENCE in move.needed and not (reported.has_note or reported.has_evidence):
        raise StatusNotAllowed(
            Sentence("It is %(status)s already; say what is new in a note or by evidence", status=status),
            **at("note"),
        )


def check_version(current: int, expected: int | None) -> None:
    """Raise `VersionConflict` where the asker has an expectation and it is not met."""
    if expected is not None and expected != current:
        raise VersionConflict(
            Sentence(
                "Version %(expected)s was expected, the commitment is at version %(current)s",
                expected=expected,
                current=current,
            ),
            current_version=current,
            **at("expected_version"),
        )
