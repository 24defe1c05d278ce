"""The trial: nobody gets anything but who is on its list, nothing is lost, and going live tells what is still news."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifier.delivery import trial
from services.notifier.delivery.receipts import receipt_of
from services.notifier.delivery.standing_orders import StandingOrders
from services.notifier.delivery.trial import UNTIL_GO_LIVE, HeldByTrial, Trial
from services.plumbing.audit.entries import Actor
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.notifier.delivery.desk import Desk, at, mail
from tests.notifier.requests import by
from tests.notifier.scenes import MUCH_CAPACITY, empty, incoming, subscribe

START = datetime(2026, 3, 2, 18, tzinfo=UTC)
OPERATOR = Actor("ops")
ANA, BEN = "ana@sre.example", "ben@gac.example"


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    clock = SharedClock(tmp_path / "clock-of-the-desk")
    clock.set(START)
    return Desk(database, clock)


async def read(desk: Desk) -> None:
    """What a notifier does each second."""
    async with desk.database.connection() as connection:
        desk.trial = await trial.open_trial(connection)


async def begin(desk: Desk, *allowed: str, **how: bool) -> Trial | None:
    async with desk.database.transaction() as connection:
        began = await trial.begin_trial(connection, OPERATOR, allowed, desk.clock.now(), **how)
    await read(desk)
    return began


async def change(desk: Desk, added: list[str], removed: list[str], *, is_read: bool = True) -> None:
    async with desk.database.transaction() as connection:
        await trial.allow(connection, OPERATOR, added, removed, desk.clock.now())
    if is_read:
        await read(desk)


async def go_live(desk: Desk, *, is_read: bool = True) -> HeldByTrial | None:
    async with desk.database.transaction() as connection:
        held = await trial.go_live(connection, OPERATOR, desk.clock.now())
    if is_read:
        await read(desk)
    return held


async def held(desk: Desk) -> HeldByTrial:
    async with desk.database.connection() as connection:
        return await trial.count_held(connection, desk.clock.now())


def told(desk: Desk) -> list[tuple[str, int]]:
    """To whom messages went, and how many deliveries each told."""
    return [(members[0].recipient.address, len(members)) for _, members in desk.told]


async def test_only_who_is_on_the_list_is_told_and_the_rest_is_held_and_counted(desk: Desk, database: Database) -> None:
    await mail(database, ANA)
    await mail(database, BEN)
    hook = await subscribe(database, "https://hooks.gac.example/x")
    await begin(desk, ANA)
    for n, commitment in enumerate(("coal", "methane")):
        await desk.hear(incoming(commitment, n + 1, at=at(0, 13 + n)), at=at(0, 13 + n))
    assert told(desk) == [(ANA, 1), (ANA, 1)]
    assert await held(desk) == HeldByTrial(deliveries=4, addresses=2, stale=0)
    rows = [row for row in await desk.rows() if row["state"] == "pending"]
    assert {(row["rule"], row["next_at"], row["attempts"]) for row in rows} == {("trial", UNTIL_GO_LIVE, 0)}
    assert {row["subscription_id"] for row in rows} > {hook}
    [receipt] = {receipt_of({**dict(row), "behind": False}, at(0, 20)) for row in rows}
    assert (receipt.outcome, receipt.rule, receipt.until) == ("waiting", "trial", None)

    await desk.until(at(30, 12))
    assert len(told(desk)) == 2
    assert await go_live(desk) == HeldByTrial(deliveries=4, addresses=2, stale=0)
    await desk.settle()
    assert sorted(told(desk)[2:]) == [(BEN, 2), ("https://hooks.gac.example/x", 1), ("https://hooks.gac.example/x", 1)]
    assert {row["state"] for row in await desk.rows()} == {"delivered"}
    assert await held(desk) == HeldByTrial(0, 0, 0)


async def test_going_live_tells_what_is_true_by_then(desk: Desk, database: Database) -> None:
    """
    What would be stale expires, what newer news has overtaken is not told to a person, and the time that the trial
    took adds nothing to how long a message holds.
    """
    await mail(database, BEN, timing={"quiet_hours": [{"begins": "20:00", "ends": "07:00"}]})
    await begin(desk)
    stale = incoming("coal", 1, at=at(0, 13), not_after=at(3, 0))
    older, newer = incoming("methane", 1, at=at(0, 14)), incoming("methane", 2, at=at(0, 15))
    lasting = incoming("trade", 1, at=at(0, 16), not_after=at(10, 21))
    for one in (stale, older, newer, lasting):
        await desk.hear(one, at=one.event.time)
    await desk.until(at(9, 21))
    assert await go_live(desk) == HeldByTrial(deliveries=4, addresses=1, stale=1)
    await desk.settle()
    assert desk.told == []  # it is night there
    assert {row["not_after"] for row in await desk.rows() if row["rule"] == "quiet-hours"} == {None, at(11, 7)}
    await desk.until(at(10, 8))
    [(when, members)] = desk.told
    assert when == at(10, 7)
    assert {member.event_id for member in members} >= {newer.event.id, lasting.event.id}
    assert stale.event.id not in {member.event_id for member in members}
    ended = {row["event_id"]: (row["state"], row["reason"]) for row in await desk.rows()}
    assert ended[stale.event.id] == ("expired", "not-after-passed")
    assert ended[newer.event.id][0] == ended[lasting.event.id][0] == "delivered"


async def test_who_is_put_on_the_list_gets_what_is_held_and_who_is_taken_off_no_more(
    desk: Desk, database: Database
) -> None:
    await mail(database, ANA)
    await mail(database, BEN)
    await begin(desk, ANA)
    await desk.hear(incoming("coal", 1, at=at(0, 13)), at=at(0, 13))
    await change(desk, [BEN], [ANA])
    await desk.settle()
    assert told(desk) == [(ANA, 1), (BEN, 1)]
    await desk.hear(incoming("coal", 2, at=at(0, 14)), at=at(0, 14))
    assert told(desk)[2:] == [(BEN, 1)]
    assert (await held(desk)).deliveries == 1


async def test_a_process_that_has_not_heard_of_the_end_holds_nothing_back_for_good(
    desk: Desk, database: Database
) -> None:
    """
    It reads the orders each second; what it holds by older ones meanwhile is asked for once more.
    """
    await mail(database, BEN)
    await subscribe(database, "https://hooks.gac.example/x")
    await begin(desk)
    for n in range(3):
        await desk.hear(incoming(f"coal-{n}", 1, at=at(0, 13 + n)), at=at(0, 13 + n))
    await go_live(desk, is_read=False)
    await _once(desk)
    await desk.hear(incoming("late", 1, at=at(0, 17)), at=at(0, 17), settles=False)
    assert desk.told == []
    assert await held(desk) == HeldByTrial(0, 0, 0)
    assert max(row["next_at"] for row in await desk.rows()) == at(0, 17)
    await read(desk)
    await desk.settle()
    assert sum(count for who, count in told(desk) if who == BEN) == 4
    assert {row["state"] for row in await desk.rows()} == {"delivered"}


async def _once(desk: Desk) -> None:
    """One claim, told by the orders as they were read last."""
    claimed = await desk.claims.claim(desk.clock.now(), MUCH_CAPACITY)
    await desk.events.get_all(member.event_id for one in claimed for member in one.members)
    await desk.tell(claimed)


async def test_a_first_trial_is_begun_once_and_never_where_somebody_was_told_before(
    desk: Desk, database: Database
) -> None:
    began = await begin(desk, ANA, only_first=True)
    again = await begin(desk, BEN, only_first=True)
    assert began == again and began is not None and began.allowed == (ANA,)
    await go_live(desk)
    assert await go_live(desk) is None
    assert await begin(desk, ANA, only_first=True) is None
    assert (await begin(desk, BEN)) is not None

    await empty(database)
    await read(desk)
    await mail(database, ANA)
    await desk.hear(incoming("coal", 1, at=at(0, 13)), at=at(0, 13))
    assert await begin(desk, ANA, only_first=True) is None


async def test_every_process_reads_the_trial_and_says_so(database: Database, desk: Desk) -> None:
    await mail(database, BEN)
    await begin(desk, ANA)
    await desk.hear(incoming("coal", 1, at=at(0, 13)), at=at(0, 13))
    orders = StandingOrders(database, desk.clock)
    assert not orders.may_send  # nothing is known yet
    await orders.read()
    assert orders.may_send and orders.trial == desk.trial
    await orders.count_held()
    assert "1 held; see `pledgewire trial status`" in orders.describe()
    assert (orders.may_tell(UUID(int=1), "email", ANA), orders.may_tell(UUID(int=1), "email", BEN)) == (True, False)
    await go_live(desk)
    await orders.read()
    assert orders.describe() == "ok" and orders.may_tell(UUID(int=1), "email", BEN)


async def test_operators_look_at_the_trial_and_end_it_over_http(
    http: httpx.AsyncClient, database: Database, desk: Desk
) -> None:
    await mail(database, BEN)
    await begin(desk, ANA)
    await desk.hear(incoming("coal", 1, at=at(0, 13), not_after=at(0, 14)), at=at(0, 13))
    shown = (await http.get("/trial", headers=by(http, "watch"))).json()
    assert (shown["is_on"], shown["by"], shown["allowed"]) == (True, "ops", [ANA])
    assert (shown["held"], shown["addresses"]) == (1, 1)
    for client in ("sre", "dos"):
        refused = [
            await http.get("/trial", headers=by(http, client)),
            await http.post("/trial/end", headers=by(http, client)),
        ]
        assert [answer.status_code for answer in refused] == [403, 403]
    ended = (await http.post("/trial/end", headers=by(http, "ops"))).json()
    again = (await http.post("/trial/end", headers=by(http, "ops"))).json()
    assert (ended["is_on"], ended["held"], again["held"]) == (False, 1, 0)


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("news"), st.integers(0, 2)),
        st.tuples(st.just("allow"), st.integers(0, 3)),
        st.tuples(st.just("disallow"), st.integers(0, 3)),
        st.tuples(st.just("begin"), st.booleans()),
        st.tuples(st.just("live"), st.booleans()),
    ),
    max_size=14,
)
_PEOPLE = ["ana@sre.example", "ben@gac.example", "eva@dos.example", "https://hooks.gac.example/x"]
_ENTRIES = ["ana@sre.example", "@gac.example", "eva@dos.example", "hooks.gac.example"]


@given(_STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_nobody_beside_the_list_is_told_while_a_trial_is_on_and_everything_comes_to_one_end(
    desk: Desk, database: Database, steps: list[tuple[str, Any]]
) -> None:
    """
    Whatever is allowed, taken back, begun and ended between the news, and however late a process hears of it: what is
    told, the list as the process knew it allowed; and in the end, with no trial, each delivery has ended once.
    """
    await empty(database)
    desk.told.clear()
    desk.clock.set(START)
    for address in _PEOPLE:
        await (subscribe(database, address) if "//" in address else mail(database, address))
    await begin(desk)
    count = seen = 0
    for what, how in [*steps, ("live", True)]:
        now = desk.clock.now() + timedelta(minutes=10)
        desk.clock.set(now)
        known = desk.trial
        match what:
            case "news":
                count += 1
                await desk.hear(incoming(f"c{how}", count, at=now), at=now)
            case "allow" | "disallow":
                entries = [_ENTRIES[how]]
                await change(desk, *((entries, []) if what == "allow" else ([], entries)), is_read=False)
            case "begin":
                await begin(desk, ANA)
                known = desk.trial
            case "live":
                await go_live(desk, is_read=how)
                known = desk.trial
        for _, members in desk.told[seen:]:
            for member in members:
                to = member.recipient
                assert known is None or known.permits(to.id, to.channel, to.address)
        seen = len(desk.told)
        await read(desk)
        await desk.settle()
        for _, members in desk.told[seen:]:
            for member in members:
                to = member.recipient
                assert desk.trial is None or desk.trial.permits(to.id, to.channel, to.address)
        seen = len(desk.told)
    rows = await desk.rows()
    assert len(rows) == count * len(_PEOPLE)
    assert {row["state"] for row in rows} <= {"delivered", "suppressed"}
    assert {row["reason"] for row in rows if row["state"] == "suppressed"} <= {"overtaken"}
    told_once = Counter((m.recipient.id, m.event_id) for _, members in desk.told for m in members)
    assert set(told_once.values()) <= {1}
