"""The rehearsal as a picture: a strip of months for each thing that reminders say, and a lane for each commitment that
is told otherwise, unless those are too many to look at.

Shape says what a reminder says, colour and place what becomes of it: removed above the line, added below it, and what
stays or moves on it. So it can be read without colours, and the tables in the terminal say the same without a picture.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from contracts.vocabulary import ShownText
from services.cli.rehearse.rehearsal import PHASES, Month, Rehearsal
from services.cli.rehearse.report import says, when
from services.scheduler.ladders.due_reminder import Phase
from services.scheduler.reminders.rules.simulation import MovedReminder, SimulatedReminder

MOST_LANES = 30
WIDTH, LEFT, RIGHT = 1080, 24, 1056
HEAD = 148
STRIP, BARS = 104, 34
"""Height of a strip, and of its highest bars to either side of its line."""
FEW = 6
"""So many reminders in a month reach a strip's full height at the least: one alone is no mountain."""
LANE = 56

SHAPES: dict[Phase, str] = {
    "ahead": "M-4-5 5 0-4 5z",
    "today": "M0-6 6 0 0 6-6 0z",
    "overdue": "M-4.5-4.5h9v9h-9z",
    "asked": "M-5 4.5 0-5 5 4.5z",
    "review": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
}
_SAYINGS: dict[Phase, str] = {
    "ahead": "ahead of the day",
    "today": "on the day",
    "overdue": "overdue",
    "asked": "asked whether it has taken place",
    "review": "to be looked at again",
}
_KINDS = {"-": "removed", "+": "added", "~": "moved"}
_OFFSETS = {"-": -11, "+": 11, "~": 0}

_STYLE = """
svg { --paper: #fbfaf7; --ink: #1b1f24; --quiet: #545b64; --line: #d9d5cb; --accent: #0b4f5c; --stays: #b9b4a8;
  --added: #1c6b3c; --removed: #a8201a; --moved: #1d5fa8; background: var(--paper); }
@media (prefers-color-scheme: dark) { svg { --paper: #14171a; --ink: #e8e6e1; --quiet: #a9b0b8; --line: #353b42;
  --accent: #7fd0de; --stays: #5b6269; --added: #7fd09c; --removed: #ff9b93; --moved: #86b9f2; } }
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; fill: var(--ink);
  font-size: 13px; font-variant-numeric: tabular-nums; paint-order: stroke; stroke: var(--paper); stroke-width: 4px;
  stroke-linejoin: round; }
.title { font-family: "Iowan Old Style", Palatino, Charter, "Noto Serif", Georgia, serif; font-size: 22px;
  font-weight: 600; }
.quiet { fill: var(--quiet); } .name { font-weight: 600; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--line); } .rail { stroke: var(--quiet); opacity: .55; }
.now { stroke: var(--accent); stroke-width: 2; stroke-dasharray: 2 4; fill: none; }
.stays { fill: var(--stays); } .shape { fill: var(--quiet); }
.added { fill: var(--added); }
.removed { fill: var(--paper); stroke: var(--removed); stroke-width: 1.6; }
.moved { fill: var(--moved); stroke: var(--paper); stroke-width: 1; }
rect.removed { fill: var(--removed); stroke: none; } rect.moved { stroke: none; }
"""


def draw(rehearsal: Rehearsal) -> str:
    """The picture, as a whole SVG document."""
    lanes = _lanes(rehearsal)
    phases = [phase for phase in PHASES if any(t.phase == phase for t in (*rehearsal.before, *rehearsal.after))]
    height = HEAD + STRIP * len(phases) + (44 + LANE * len(lanes) if lanes else 30) + 18
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img" xml:lang="en" aria-labelledby="title desc">',
        f'<title id="title">{escape(_title(rehearsal))}</title>',
        f'<desc id="desc">{escape(_description(rehearsal, bool(lanes)))}</desc>',
        f"<style>{_STYLE}</style>",
        "<defs>",
        *(f'<path id="{phase}" d="{path}"/>' for phase, path in SHAPES.items()),
        "</defs>",
        f'<rect width="{WIDTH}" height="{height}" style="fill: var(--paper)"/>',
        *_head(rehearsal),
        *_grid(rehearsal, height),
    ]
    y = HEAD
    for phase in phases:
        parts += _strip(rehearsal, phase, y)
        y += STRIP
    parts += _drawn_lanes(rehearsal, lanes, y) if lanes else _no_lanes(rehearsal, y)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _title(rehearsal: Rehearsal) -> str:
    return f"Rehearsal of {rehearsal.other}"


def _description(rehearsal: Rehearsal, with_lanes: bool) -> str:
    lanes = " Below, a lane for each commitment that is told otherwise." if with_lanes else ""
    return (
        f"{_period(rehearsal)}, on {rehearsal.source}. {rehearsal.summary}. A strip of months for each thing that"
        " reminders say: upwards those of today's plan, downwards the rehearsed ones."
        f"{lanes} The tables in the terminal say the same."
    )


def _period(rehearsal: Rehearsal) -> str:
    return f"{_day(rehearsal.start)} to {_day(rehearsal.end)}"


def _head(rehearsal: Rehearsal) -> Iterator[str]:
    yield f'<text class="title" x="{LEFT}" y="36">{escape(_title(rehearsal))}</text>'
    yield f'<text class="quiet" x="{LEFT}" y="58">{escape(f"{_period(rehearsal)} · {rehearsal.source}")}</text>'
    yield f'<text x="{LEFT}" y="82">{escape(rehearsal.summary)}</text>'
    x = LEFT + 6
    for phase in PHASES:
        yield f'<use href="#{phase}" class="shape" x="{x}" y="105"/>'
        yield f'<text x="{x + 12}" y="109">{_SAYINGS[phase]}</text>'
        x += 34 + 7 * len(_SAYINGS[phase])
    x += 20
    for kind, name in (("stays", "unchanged"), ("removed", "removed"), ("moved", "moved"), ("added", "added")):
        yield f'<use href="#today" class="{kind}" x="{x}" y="105"/>'
        yield f'<text x="{x + 12}" y="109">{name}</text>'
        x += 34 + 7 * len(name)
    yield f'<text class="quiet end" x="{RIGHT}" y="58">up: today’s plan; down: rehearsed</text>'


def _grid(rehearsal: Rehearsal, height: int) -> Iterator[str]:
    """A line at every year's beginning, and in a short period at every quarter's too."""
    short = rehearsal.end - rehearsal.start < timedelta(days=1100)
    for year in range(rehearsal.start.year, rehearsal.end.year + 1):
        for month in (1, 4, 7, 10) if short else (1,):
            day = datetime(year, month, 1, tzinfo=UTC)
            if rehearsal.start <= day < rehearsal.end:
                x = _x(rehearsal, day)
                label = str(year) if month == 1 else f"{day:%b}"
                yield f'<path class="grid" d="M{x:.1f} {HEAD - 14}V{height - 14}"/>'
                yield f'<text class="quiet" x="{x + 4:.1f}" y="{HEAD - 6}">{label}</text>'
    if rehearsal.start <= rehearsal.now < rehearsal.end:
        x = _x(rehearsal, rehearsal.now)
        yield f'<path class="now" d="M{x:.1f} {HEAD - 14}V{height - 14}"/>'
        place = f'class="end" x="{x - 4:.1f}"' if x > WIDTH / 2 else f'x="{x:.1f}"'
        yield f'<text {place} y="{HEAD - 20}" style="fill: var(--accent)">now, {_day(rehearsal.now)}</text>'


def _strip(rehearsal: Rehearsal, phase: Phase, top: int) -> Iterator[str]:
    """The months of one phase: today's plan upwards, the rehearsed one downwards, what they share next to the line."""
    found = rehearsal.difference
    reminders = [t for t in rehearsal.before if t.phase == phase], [t for t in rehearsal.after if t.phase == phase]
    both, removed, added = _months(reminders[0]), _months_of(found.removed, phase), _months_of(found.added, phase)
    was = _months_of([moved.before for moved in found.moved], phase)
    becomes = _months_of([moved.after for moved in found.moved], phase)
    after = _months(reminders[1])
    highest = max([*both.values(), *after.values()])
    line, scale = top + 26 + BARS, BARS / max(highest, FEW)
    yield f'<use href="#{phase}" class="shape" x="{LEFT + 6}" y="{top + 10}"/>'
    yield f'<text class="name" x="{LEFT + 18}" y="{top + 14}">{_SAYINGS[phase]}</text>'
    counts = f"{len(reminders[0]):,} today, {len(reminders[1]):,} rehearsed; at most {highest:,} a month"
    yield f'<text class="quiet end" x="{RIGHT}" y="{top + 14}">{counts}</text>'
    yield f'<path class="rail" d="M{LEFT} {line}H{RIGHT}"/>'
    for month in sorted({*both, *after}):
        x, width = _bar(rehearsal, month)
        up = both[month] - removed[month] - was[month], was[month], removed[month]
        down = after[month] - added[month] - becomes[month], becomes[month], added[month]
        yield f"<g><title>{month[0]}-{month[1]:02}: {both[month]:,} today, {after[month]:,} rehearsed</title>"
        yield from _pile(x, width, line - 1, -scale, zip(("stays", "moved", "removed"), up, strict=True))
        yield from _pile(x, width, line + 1, scale, zip(("stays", "moved", "added"), down, strict=True))
        yield "</g>"


def _pile(x: float, width: float, y: float, scale: float, counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    for name, count in counts:
        if count:
            high = abs(count * scale)
            yield (
                f'<rect class="{name}" x="{x:.1f}" y="{y if scale > 0 else y - high:.1f}"'
                f' width="{width:.1f}" height="{high:.1f}"/>'
            )
            y += count * scale


def _drawn_lanes(rehearsal: Rehearsal, lanes: dict[str, Counter[str]], top: int) -> Iterator[str]:
    yield f'<text class="name" x="{LEFT}" y="{top + 20}">Commitments that are told otherwise</text>'
    yield (
        f'<text class="quiet end" x="{RIGHT}" y="{top + 20}">'
        "above the line removed, on it unchanged or moved, below it added</text>"
    )
    changed = {id(one.after if isinstance(one, MovedReminder) else one) for _, _, one in rehearsal.changes}
    titles = _titles(rehearsal)
    places = {name: top + 44 + LANE * number for number, name in enumerate(lanes)}
    for name, counts in lanes.items():
        y = places[name]
        kinds = ", ".join(f"{counts[kind]} {word}" for kind, word in _KINDS.items() if counts[kind])
        title, language = titles[name]
        marked = "" if language == "en" else f' xml:lang="{language}"'
        yield f'<text x="{LEFT}" y="{y + 6}"{marked}>{escape(_short(title, 100))}</text>'
        yield f'<text class="quiet end" x="{RIGHT}" y="{y + 6}">{kinds}</text>'
        yield f'<path class="rail" d="M{LEFT} {y + 30}H{RIGHT}"/>'
    for one in rehearsal.after:
        if one.commitment_id in places and id(one) not in changed:
            yield _mark(rehearsal, one, "stays", places[one.commitment_id] + 30)
    for _, kind, change in rehearsal.changes:
        reminder = change.after if isinstance(change, MovedReminder) else change
        was = f" (was {when(change.before, rehearsal)})" if isinstance(change, MovedReminder) else ""
        label = f"{_KINDS[kind]}: {when(reminder, rehearsal)}{was}, {reminder.step.name}, {says(reminder)}"
        y = places[reminder.commitment_id] + 30 + _OFFSETS[kind]
        yield _mark(rehearsal, reminder, _KINDS[kind], y, f"{label}, {rehearsal.title_of(reminder.milestone_id)}")


def _mark(rehearsal: Rehearsal, reminder: SimulatedReminder, name: str, y: int, label: str = "") -> str:
    title = f"<title>{escape(label)}</title>" if label else ""
    x = _x(rehearsal, reminder.at)
    return f'<use href="#{reminder.phase}" class="{name}" x="{x:.1f}" y="{y}">{title}</use>'


def _no_lanes(rehearsal: Rehearsal, top: int) -> Iterator[str]:
    count = len({_commitment(change) for _, _, change in rehearsal.changes})
    words = (
        f"{count:,} commitments are told otherwise: too many for a lane each" if count else "Nothing is told otherwise"
    )
    yield f'<text class="quiet" x="{LEFT}" y="{top + 20}">{words}</text>'


def _lanes(rehearsal: Rehearsal) -> dict[str, Counter[str]]:
    """The commitments that are told otherwise, the first change first, with their changes; none if too many."""
    lanes: dict[str, Counter[str]] = {}
    for _, kind, change in rehearsal.changes:
        lanes.setdefault(_commitment(change), Counter())[kind] += 1
    return lanes if len(lanes) <= MOST_LANES else {}


def _commitment(change: SimulatedReminder | MovedReminder) -> str:
    return change.after.commitment_id if isinstance(change, MovedReminder) else change.commitment_id


def _titles(rehearsal: Rehearsal) -> dict[str, ShownText]:
    briefs = {one.commitment.id: one.commitment for one in rehearsal.schedules.values()}
    return {name: brief.title.in_language("en", brief.language) for name, brief in briefs.items()}


def _months_of(reminders: Iterable[SimulatedReminder], phase: Phase) -> Counter[Month]:
    return _months(one for one in reminders if one.phase == phase)


def _months(reminders: Iterable[SimulatedReminder]) -> Counter[Month]:
    return Counter((one.at.year, one.at.month) for one in reminders)


def _bar(rehearsal: Rehearsal, month: Month) -> tuple[float, float]:
    """Where a month's bar begins, and how wide it is: with a gap to the next one, and never thinner than a hair."""
    year, number = month
    first = datetime(year, number, 1, tzinfo=UTC)
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    left, right = _x(rehearsal, max(first, rehearsal.start)), _x(rehearsal, min(following, rehearsal.end))
    return left, max(right - left - 1.5, 0.5)


def _x(rehearsal: Rehearsal, instant: datetime) -> float:
    return LEFT + (RIGHT - LEFT) * ((instant - rehearsal.start) / (rehearsal.end - rehearsal.start))


def _day(instant: datetime) -> str:
    return f"{instant.day} {instant:%B %Y}"


def _short(words: str, longest: int) -> str:
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"
