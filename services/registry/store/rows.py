"""Columns and values that the rows of several tables share."""

from typing import Any

import asyncpg

from contracts.events import Evidence
from contracts.vocabulary import Offset, Source, Span, Text

Row = asyncpg.Record
SPAN = "edtf, earliest, latest, precision"


def span_from(row: Row) -> Span:
    """The span of a row's four columns."""
    return Span.model_validate({name: row[name] for name in Span.model_fields}, strict=False)


def source_from(found: Any) -> Source | None:
    """A source of its column."""
    return None if found is None else Source.model_validate(found)


def as_json(model: Text | Source | Evidence | Offset | None) -> dict[str, Any] | None:
    """What a jsonb column holds of a model."""
    return None if model is None else model.model_dump(mode="json")
