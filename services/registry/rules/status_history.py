"""What was held to be true, of which day, and by which day: the last word on a party counts, from when on it is so.

Three times belong to a word: since when it is so in the world (`occurred_at`), when somebody said it (`reported_at`)
and when the register took it in (`recorded_at`). Who speaks later knows more: of all that speak of a time, the word
that was said last holds. So news that comes late (an old `reported_at`) has its place before what was said after it,
and a correction (an old `occurred_at`) changes what is held of the time since then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from contracts.vocabulary import PartyCode, Status
from services.plumbing.sentences import Sentence
from services.registry.rules.errors import Invalid, at
from services.registry.rules.report_times import CLOCK_SKEW
from services.registry.rules.status import PartyStatuses


@dataclass(frozen=True)
class StatusWord:
    """What was said of a party's status; `version` tells apart what was said in one moment, in the register's order."""

    party: PartyCode
    status: Status
    occurred_at: datetime
    reported_at: datetime
    recorded_at: datetime
    version: int

    @property
    def place(self) -> tuple[datetime, int]:
        """Its place among the words on its party, in the order in which they were said."""
        return self.reported_at, self.version


@dataclass(frozen=True)
class AsOf:
    """Of which moment (`as_of`), and as it was known at which (`known_at`); None for now."""

    as_of: datetime | None = None
    known_at: datetime | None = None

    @property
    def is_now(self) -> bool:
        """Whether nothing but the present is asked for."""
        return self.as_of is None and self.known_at is None

    def includes(self, occurred_at: datetime, recorded_at: datetime) -> bool:
        """Whether something that is so since then, and was recorded then, counts."""
        return (self.as_of is None or occurred_at <= self.as_of) and (
            self.known_at is None or recorded_at <= self.known_at
        )


PRESENT = AsOf()


def last_status(words: Iterable[StatusWord]) -> Status:
    """What was said last of one party; announced where nothing was."""
    last = max(words, key=lambda word: word.place, default=None)
    return last.status if last else Status.ANNOUNCED


def statuses_as_of(parties: Iterable[PartyCode], words: Iterable[StatusWord], moment: AsOf) -> PartyStatuses:
    """How each party stood; announced where nothing had been said of it."""
    newest: dict[PartyCode, StatusWord] = {}
    for word in words:
        if not moment.includes(word.occurred_at, word.recorded_at):
            continue
        known = newest.get(word.party)
        if known is None or known.place < word.place:
            newest[word.party] = word
    return {party: newest[party].status if party in newest else Status.ANNOUNCED for party in parties}


def times_of_report(
    occurred_at: datetime | None, reported_at: datetime | None, newest: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """Since when it is so, and when it was said.

    What is said now is said after all that was said before: `newest` is when the last word on this party was said,
    which may be a little ahead of our clock by its sender's. Raises `Invalid` for what was said before it was so.
    """
    said = reported_at if reported_at is not None else max(filter(None, (now, newest)))
    if occurred_at is None:
        return min(said, now), said
    if occurred_at > said + CLOCK_SKEW:
        raise Invalid(
            Sentence("It can't be so since after it was said: %(isoformat)s", isoformat=occurred_at.isoformat()),
            **at("occurred_at"),
        )
    return occurred_at, said


def end_of(day: date) -> datetime:
    """The last moment of a day in UTC."""
    return datetime.combine(day, time.max, UTC)
