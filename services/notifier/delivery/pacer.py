"""Pace within one process: limits of platforms that the database does not know of yet, and when to claim."""

import time
from datetime import datetime

from services.notifier.delivery.deliveries import Delivery
from services.notifier.delivery.lanes import Lanes
from services.notifier.delivery.paced_claims import PacedClaims
from services.notifier.delivery.pacing import MARGIN
from services.notifier.delivery.platform_limits import PlatformLimits

_EVERY = 0.1
"""Seconds between two claims while others are claimed without a pause."""


class Pacer:
    """Keeps the platforms' limits, and claims what is sent at a pace."""

    def __init__(self, claims: PacedClaims, limits: PlatformLimits) -> None:
        self._claims = claims
        self._limits = limits
        self._unknown: dict[bytes, float | None] = {}
        self._claimed = float("-inf")

    def may_start(self, delivery: Delivery) -> bool:
        """Whether a claimed delivery may be sent; if not, it goes back, and is claimed again at its pace."""
        limit = self._limits.of(delivery.recipient.channel, delivery.recipient.address)
        if delivery.slot is None:
            if limit is not None:
                self._unknown[delivery.destination] = limit
            return limit is None
        if delivery.slot.fastest != (MARGIN / limit if limit else 0.0):
            self._unknown[delivery.destination] = limit  # the operator has set another one
        return True

    async def introduce(self, now: datetime) -> None:
        """Write down the limits of destinations that were met for the first time."""
        if self._unknown:
            unknown, self._unknown = self._unknown, {}
            try:
                await self._claims.introduce(unknown, now)
            except BaseException:
                self._unknown = unknown | self._unknown
                raise

    def is_due(self, monotonic: float, *, idle: bool) -> bool:
        """Whether to claim now: whenever nothing else is to be claimed, and now and then in between."""
        return idle or monotonic - self._claimed >= _EVERY

    @property
    def waits(self) -> bool:
        """Whether something waits that is sent at a pace, as the last claim saw it."""
        return self._claims.waits

    async def claim(self, now: datetime, most: int, lanes: Lanes) -> list[Delivery]:
        """Take in hand what has its time soon, and stop what was given its time before somebody was told to wait."""
        self._claimed = time.monotonic()
        lanes.begin_rounds(await self._claims.rounds(lanes.paced()))
        monotonic, most = time.monotonic(), min(most, lanes.room_at_a_pace())
        return await self._claims.claim(now, most, lanes.closed(monotonic), takes_mail=lanes.takes_mail(monotonic))
