"""Sums over rows: two sets of rows are the same where they have as many and the ids sum up to the same. Pure.

A sum can be added up in steps, in any order, and over rows that are gone. That two sets of ids of 62 random bits have
the same sum and aren't the same is one chance in 2^62: a fault is told from none, though not which row it is about.
"""

from typing import NamedTuple

ADD_UP = """
    on conflict (name, kind, part) do update set rows = pruned.rows + excluded.rows,
        amount = pruned.amount + excluded.amount, through = greatest(pruned.through, excluded.through),
        checksum = pruned.checksum + excluded.checksum
"""
"""The end of an insert into `pruned`."""


def checksum(id_: str) -> str:
    """The sum over a column of ids, in SQL; 0 over no rows."""
    return f"coalesce(sum(('x' || encode(substring(uuid_send({id_}) from 9), 'hex'))::bit(64)::bigint::numeric), 0)"


class RowSum(NamedTuple):
    """How many rows, and the sum of their ids."""

    rows: int = 0
    checksum: int = 0

    def plus(self, other: "RowSum") -> "RowSum":
        """Of both together; they have no row in common."""
        return RowSum(self.rows + other.rows, self.checksum + other.checksum)


class Difference(NamedTuple):
    """How many are in the first only, and in the second only; at least, where some are known by their sums alone."""

    first: int
    second: int


def difference(first: RowSum, second: RowSum, pruned_of_first: RowSum, pruned_of_second: RowSum) -> Difference:
    """How two sets of rows differ, of which some were pruned.

    `first` and `second` are the rows of each that are still there and have no like in the other. Where nothing was
    pruned these are the difference. Otherwise the like of one may be pruned in the other, and only the sums tell.
    """
    if not (pruned_of_first.rows or pruned_of_second.rows):
        return Difference(first.rows, second.rows)
    one, other = first.plus(pruned_of_first), second.plus(pruned_of_second)
    if one == other:
        return Difference(0, 0)
    more = one.rows - other.rows
    return Difference(max(more, 0), max(-more, 0)) if more else Difference(1, 1)
