"""Which rows of a receiver make a group, who leads it, and until when it waits. Pure.

The leading row is the one that claims meet. It has to be one that waits for nothing older, wherever there is one: a
group whose leader stands behind something that is not sent would stand with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Gathered:
    """A row that belongs to a group, and until when that waits if this one opens it; rows come by their positions.

    `is_behind`: it waits for something older of its own thread.
    """

    id: UUID
    group: UUID
    until: datetime
    rule: str | None
    is_behind: bool = False


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """Where a row stands: its group, whether it leads, and until when it waits."""

    id: UUID
    group: UUID
    until: datetime
    rule: str | None
    leads: bool


def places(rows: Iterable[Gathered], open_groups: Mapping[UUID, datetime]) -> list[GroupPlace]:
    """The places of rows that were just written; `open_groups` are those that have a leader, and until when they wait.

    Who joins a group waits as long as it does: the window counts from the first.
    """
    groups: dict[UUID, list[Gathered]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    found = []
    for group, members in groups.items():
        until = open_groups.get(group)
        leader = None
        if until is None:
            leader = next((row for row in members if not row.is_behind), members[0])
            until = min(row.until for row in members)
        found += [GroupPlace(row.id, group, until, row.rule, row is leader) for row in members]
    return found
