"""How fast one destination is sent to: by its platform's limit, and by what it says itself.

Pure: what happened comes as arguments, and there is no clock. A pace is seconds between two starts. It changes by three
things: a message that was taken, one that was told to wait, and nothing else.

- Told to wait: nothing starts until then. After it one probe goes alone, then all go on at the pace. Who is told again
  and again waits longer each time.
- Told three times, each within two hundred messages: the pace is too fast for it, and becomes slower each time more, by
  half where it is told after one or two messages.
- Of a receiver without a known limit the pace is found by trying: a fifth faster after every eight messages, until it
  says to wait; then as before that. From then on something faster is tried seldom, and more seldom the more it fails.
"""

from dataclasses import dataclass, replace

MARGIN = 1.03
"""A pace keeps this factor away from a limit, or every message that the network delays makes the next one early."""
QUICKEST, SLOWEST = 0.002, 600.0
"""Seconds between two starts; what takes more than 500 a second needs no pace."""
FIRST_GUESS = (0.2, 2.0)
"""Seconds, the bounds of a first pace that is guessed from what the receiver asks for."""
LONGEST_WAIT = 86_400.0
"""Seconds that a receiver may ask for, at once; it may ask again."""
LONGEST_OWN_WAIT = 300.0
"""Seconds; who goes on asking for less is probed no more often than this."""

SEARCH, CAREFUL, MOST_CAREFUL = 8, 400, 6_400
"""Messages that have to be taken before something faster is tried: while searching, and after that."""
KEEPS_COMING = 200
"""Told to wait again within so many messages counts as a strike."""
MOST_STRIKES = 3
"""So many, and the pace is too fast: one or two are chance, or somebody else at the same address."""
SLOWER, MUCH_SLOWER, SEARCH_FASTER, FASTER = 1.15, 2.0, 0.8, 0.9
FAR_OFF = 2
"""Told to wait after no more than so many messages, a pace that is too fast is so by far."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a destination is doing.

    `fastest` is the platform's limit, 0 where none is known; `seconds` the pace now; `good` one that was taken well, 0
    where none is known yet; `taken` counts messages since the last change, `patience` how many of them it takes to try
    something faster; `strikes` and `deferrals` count being told to wait, soon after another and in a row. `round` grows
    each time it is told, so that what was started before is known from what was started after.
    """

    fastest: float
    seconds: float
    good: float
    taken: int = 0
    patience: int = CAREFUL
    strikes: int = 0
    deferrals: int = 0
    round: int = 0

    @property
    def is_probing(self) -> bool:
        """Whether the next message goes alone, to see whether anything is taken."""
        return self.deferrals > 0


def limited(per_second: float) -> Pace:
    """The pace of a platform that takes so many messages a second."""
    seconds = MARGIN / per_second
    return Pace(fastest=seconds, seconds=seconds, good=seconds)


def guessed(asked: float | None) -> Pace:
    """The first pace of a receiver without a known limit, which has just asked to wait so many seconds."""
    least, most = FIRST_GUESS
    return Pace(fastest=0.0, seconds=min(max(asked or 1.0, least), most) * MARGIN, good=0.0, patience=SEARCH)


def with_limit(pace: Pace, per_second: float | None) -> Pace:
    """The pace under another limit of its platform, or under none any more."""
    if per_second is None:
        return replace(pace, fastest=0.0)
    fastest = MARGIN / per_second
    return replace(pace, fastest=fastest, seconds=max(pace.seconds, fastest), good=max(pace.good, fastest))


def when_taken(pace: Pace, count: int) -> Pace:
    """The pace after `count` messages (1 or more) that were answered with anything but a wish to wait."""
    pace = replace(pace, taken=pace.taken + count, deferrals=0)
    least = pace.fastest or QUICKEST
    if pace.taken < pace.patience or pace.seconds <= least:
        return pace
    faster = pace.seconds * (SEARCH_FASTER if pace.patience == SEARCH else FASTER)
    return replace(pace, good=pace.seconds, seconds=max(faster, least), taken=0, strikes=0)


def when_told_to_wait(pace: Pace, asked: float | None) -> tuple[Pace, float]:
    """The pace after the receiver asked to wait `asked` seconds, if it says how long; and how long nothing starts."""
    own = min(2.0 ** min(pace.deferrals, 20), LONGEST_OWN_WAIT)
    wait = max(min(asked or 0.0, LONGEST_WAIT), own)
    told = replace(pace, taken=0, deferrals=pace.deferrals + 1, round=pace.round + 1)
    if pace.seconds < pace.good:  # something faster was tried
        patience = CAREFUL if pace.patience == SEARCH else min(2 * pace.patience, MOST_CAREFUL)
        return replace(told, seconds=pace.good, patience=patience, strikes=0), wait
    strikes = pace.strikes + 1 if pace.taken < KEEPS_COMING else 1
    if strikes < (MOST_STRIKES if pace.good else 2):
        return replace(told, strikes=strikes), wait
    if pace.is_probing:  # the wait was too short, which says nothing about the pace
        return replace(told, strikes=strikes), wait
    factor = MUCH_SLOWER if pace.taken <= FAR_OFF else SLOWER
    slower = max(min(pace.seconds * factor, SLOWEST), pace.seconds)
    return replace(told, seconds=slower, good=slower if pace.good else 0.0, strikes=strikes), wait
