"""What a catalogue's chronicle says of each day: events that move or are held, and statuses. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from contracts.vocabulary import Source, Status
from services.registry.catalogue.contents import Catalogue, ChronicleEntry


@dataclass(frozen=True)
class AnchorMoves:
    """An event's date becomes known, more precise, or another."""

    anchor_id: str
    entry: ChronicleEntry


@dataclass(frozen=True)
class StatusComes:
    """Somebody reports how a commitment is going."""

    commitment_id: str
    party: str
    status: Status
    note: str
    entry: ChronicleEntry
    """What tells it."""

    @property
    def source(self) -> str:
        """Who says it, in the chronicle's words."""
        return self.entry.source.text

    @property
    def told(self) -> str:
        """The note with its source."""
        return f"{self.note} ({self.source})"


@dataclass(frozen=True)
class AnchorHeld:
    """An event has taken place, on the days that it has or on others."""

    anchor_id: str
    edtf: str | None
    source: Source


Happening = AnchorMoves | AnchorHeld | StatusComes


def days_with_happenings(catalogue: Catalogue) -> list[date]:
    """The days on which something happens, in their order."""
    made_on = catalogue.statement.made_on
    known = {max(entry.known_on, made_on) for entry in catalogue.chronicle}
    return sorted(known | {entry.outcome.known_on for entry in catalogue.chronicle if entry.outcome})


def happenings(catalogue: Catalogue, day: date) -> list[Happening]:
    """What the chronicle has for one day, in its order; what was known before the statement belongs to its own day."""
    made_on = catalogue.statement.made_on
    found: list[Happening] = []
    for entry in catalogue.chronicle:
        found += _of_its_anchor(entry, day, made_on)
        if max(entry.known_on, made_on) == day and entry.commitment_id:
            found += [
                StatusComes(entry.commitment_id, report.party, report.status, report.note, entry)
                for report in entry.reports
            ]
    return found


def _of_its_anchor(entry: ChronicleEntry, day: date, made_on: date) -> Iterator[AnchorMoves | AnchorHeld]:
    """What became known of an anchor on this day; that it was held says the days too, where both are known at once."""
    if entry.anchor_id is None:
        return
    held = entry.outcome is not None and entry.outcome.known_on == day
    moves = entry.span is not None and entry.known_on == day > made_on
    if held:
        yield AnchorHeld(entry.anchor_id, entry.span.edtf if entry.span and moves else None, entry.source)
    elif moves:
        yield AnchorMoves(entry.anchor_id, entry)
