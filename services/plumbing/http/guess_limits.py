"""How often somebody may show a wrong key: so many in a minute for each address, and for each key id that they name.

A key that is right is let in whatever others have tried: with 256 random bits nobody guesses one, and whoever knows
the id of a key, or stands behind the same proxy, must not be able to lock its owner out. What the limit ends is the
work and the noise that guessing makes.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

MOST_NAMES = 10_000
"""Addresses and ids that are remembered; who failed longest ago is forgotten first."""


@dataclass
class _Allowance:
    left: float
    at: float


class GuessLimits:
    """Counts wrong keys, in the memory of one process."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Each name may fail so often in a minute, and so often at once."""
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()

    def count(self, names: Iterable[str]) -> float:
        """Count one failure under each name; how many seconds to wait, 0 where none of them has failed too often."""
        now = self._monotonic()
        return max((self._wait(name, now) for name in names), default=0.0)

    def _wait(self, name: str, now: float) -> float:
        known = self._allowances.pop(name, None) or _Allowance(self._per_minute, now)
        left = min(self._per_minute, known.left + (now - known.at) * self._per_minute / 60)
        wait = 0.0 if left >= 1 else (1 - left) * 60 / self._per_minute
        self._allowances[name] = _Allowance(left - 1 if left >= 1 else left, now)
        while len(self._allowances) > MOST_NAMES:
            self._allowances.popitem(last=False)
        return wait


def address_name(host: str) -> str:
    """What an address counts as: of IPv6 its network of 64 bits, which one machine has all of."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"address {host}"
    if address.version == 6:
        return f"address {ipaddress.ip_network((address, 64), strict=False)}"
    return f"address {address}"
