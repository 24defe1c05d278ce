"""Rows as columns: PostgreSQL takes many rows in one statement as one array for each column (`unnest`)."""

from collections.abc import Iterable
from typing import Any


def columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """One list for each column; there has to be a row."""
    return [list(column) for column in zip(*rows, strict=True)]
