"""Whether this process may send: not before its database was compared with the topics, nor while an operator is asked.

The relay keeps it up to date; whoever sends asks it, each time.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from prometheus_client import Gauge

HELD = Gauge(
    "pledgewire_recovery_held",
    "What waits for an operator's word, since the database was restored from a backup older than its topics",
)
CLOSED = Gauge(
    "pledgewire_sending_closed",
    "1 while this process sends nothing: it has not compared its database with the topics, or an operator is asked",
)


class SendingGate:
    """Closed at first; what it says is as old as the relay's last look, a second or so."""

    def __init__(self) -> None:
        self.compared = False
        """Whether the database has been compared with the ends of its topics."""
        self.held_since: datetime | None = None
        """Since when an operator's word is waited for."""
        self.held = 0
        """How many wait for it, when that was last counted."""
        CLOSED.set_function(lambda: 0 if self.is_open else 1)
        HELD.set_function(lambda: self.held if self.held_since else 0)

    def heard(self, held_since: datetime | None, held: int | None) -> None:
        """What the database says."""
        self.held_since, self.held = held_since, held or 0

    @property
    def is_open(self) -> bool:
        """Whether anything may be sent now."""
        return self.compared and self.held_since is None

    def unless_held(self, check: Callable[[], Awaitable[str | None]]) -> Callable[[], Awaitable[str | None]]:
        """A readiness check of what waits, which is as it should be while an operator's word is waited for."""

        async def asked() -> str | None:
            return None if self.held_since else await check()

        return asked

    def describe(self) -> str:
        """How it stands, for `/readyz`."""
        if self.held_since is not None:
            how_far = f"{self.held} wait" if self.compared else "still taking over what they know"
            return (
                f"held since {self.held_since:%Y-%m-%dT%H:%M:%SZ}: restored from a backup older than the topics;"
                f" {how_far}; see `pledgewire recovery status`"
            )
        return "ok" if self.compared else "not compared with the topics yet"
