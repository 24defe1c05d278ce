"""The stop switch: one call holds everything in every process, outlives them, and says what waits."""

from pathlib import Path

import httpx2 as httpx
import pytest

from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.standing_orders import StandingOrders
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.notifier.requests import by
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming, subscribe


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    clock = SharedClock(tmp_path / "clock-of-orders")
    clock.set(NOW)
    return clock


async def test_a_stop_is_known_to_every_process_at_its_next_reading_and_to_one_that_starts_later(
    http: httpx.AsyncClient, database: Database, clock: SharedClock
) -> None:
    await subscribe(database)
    await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
    one, other = StandingOrders(database, clock), StandingOrders(database, clock)
    assert not one.may_send  # nothing is known yet
    await one.read()
    await other.read()
    assert one.may_send and other.may_send

    stopped = await http.post("/sending/stop", json={"reason": "A wrong import"}, headers=by(http, "ops"))
    assert stopped.status_code == 200
    await one.read()
    await other.read()
    assert not one.may_send and not other.may_send
    later = StandingOrders(database, clock)
    await later.read()
    assert not later.may_send
    assert "by ops: A wrong import; 1 wait" in later.describe()
    shown = (await http.get("/sending", headers=by(http, "watch"))).json()
    assert (shown["is_stopped"], shown["by"], shown["reason"], shown["waiting"]) == (True, "ops", "A wrong import", 1)

    again = await http.post("/sending/stop", json={"reason": "Another reason"}, headers=by(http, "watch"))
    assert (again.json()["by"], again.json()["reason"]) == ("ops", "A wrong import")
    started = await http.post("/sending/start", headers=by(http, "watch"))
    assert (started.json()["is_stopped"], started.json()["waiting"]) == (False, 1)
    await later.read()
    assert later.may_send and later.describe() == "ok"


async def test_who_could_not_read_the_orders_for_long_sends_nothing(
    database: Database, clock: SharedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = StandingOrders(database, clock)
    await orders.read()
    assert orders.may_send
    monkeypatch.setattr("services.notifier.delivery.standing_orders.time.monotonic", lambda: float("inf"))
    assert not orders.may_send
    assert orders.describe() != "ok"


async def test_only_an_operator_stops_and_starts(http: httpx.AsyncClient) -> None:
    for client in ("sre", "dos"):
        for path in ("stop", "start"):
            answer = await http.post(f"/sending/{path}", json={"reason": "a"}, headers=by(http, client))
            assert answer.status_code == 403
        assert (await http.get("/sending", headers=by(http, client))).status_code == 403
