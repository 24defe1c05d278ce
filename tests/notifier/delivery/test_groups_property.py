"""A property of groups: whatever is written, claimed, refused, killed and ended in whatever order, nothing is lost.

And nobody is told twice: an event reaches an address once for all subscriptions that it has there, unless a process
fell after it had sent. About one commitment each subscription hears in order.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifier.channels.outcomes import Accepted, FailureReason, Refused
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import Delivery, to_send
from services.notifier.delivery.fan_out import FanOut
from services.notifier.subscriptions.unsubscribe_routes import BY_LINK
from services.plumbing.database import Database
from tests.notifier.delivery.test_groups import mailed, of_an_import, record, rows_of, sent, unled
from tests.notifier.scenes import MUCH_CAPACITY, NO_CAPACITY, NOW, empty, incoming, subscriptions

ADDRESSES = ["desk@example.org", "desk@example.org", "other@example.org"]
commitments = st.sampled_from("abc")
causes = st.sampled_from([None, 1, 1, 2])
"""None is told at once."""
batches = st.lists(st.tuples(commitments, causes), min_size=1, max_size=5)
steps = st.one_of(
    st.tuples(st.just("write"), batches),
    st.tuples(st.just("write in hand"), batches),
    st.tuples(st.just("time"), st.sampled_from([1, 30, 60])),
    st.tuples(st.just("send"), st.sampled_from(["taken", "taken", "refused", "killed before", "killed after"])),
    st.tuples(st.just("end"), st.integers(0, 2)),
)


class Desk:
    """Notifiers that come and go over one table, and what has reached the addresses."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.fan_out = FanOut(database, lease_seconds=60)
        self.claims = DeliveryClaims(database, lease_seconds=60)
        self.now: datetime = NOW
        self.seqs: Counter[str] = Counter()
        self.ids: list[UUID] = []
        self.heard: list[tuple[str, UUID]] = []
        self.order: list[tuple[UUID, int]] = []
        """Threads and positions, as they were told."""
        self.doubtful: set[UUID] = set()

    async def write(self, batch: Sequence[tuple[str, int | None]], *, in_hand: bool = False) -> None:
        events = []
        for commitment, cause in batch:
            self.seqs[commitment] += 1
            seq = self.seqs[commitment]
            events.append(
                incoming(commitment, seq) if cause is None else of_an_import(commitment, seq, cause=UUID(int=cause))
            )
        out = await self.fan_out.apply(events, self.now, MUCH_CAPACITY if in_hand else NO_CAPACITY)
        await self.deal_with(out.claimed, "taken")

    async def send(self, how: str) -> None:
        await self.deal_with(await self.claims.claim(self.now, MUCH_CAPACITY), how)

    async def deal_with(self, claimed: Sequence[Delivery], how: str) -> None:
        """One process does the same to all that it has in hand, each thread in order, as lanes do."""
        going, ends = to_send(claimed, self.now)
        await record(self.database, *ends)
        given_up: set[UUID] = set()
        for message in going:
            if given_up & {message.thread}:
                await self.fall(message)
                continue
            if how in ("taken", "killed after"):
                once = dict.fromkeys((member.recipient.address.lower(), member.event_id) for member in message.members)
                self.heard += once
                self.order += [(member.thread, member.position) for member in message.members]
            if how.startswith("killed"):
                self.doubtful |= {member.event_id for member in message.members}
                given_up.add(message.thread)
                await self.fall(message)
                continue
            outcome = Accepted(250) if how == "taken" else Refused(FailureReason.BUSY, 450, retryable=True)
            result = sent(message, self.now, outcome)
            if not result.is_settled:
                given_up.add(message.thread)
            await record(self.database, result)

    async def fall(self, message: Delivery) -> None:
        async with self.database.connection() as connection:
            await connection.execute(
                "update delivery set lease_until = clock_timestamp() - interval '1 second' where id = any($1::uuid[])",
                [member.id for member in message.members],
            )

    async def until_quiet(self) -> None:
        for _ in range(60):
            await self.claims.sweep(self.now)
            await self.send("taken")
            rows = await rows_of(self.database)
            if not [row for row in rows if row["state"] in ("pending", "sending")]:
                return
            self.now += timedelta(hours=30)
        raise AssertionError(f"it never became quiet: {[dict(r) for r in rows if r['settled_at'] is None]}")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(steps, min_size=3, max_size=14))
async def test_nothing_is_lost_and_nobody_is_told_twice(migrated: Database, plan: list[tuple[str, Any]]) -> None:
    await empty(migrated)
    desk = Desk(migrated)
    desk.ids = [await mailed(migrated, address) for address in ADDRESSES]
    for step, what in plan:
        match step:
            case "write":
                await desk.write(what)
            case "write in hand":
                await desk.write(what, in_hand=True)
            case "time":
                desk.now += timedelta(seconds=what)
            case "send":
                await desk.send(what)
                await desk.claims.sweep(desk.now)
            case _:
                await subscriptions(migrated).end(desk.ids[what], None, "unsubscribed", desk.now, BY_LINK)
        assert await unled(migrated) == 0
    await desk.until_quiet()

    rows = await rows_of(migrated)
    by_id = {row["id"]: row for row in rows}
    assert {row["state"] for row in rows} <= {"delivered", "cancelled", "suppressed"}
    for row in rows:
        if row["message"] is not None:
            leader = by_id[row["message"]]
            assert (leader["state"], leader["message"], leader["destination"]) == (
                row["state"],
                None,
                row["destination"],
            )
    heard = Counter(desk.heard)
    reached = {event for _, event in heard}
    assert reached >= {row["event_id"] for row in rows if row["state"] == "delivered"}
    assert {event for (_, event), times in heard.items() if times > 1} <= desk.doubtful
    last: dict[UUID, int] = {}
    for thread, position in desk.order:
        assert position >= last.get(thread, 0) or not desk.doubtful.isdisjoint(
            row["event_id"] for row in rows if row["thread"] == thread
        )
        last[thread] = max(position, last.get(thread, 0))
