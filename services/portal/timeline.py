"""Where things stand on the timeline picture: years in which something begins or ends are wide, empty runs are cut.

Pure geometry; the template draws it. Lengths are in the picture's own units, fractions from 0 (left) to 1 (right).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

BREAK = 0.45
"""Width of a run of years without anything, in years."""


@dataclass(frozen=True)
class AxisSegment:
    """One year, or a run of empty years that is cut out; from `left` to `right`."""

    first: int
    last: int
    left: float
    right: float
    cut: bool


@dataclass(frozen=True)
class TimelineAxis:
    """A broken axis of years."""

    segments: tuple[AxisSegment, ...]

    def at(self, day: date) -> float:
        """Where a day stands; days outside the axis stand at its ends."""
        for segment in self.segments:
            if day.year <= segment.last:
                start = date(segment.first, 1, 1)
                days = (date(segment.last, 12, 31) - start).days + 1
                part = max(0.0, (day - start).days / days)
                return segment.left + part * (segment.right - segment.left)
        return 1.0

    def bar(self, earliest: date, latest: date | None) -> tuple[float, float]:
        """From where to where a span of days reaches, its last day included; without one it reaches to the end."""
        return self.at(earliest), self.at(latest + timedelta(days=1)) if latest and latest < date.max else 1.0


def axis_for(spans: Sequence[tuple[date, date]], made_on: date, today: date | None = None) -> TimelineAxis:
    """The axis for spans of days (earliest, latest) that a document of `made_on` names.

    It begins in the document's year, even where a span (a decade, say) begins earlier.
    """
    begin = made_on.year
    busy = {begin, *(max(day.year, begin) for span in spans for day in span)}
    if today and begin <= today.year <= max(busy):
        busy.add(today.year)
    runs: list[tuple[int, int, bool]] = []
    for year in sorted(busy):
        if runs and year > runs[-1][1] + 1:
            gap = (runs[-1][1] + 1, year - 1)
            # One empty year needs no cut: it takes hardly more room than the mark for it.
            runs.append((*gap, gap[1] > gap[0]))
        runs.append((year, year, False))
    weights = [BREAK if cut else 1.0 for *_, cut in runs]
    total = sum(weights)
    segments, left = [], 0.0
    for (first, last, cut), weight in zip(runs, weights, strict=True):
        right = left + weight / total
        segments.append(AxisSegment(first, last, left, min(right, 1.0), cut))
        left = right
    return TimelineAxis(tuple(segments))
