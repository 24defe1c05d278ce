"""What happens on which day: the statement on the first, then what the chronicle has, as it became known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from services.registry.catalogue.happenings import Happening, StatusComes

FIRST_DAY = date(2021, 11, 18)
LAST_DAY = date(2023, 1, 31)


@dataclass(frozen=True)
class StatusesCome:
    """Somebody reports several at once, since one source tells of all of them."""

    reports: tuple[StatusComes, ...]


def noon(day: date) -> datetime:
    """The instant at which the demo stands on a day: 18:00 UTC, noon in Mexico City.

    By then it is past nine in the morning in all three capitals, so that the day's reminders are due.
    """
    return datetime.combine(day, time(18), UTC)


def days(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def together(found: Iterable[Happening]) -> list[Happening | StatusesCome]:
    """The same, and what one source tells over HTTP as one report of several, where the first of it stood."""
    told: list[Happening | StatusesCome] = []
    places: dict[str, int] = {}
    for one in found:
        if not isinstance(one, StatusComes) or speaks_on_kafka(one) is not None:
            told.append(one)
        elif isinstance(before := told[places[one.source]] if one.source in places else None, StatusesCome):
            told[places[one.source]] = StatusesCome((*before.reports, one))
        else:
            places[one.source] = len(told)
            told.append(StatusesCome((one,)))
    return told


def speaks_on_kafka(report: StatusComes) -> str | None:
    """Which ministry says it on its own topic; None for what an editor's system says over HTTP."""
    # Whoever has hosted a meeting reports for itself; the rest comes from an editor's system.
    if report.party == "MX" and report.entry.anchor_id == "nals-2022":
        return "mx-sre"
    if report.party == "CA" and report.entry.known_on == date(2022, 11, 8):
        return "ca-gac"  # the sixth Drug Dialogue met in Ottawa
    return None
