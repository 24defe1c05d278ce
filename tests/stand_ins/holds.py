"""A scheduler that holds what it is asked to, and remembers it."""

from collections.abc import Sequence

from services.registry.actions.scheduler_holds import Hold, SchedulerAway


class RememberingHolds:
    """Holds like the real one; while it is `away` it refuses, and remembers nothing."""

    def __init__(self) -> None:
        self.taken: list[Hold] = []
        self.away = False

    async def take(self, holds: Sequence[Hold]) -> None:
        """Remember the holds, in the order in which they were taken."""
        if self.away:
            raise SchedulerAway("The scheduler is away in this test")
        self.taken += holds
