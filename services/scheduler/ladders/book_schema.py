"""The form of a ladder book, for the OpenAPI document: what the reader takes, as far as JSON Schema can say it.

Beyond it: no name or step twice, the last ladder alone without a condition, steps and windows within their longest,
regions whose holidays are known. Pure.
"""

import re
from collections.abc import Mapping
from typing import Any

from contracts.vocabulary import Reading
from services.scheduler.ladders import book_reader as reader
from services.scheduler.ladders.book import KINDS, ONLY_IN
from services.scheduler.ladders.ladder import MOST_RUNGS


def _word(pattern: "re.Pattern[str]") -> dict[str, Any]:
    return {"type": "string", "pattern": f"^(?:{pattern.pattern})$"}


def _closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    named = {"required": list(required)} if required else {}
    return {"type": "object", "additionalProperties": False, "properties": properties} | named


def _some(items: Mapping[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": most}


def _words(*words: str) -> dict[str, Any]:
    return {"type": "array", "items": {"enum": list(words)}}


_STEP = {
    "type": "string",
    "pattern": "^(before-[1-9][0-9]{0,4}(d|bd|w|m)|on-the-day|after-[1-9][0-9]{0,4}(d|bd|w|m))$",
}
_BUSINESS_DAYS = {"type": "string", "pattern": "^(bound|[A-Z]{2}(-[A-Z]{2,3})?)$"}
_TIME = _word(reader.TIME)
_RUNG = {"anyOf": [_STEP, _closed(("step",), step=_STEP, at=_TIME, business_days=_BUSINESS_DAYS)]}
_WHEN = _closed(
    kinds=_words(*KINDS),
    readings=_words(*Reading),
    parties={"type": "array", "items": _word(reader.PARTY)},
    anchors={"type": "array", "items": _word(reader.SLUG)},
)
_LADDER = _closed(
    ("name", "rungs"),
    name=_word(reader.SLUG),
    when=_WHEN,
    at=_TIME,
    business_days=_BUSINESS_DAYS,
    rungs=_some(_RUNG, MOST_RUNGS),
    every={"anyOf": [_word(reader.EVERY), _closed(("step",), step=_word(reader.EVERY), only_in={"const": ONLY_IN})]},
)

LADDER_BOOK_SCHEMA: Mapping[str, Any] = _closed(
    ("ladders",),
    jitter={"anyOf": [{"const": 0}, _word(reader.WINDOW)]},
    review_months={"anyOf": [{"type": "integer", "minimum": 1, "maximum": 120}, _word(reader.NUMBER)]},
    moved_into_past={"enum": ["tell", "record"]},
    ladders=_some(_LADDER, reader.MOST_LADDERS),
)
"""What a text has to be when it is read as YAML; a word may stand with or without quotation marks."""
