"""What happens on which day: the statement on the first, then the chronicle's news as they became known."""

from collections.abc import Iterator
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
    news: ChronicleEntry


@dataclass(frozen=True)
class StatusComes:
    """Somebody reports how a commitment is going; `over_kafka` names the ministry that does it on its own topic."""

    commitment_id: str
    country: str | None
    status: Status
    note: str
    source: str
    over_kafka: str | None


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
    """The news of one day, in the chronicle's order; what was known before the statement belongs to its own day."""
    made_on = catalogue.statement.made_on
    found: list[Happening] = []
    for news in catalogue.chronicle:
        found += _of_its_anchor(news, day, made_on)
        if max(news.known_on, made_on) != day:
            continue
        found += [
            StatusComes(
                commitment_id=news.commitment_id or "",
                country=report.country,
                status=report.status,
                note=report.note,
                source=news.source.text,
                over_kafka=_speaks_on_kafka(news, report.country),
            )
            for report in news.reports
        ]
    return found


def _of_its_anchor(news: ChronicleEntry, day: date, made_on: date) -> Iterator[AnchorMoves | AnchorHeld]:
    """What became known of an anchor on this day; that it was held says the days too, where both are known at once."""
    if news.anchor_id is None:
        return
    held = news.outcome is not None and news.outcome.known_on == day
    moves = news.span is not None and news.known_on == day > made_on
    if held:
        yield AnchorHeld(news.anchor_id, news.span.edtf if news.span and moves else None, news.source)
    elif moves:
        yield AnchorMoves(news.anchor_id, news)


def _speaks_on_kafka(news: ChronicleEntry, country: str | None) -> str | None:
    # Mexico's foreign ministry reports for the summits that it hosts; the rest comes from another system over HTTP.
    if country is None and news.anchor_id == "nals-2022":
        return "mx-sre"
    if country is None and news.known_on == date(2022, 11, 8):
        return "ca-gac"  # the sixth Drug Dialogue met in Ottawa
    return None
