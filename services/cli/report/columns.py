"""The columns of a file of status updates, and what a row of them says to the registry."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from typing import Any
from uuid import UUID, uuid5

from services.plumbing.sentences import Sentence

COLUMNS: Mapping[str, Sentence] = {
    "commitment_id": Sentence("The commitment's id, as `nals-2021-coal-finance`; always"),
    "status": Sentence("announced, in-progress, at-risk, partly-met, met, missed or withdrawn; always"),
    "party": Sentence("The party's code, as MX; a ministry's own without it"),
    "note": Sentence("What is new, in one paragraph"),
    "evidence_url": Sentence("Where the evidence stands"),
    "evidence_title": Sentence("What the evidence is called"),
    "evidence_retrieved_on": Sentence("The day on which it was looked at, as 2026-03-01"),
    "evidence_sha256": Sentence("The SHA-256 of the document, where it is one"),
    "expected_version": Sentence("The version that you have read; another one by now is refused"),
    "occurred_at": Sentence("Since when it is so, as 2026-03-01T09:00:00-06:00"),
    "reported_at": Sentence("When it was said, where that was before now"),
    "report_id": Sentence("Your own id of the report, a UUID; made from the row's content without it"),
}
"""By name, in the order of the template: what stands in a column."""
NEEDED = ("commitment_id", "status")
_INSTANTS = ("occurred_at", "reported_at")
_EVIDENCE = "evidence_"
_ROWS = UUID("6f1f2b9c-0f0c-5b57-9d55-3a9c6f3c8f10")
"""The namespace of ids that are made from a row's content."""

Cells = Mapping[str, Any]
"""A row as its file has it, by the names of columns: texts, numbers, days; no entry where the cell is empty."""


class RowRefused(ValueError):
    """A row that can't be sent; its sentence says why, `column` where."""

    def __init__(self, sentence: Sentence, column: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.column = sentence, column


@dataclass(frozen=True)
class FileRow:
    """A row of a file; `number` is the one that its reader sees: a line, or a row of the sheet."""

    number: int
    cells: Cells = field(default_factory=dict)
    refused: RowRefused | None = None
    """Why it could not even be read."""


def unknown_columns(names: Sequence[str]) -> list[str]:
    """The names that are none of ours."""
    return [name for name in names if name and name not in COLUMNS]


def report_of(cells: Cells, zone: tzinfo | None) -> dict[str, Any]:
    """The report that a row makes, with its id; raises `RowRefused`.

    A day or a time without an offset stands in `zone`; without one it is refused, as nothing says when it was.
    """
    report: dict[str, Any] = {}
    evidence: dict[str, Any] = {}
    for name, value in cells.items():
        if name in _INSTANTS:
            report[name] = _instant(name, value, zone)
        elif name == "evidence_retrieved_on":
            evidence["retrieved_on"] = _day(value)
        elif name == "expected_version":
            report[name] = _number(name, value)
        elif name.startswith(_EVIDENCE):
            evidence[name.removeprefix(_EVIDENCE)] = _text(value)
        elif name == "report_id":
            report[name] = _uuid(value)
        else:
            report[name] = _text(value)
    for name in NEEDED:
        if name not in report:
            raise RowRefused(Sentence("This is missing"), name)
    if evidence:
        report["evidence"] = evidence
    return {"report_id": str(id_of_content(report)), **report}


def id_of_content(report: Mapping[str, Any]) -> UUID:
    """An id that the same content always has, however its file is laid out."""
    return uuid5(_ROWS, json.dumps(report, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def column_of(pointer: str) -> str:
    """The column that a place in a report comes from: `#/evidence/url` is `evidence_url`."""
    return pointer.removeprefix("#/").replace("evidence/", _EVIDENCE)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _number(name: str, value: Any) -> int:
    text = _text(value)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RowRefused(Sentence("A whole number is asked for"), name)
    return int(text)


def _day(value: Any) -> str:
    text = _text(value)
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else _refuse_day()
    except ValueError:
        return _refuse_day()


def _refuse_day() -> str:
    raise RowRefused(Sentence("A day of the calendar is written YYYY-MM-DD"), "evidence_retrieved_on")


def _instant(name: str, value: Any, zone: tzinfo | None) -> str:
    moment = value
    if not isinstance(value, date):
        try:
            moment = datetime.fromisoformat(_text(value))
        except ValueError:
            raise RowRefused(
                Sentence("An instant is written as in RFC 3339, with seconds and an offset"), name
            ) from None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    if moment.tzinfo is None:
        if zone is None:
            raise RowRefused(Sentence("This time has no offset: write one, or say with --zone where it is"), name)
        moment = moment.replace(tzinfo=zone)
    return str(moment.isoformat(timespec="seconds"))


def _uuid(value: Any) -> str:
    try:
        return str(UUID(_text(value)))
    except ValueError:
        raise RowRefused(Sentence("A UUID is asked for"), "report_id") from None
