"""The log of deliveries on a real PostgreSQL."""

from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.log import DeliveryLog
from services.plumbing.database import Database
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming, subscribe


async def test_the_law_of_conservation_is_counted_from_both_sides(database: Database):
    fan_out = FanOut(database, lease_seconds=60)
    for n in range(3):
        await subscribe(database, f"https://hooks.example.org/{n}")
    await fan_out.apply([incoming(seq=n) for n in range(4)], NOW, NO_CAPACITY)

    events, owed, rows = await DeliveryLog(database).conservation()

    assert (events, owed, rows) == (4, 12, [("webhook", "pending", 12)])
