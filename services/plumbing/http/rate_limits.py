"""How often something may happen under a name: so many times in a minute, and so many at once, in one process's memory.

Names are addresses, ids of keys, or whatever else the asker counts by.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

MOST_NAMES = 10_000
"""Names that are remembered; who was counted longest ago is forgotten first."""


@dataclass
class _Allowance:
    left: float
    at: float


class RateLimits:
    """A bucket of tokens for each name, which fills again as time goes by."""

    def __init__(
        self, per_minute: float, at_once: float | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """So often in a minute, and so often without a pause: unless given, as often as in a minute."""
        self._per_second = per_minute / 60
        self._at_once = at_once if at_once is not None else per_minute
        self._monotonic = monotonic
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()

    def count(self, names: Iterable[str]) -> float:
        """Count one under each name; how many seconds to wait, 0 where none of them has done it too often."""
        now = self._monotonic()
        return max((self._wait(name, now) for name in names), default=0.0)

    def _wait(self, name: str, now: float) -> float:
        known = self._allowances.pop(name, None) or _Allowance(self._at_once, now)
        left = min(self._at_once, known.left + (now - known.at) * self._per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._allowances[name] = _Allowance(left - 1 if left >= 1 else left, now)
        while len(self._allowances) > MOST_NAMES:
            self._allowances.popitem(last=False)
        return wait


def client_address(host: str) -> IPv4Address | IPv6Address | None:
    """Who asks: the IPv4 address where a socket for both kinds shows it inside an IPv6 one; None for no address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def address_name(host: str) -> str:
    """What an address counts as: of IPv6 its network of 64 bits, which one machine has all of."""
    address = client_address(host)
    if address is None:
        return f"address {host}"
    if address.version == 6:
        return f"address {ipaddress.ip_network((address, 64), strict=False)}"
    return f"address {address}"
