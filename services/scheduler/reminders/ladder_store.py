"""The rules that hold now: the ladder book that was applied last, and the ladders that subscriptions chose.

One row says which they are (`planning_rules`). Whoever plans something new, such as the intake, holds that row shared
while it does; whoever changes a rule holds it alone. So everything is planned either before a change, where the
planning anew that follows the change finds it, or by the new rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.events import LadderChosen
from services.plumbing.database import Connection
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import DEFAULT_BOOK, read_ladder_book
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder, subscription_ladder
from services.scheduler.reminders.rules.agenda import PlanningRules

RulesLock = Literal["nothing", "shared", "alone"]
_LOCKS: Mapping[RulesLock, str] = {"nothing": "", "shared": "for share", "alone": "for update"}


class RulesCache:
    """The rules as this process read them last; what is newer in the tables is read at the next look.

    `rules` is to be asked before a transaction changes any of them: what was rolled back must not be remembered.
    """

    def __init__(self, shipped: LadderBook = DEFAULT_BOOK) -> None:
        self._shipped = shipped
        self._book_version = 0
        self._choices_version = 0
        self._choices: dict[UUID, SubscriptionLadder] = {}
        self._rules = PlanningRules(shipped)

    @property
    def shipped(self) -> LadderBook:
        """The book that holds where none has been applied."""
        return self._shipped

    async def rules(self, connection: Connection, hold: RulesLock = "nothing") -> PlanningRules:
        """The rules of now; held until the transaction ends, shared or alone, if asked for."""
        row = await connection.fetchrow(f"select book_version, choices_version from planning_rules {_LOCKS[hold]}")
        if row is None:
            raise RuntimeError("planning_rules has lost its row")
        versions = row["book_version"], row["choices_version"]
        if versions != (self._book_version, self._choices_version):
            await self._read(connection, *versions)
        return self._rules

    async def _read(self, connection: Connection, book_version: int, choices_version: int) -> None:
        book = self._rules.book
        if book_version != self._book_version:
            text = await connection.fetchval("select text from ladder_book where version = $1", book_version)
            book = read_ladder_book(text) if text is not None else self._shipped
        for row in await connection.fetch(
            "select subscription_id, choice::text from chosen_ladder where version > $1 and version <= $2",
            self._choices_version,
            choices_version,
        ):
            choice = subscription_ladder(LadderChosen.as_read(row["choice"]))
            if choice:
                self._choices[row["subscription_id"]] = choice
            else:
                self._choices.pop(row["subscription_id"], None)
        self._rules = PlanningRules(book, tuple(self._choices.values()))
        self._book_version, self._choices_version = book_version, choices_version


async def write_subscription_ladders(connection: Connection, events: Sequence[LadderChosen]) -> list[LadderChosen]:
    """Keep what subscriptions (each once) chose, where nothing newer is known; those that were newer.

    The rules are to be held alone.
    """
    rows = await connection.fetch(
        "select subscription_id, seq from chosen_ladder where subscription_id = any($1::uuid[])",
        [event.subscription_id for event in events],
    )
    known = {row["subscription_id"]: row["seq"] for row in rows}
    news = [event for event in events if event.seq > known.get(event.subscription_id, 0)]
    if news:
        version = await connection.fetchval(
            "update planning_rules set choices_version = choices_version + 1 returning choices_version"
        )
        await connection.executemany(
            """
            insert into chosen_ladder (subscription_id, seq, choice, version) values ($1, $2, $3, $4)
            on conflict (subscription_id)
            do update set seq = excluded.seq, choice = excluded.choice, version = excluded.version
            """,
            [(event.subscription_id, event.seq, event.model_dump(mode="json"), version) for event in news],
        )
    return news


@dataclass(frozen=True)
class AppliedLadderBook:
    """The book that holds, when it was applied and by whom; the shipped one was applied by nobody, and is version 0."""

    version: int
    book: LadderBook
    applied_at: datetime | None = None
    applied_by: str | None = None


async def current_ladder_book(connection: Connection, shipped: LadderBook) -> AppliedLadderBook:
    """The book that holds now."""
    row = await connection.fetchrow("select b.* from ladder_book b join planning_rules r on r.book_version = b.version")
    if row is None:
        return AppliedLadderBook(0, shipped)
    return AppliedLadderBook(row["version"], read_ladder_book(row["text"]), row["applied_at"], row["applied_by"])


async def write_ladder_book(connection: Connection, book: LadderBook, at: datetime, by: str) -> int:
    """Let a book hold from now on; its version. The rules are to be held alone."""
    version: int = await connection.fetchval(
        "update planning_rules set book_version = book_version + 1 returning book_version"
    )
    await connection.execute(
        "insert into ladder_book (version, text, sha256, applied_at, applied_by) values ($1, $2, $3, $4, $5)",
        version,
        book.text,
        book.sha256,
        at,
        by,
    )
    return version
