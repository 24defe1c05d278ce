"""What happens on which day: the statement on the first, then what the chronicle has, as it became known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from contracts.vocabulary import Source, Status
from services.registry.catalogue.contents import Catalogue, ChronicleEntry

FIRST_DAY = date(2021, 11, 18)
LAST_DAY = date(2023, 1, 31)


@dataclass(frozen=True)
class AnchorMoves:
    """An event's date becomes known, more precise, or another."""

    anchor_id: str
    entry: ChronicleEntry


@dataclass(frozen=True)
class StatusComes:
    """Somebody reports how a commitment is going; `over_kafka` names the ministry that does it on its own topic."""

    commitment_id: str
    party: str
    status: Status
    note: str
    source: str
    over_kafka: str | None


@dataclass(frozen=True)
class StatusesCome:
    """Somebody reports several at once, since one source tells of all of them."""

    reports: tuple[StatusComes, ...]


@dataclass(frozen=True)
class AnchorHeld:
    """An event has taken place, on the days that it has or on others."""

    anchor_id: str
    edtf: str | None
    source: Source


Happening = AnchorMoves | AnchorHeld | StatusComes


def noon(day: date) -> datetime:
    """The instant at which the demo stands on a day: 18:00 UTC, noon in Mexico City.

    By then it is past nine in the morning in all three capitals, so that the day's reminders are due.
    """
    return datetime.combine(day, time(18), UTC)


def days(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def happenings(catalogue: Catalogue, day: date) -> list[Happening]:
    """What the chronicle has for one day, in its order; what was known before the statement belongs to its own day."""
    made_on = catalogue.statement.made_on
    found: list[Happening] = []
    for entry in catalogue.chronicle:
        found += _of_its_anchor(entry, day, made_on)
        if max(entry.known_on, made_on) != day:
            continue
        found += [
            StatusComes(
                commitment_id=entry.commitment_id or "",
                party=report.party,
                status=report.status,
                note=report.note,
                source=entry.source.text,
                over_kafka=_speaks_on_kafka(entry, report.party),
            )
            for report in entry.reports
        ]
    return found


def together(found: Iterable[Happening]) -> list[Happening | StatusesCome]:
    """The same, and what one source tells over HTTP as one report of several, where the first of it stood."""
    told: list[Happening | StatusesCome] = []
    places: dict[str, int] = {}
    for one in found:
        if not isinstance(one, StatusComes) or one.over_kafka is not None:
            told.append(one)
        elif isinstance(before := told[places[one.source]] if one.source in places else None, StatusesCome):
            told[places[one.source]] = StatusesCome((*before.reports, one))
        else:
            places[one.source] = len(told)
            told.append(StatusesCome((one,)))
    return told


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


def _speaks_on_kafka(entry: ChronicleEntry, party: str) -> str | None:
    # Whoever has hosted a meeting reports for itself; the rest comes from an editor's system over HTTP.
    if party == "MX" and entry.anchor_id == "nals-2022":
        return "mx-sre"
    if party == "CA" and entry.known_on == date(2022, 11, 8):
        return "ca-gac"  # the sixth Drug Dialogue met in Ottawa
    return None
