"""Who may say what of a party's status: which may follow on which, who may say so, and what has to come with it.

A table, and nothing but it: the page for engineers shows it, and a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts.vocabulary import Status


class Speaker(StrEnum):
    """Who reports."""

    MINISTRY = "ministry"
    """Speaks for its own party, and for no other."""
    EDITOR = "editor"
    """May correct any party's status, and says which."""


class Needed(StrEnum):
    """What has to come with a report."""

    NOTE = "note"
    EVIDENCE = "evidence"
    NOTE_OR_EVIDENCE = "note or evidence"


@dataclass(frozen=True)
class Move:
    """From one status of a party to another."""

    speakers: frozenset[Speaker]
    needed: frozenset[Needed] = frozenset()


BOTH = frozenset(Speaker)
EDITOR = frozenset({Speaker.EDITOR})

_ANYBODY = Move(BOTH)
_PROVED = Move(BOTH, frozenset({Needed.EVIDENCE}))
# Whoever was told that it is over is owed a reason.
_REOPENED = Move(BOTH, frozenset({Needed.NOTE}))
_REOPENED_PROVED = Move(BOTH, frozenset({Needed.NOTE, Needed.EVIDENCE}))
_MORE_OF_IT = Move(BOTH, frozenset({Needed.NOTE_OR_EVIDENCE}))
_CORRECTED = Move(EDITOR, frozenset({Needed.NOTE}))

_COLUMNS = tuple(Status)
_ROWS: Mapping[Status, tuple[Move, ...]] = {
    # to:                 announced    in-progress  at-risk      met               partly-met   missed      withdrawn
    Status.ANNOUNCED: (_MORE_OF_IT, _ANYBODY, _ANYBODY, _PROVED, _ANYBODY, _ANYBODY, _ANYBODY),
    Status.IN_PROGRESS: (_CORRECTED, _MORE_OF_IT, _ANYBODY, _PROVED, _ANYBODY, _ANYBODY, _ANYBODY),
    Status.AT_RISK: (_CORRECTED, _ANYBODY, _MORE_OF_IT, _PROVED, _ANYBODY, _ANYBODY, _ANYBODY),
    # What has been done can turn out not to be, but only an editor says that it is withdrawn.
    Status.MET: (_CORRECTED, _REOPENED, _REOPENED, _MORE_OF_IT, _REOPENED, _REOPENED, _CORRECTED),
    Status.PARTLY_MET: (_CORRECTED, _ANYBODY, _ANYBODY, _PROVED, _MORE_OF_IT, _ANYBODY, _ANYBODY),
    # What was missed can still be done, late.
    Status.MISSED: (_CORRECTED, _ANYBODY, _CORRECTED, _PROVED, _ANYBODY, _MORE_OF_IT, _ANYBODY),
    Status.WITHDRAWN: (_REOPENED, _REOPENED, _REOPENED, _REOPENED_PROVED, _REOPENED, _REOPENED, _MORE_OF_IT),
}

MOVES: Mapping[tuple[Status, Status], Move] = {
    (before, after): move for before, row in _ROWS.items() for after, move in zip(_COLUMNS, row, strict=True)
}
"""Every pair of statuses that this release knows."""


def as_markdown() -> str:
    """The table for people: a row for each status that is, a column for each that is reported."""
    columns = [f"`{status}`" for status in _COLUMNS]
    lines = [f"| is | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for before in _COLUMNS:
        cells = [_cell(MOVES[before, after]) for after in _COLUMNS]
        lines.append(f"| **{before}** | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(move: Move) -> str:
    who = "editor" if move.speakers == EDITOR else "both"
    needed = " and ".join(sorted(move.needed, reverse=True))
    return f"{who}, {needed}" if needed else who
