"""What KEDA asks to know how many notifiers are wanted, on a real PostgreSQL."""

from services.cli.kubernetes.scaling import due_query
from services.cli.kubernetes.values import read_values
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import Capacity
from services.notifier.delivery.fan_out import FanOut
from services.plumbing.database import Database
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming, subscribe


async def test_it_counts_what_a_claim_would_find(database: Database) -> None:
    """
    Twelve are due, seven of them are claimed, and three are their receiver's to wait for: two are left.
    """
    for number in range(3):
        await subscribe(database, f"https://hooks.example.org/{number}")
    await FanOut(database, lease_seconds=60).apply([incoming(f"c-{n}") for n in range(4)], NOW, NO_CAPACITY)

    assert await due(database) == 12
    claimed = await DeliveryClaims(database, lease_seconds=60).claim(NOW, Capacity(7, 7, 7, {}))
    assert await due(database) == 12 - len(claimed) == 5
    async with database.connection() as connection:
        await connection.execute(
            "update delivery set paced = true where id in (select id from delivery where state = 'pending' limit 3)"
        )
    assert await due(database) == 2


async def due(database: Database) -> int:
    async with database.connection() as connection:
        (row,) = await connection.fetch(due_query(read_values()))
        return int(row[0])
