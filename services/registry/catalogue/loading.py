"""Reads a catalogue's folder; whatever does not fit together is refused."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from contracts.commitments import Offset, Organisation
from contracts.vocabulary import Reading
from services.registry.catalogue.contents import Catalogue, CatalogueError, check_known
from services.registry.catalogue.quotes import locate
from services.registry.rules.anchor_offset import local_time_of, span_from_anchor, zone_of
from services.registry.rules.edtf_dates import last_capital_zone, span_of
from services.registry.rules.text_comparison import collapse_whitespace

NALS_2021 = Path(__file__).parent
"""The folder of the catalogue that comes with the program."""


class TextChanged(CatalogueError):
    """The text isn't the one that was read: its SHA-256 differs from the recorded one."""


def load(folder: Path = NALS_2021) -> Catalogue:
    """Read a folder of text and data; whatever doesn't fit together is refused."""
    head = _read(folder / "statement.yaml")
    statement = _statement(head["statement"], folder)
    anchors = {row["id"]: _anchor(row, statement) for row in _read(folder / "anchors.yaml")}
    found = {
        "statement": statement,
        "sections": head["sections"],
        "themes": head["themes"],
        "commitments": [_commitment(row, statement, anchors) for row in _read(folder / "commitments.yaml")],
        "anchors": list(anchors.values()),
        "chronicle": [_dated(row) for row in _read(folder / "chronicle.yaml")],
        "ministries": head.get("ministries", ()),
    }
    # Not strict here: YAML has lists where the models have tuples, and words where they have enumerations.
    return Catalogue.model_validate(found, strict=False)


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _statement(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    published = (folder / row["text"]).read_bytes()
    digest = hashlib.sha256(published).hexdigest()
    if digest != row["sha256"]:
        raise TextChanged(f"{row['text']} has SHA-256 {digest}, the catalogue was read from {row['sha256']}")
    return {**row, "text": collapse_whitespace(published.decode("utf-8"))}


def _anchor(row: Mapping[str, Any], statement: Mapping[str, Any]) -> dict[str, Any]:
    """Where it takes place is the row's to say; else its days are counted as those of all parties together."""
    return {"zone": _zone(statement["parties"], statement), **_dated(row)}


def _commitment(row: Mapping[str, Any], statement: Mapping[str, Any], anchors: Mapping[str, Any]) -> dict[str, Any]:
    start, end = locate(row["quote"], statement["text"])
    whole = {"parties": statement["parties"], **row}
    language = statement.get("language", "en")
    milestones = [
        _milestone({"parties": whole["parties"], "wording_language": language, **milestone}, statement, anchors)
        for milestone in row.get("milestones", ())
    ]
    return {**whole, "quote": {"text": row["quote"], "start": start, "end": end}, "milestones": milestones}


def _milestone(row: Mapping[str, Any], statement: Mapping[str, Any], anchors: Mapping[str, Any]) -> dict[str, Any]:
    """A milestone that hangs on an anchor has its date from there; any other has its own, or none."""
    placed = {**row, "zone": _zone(row["parties"], statement)}
    if "anchor_id" not in row:
        return _dated(placed)
    check_known(row["anchor_id"], anchors)
    anchor = anchors[row["anchor_id"]]
    reading = Reading(row["reading"])
    offset = Offset.model_validate(row["offset"]) if "offset" in row else None
    return {
        **placed,
        "span": span_from_anchor(anchor["span"], offset),
        "zone": zone_of(reading, anchor["zone"], placed["zone"]),
        "local_time": local_time_of(reading, offset, anchor.get("local_time")),
    }


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the days of its EDTF value in place of the value; `edtf: null` says that there is no date."""
    if "edtf" not in row:
        return dict(row)
    rest = {key: value for key, value in row.items() if key != "edtf"}
    return {**rest, "span": span_of(row["edtf"])}


def _zone(parties: Iterable[str], statement: Mapping[str, Any]) -> str:
    told = [Organisation.model_validate(row) for row in statement.get("organisations", ())]
    return last_capital_zone(parties, told)
