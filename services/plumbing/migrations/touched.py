"""Which tables a revision's SQL takes for itself, so that it can take them all before it does anything. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

EXCLUSIVE = "access exclusive"
"""Nobody else reads or writes."""
WRITING = "share row exclusive"
"""Others read, and nobody else writes."""

_NAME = r'"?(\w+)"?'
_PATTERNS: tuple[tuple[str, str], ...] = (
    (rf"alter table (?:if exists )?(?:only )?{_NAME}", EXCLUSIVE),
    (rf"(?:create|drop) (?:constraint )?trigger [^;]*?\bon {_NAME}", EXCLUSIVE),
    (rf"create (?:unique )?index (?:if not exists )?\w* ?on (?:only )?{_NAME}", WRITING),
    (rf"\breferences {_NAME}", WRITING),
    (rf"\bupdate (?:only )?{_NAME} (?:\w+ )?set\b", WRITING),
    (rf"\bdelete from (?:only )?{_NAME}", WRITING),
)
_LISTS = (r"drop table (?:if exists )?([\w\", ]+)", r"drop index (?:if exists )?([\w\", ]+)")


@dataclass(frozen=True)
class Touched:
    """What a piece of SQL takes for itself. Names of tables that it makes itself may be among them."""

    tables: Mapping[str, str]
    """Each with the mode that is enough for all that is done to it."""
    indexes: frozenset[str]
    """Those that it drops, whose tables nobody else uses meanwhile."""


def touched(sql: str) -> Touched:
    """By the statements that we write: in lower case, tables without their schema."""
    text = " ".join(re.sub(r"--[^\n]*", "", re.sub(r"'(?:[^']|'')*'", "''", sql)).split()).lower()
    tables: dict[str, str] = {}
    for pattern, mode in _PATTERNS:
        for name in re.findall(pattern, text):
            tables[name] = EXCLUSIVE if EXCLUSIVE in (mode, tables.get(name)) else mode
    dropped, indexes = (_names(re.findall(pattern, text)) for pattern in _LISTS)
    return Touched(tables | dict.fromkeys(dropped, EXCLUSIVE), frozenset(indexes))


def _names(lists: list[str]) -> set[str]:
    return {re.findall(_NAME, one)[0] for some in lists for one in some.split(",") if one.strip()}
