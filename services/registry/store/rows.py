"""Columns and values that the rows of several tables share."""

from functools import cache
from typing import Any, TypeVar

import asyncpg
from pydantic import TypeAdapter

from contracts.commitments import Offset, Organisation
from contracts.events import Evidence
from contracts.open_lists import TOLERANT, OpenList
from contracts.vocabulary import Source, Span, Text

Word = TypeVar("Word", bound=OpenList)
Row = asyncpg.Record
SPAN = "edtf, earliest, latest, precision"


def span_from(row: Row) -> Span:
    """The span of a row's four columns."""
    return Span.as_kept({name: row[name] for name in Span.model_fields})


def word_from(words: type[Word], found: str) -> Word:
    """A word of an open list of its column; that of a later release stays what it is."""
    word: Word = _adapter(words).validate_python(found, context=TOLERANT)
    return word


@cache
def _adapter(words: type[Word]) -> TypeAdapter[Word]:
    return TypeAdapter(words)


def source_from(found: Any) -> Source | None:
    """A source of its column."""
    return None if found is None else Source.as_kept(found)


def as_json(model: Text | Source | Organisation | Evidence | Offset | None) -> dict[str, Any] | None:
    """What a jsonb column holds of a model."""
    return None if model is None else model.model_dump(mode="json")
