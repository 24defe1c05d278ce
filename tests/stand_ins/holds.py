"""A scheduler that holds what it is asked to, and remembers it."""

from collections.abc import Sequence

from services.registry.actions.holds import ScheduleHold, SchedulerUnavailable


class RememberingHolds:
    """Holds like the real one; while it is `away` it refuses, and remembers nothing."""

    def __init__(self) -> None:
        self.taken: list[ScheduleHold] = []
        self.away = False

    async def take(self, holds: Sequence[ScheduleHold]) -> None:
        """Remember the holds, in the order in which they were taken."""
        if self.away:
            raise SchedulerUnavailable("The scheduler is away in this test")
        self.taken += holds
