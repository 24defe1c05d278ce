"""Whether a host resolves to addresses that deliveries may go to: asked early, for a clear answer to the subscriber."""

import asyncio
import socket
from ipaddress import ip_address

from services.notifier.channels.ssrf_guard import AllowList

_DEADLINE = 5.0
"""Seconds."""


async def resolves_to_allowed(host: str, allowed: AllowList) -> bool:
    """Whether every address behind a name may be delivered to.

    A name that can't be resolved now passes: it may come into being later, and what counts is asked again at every
    connect.
    """
    try:
        async with asyncio.timeout(_DEADLINE):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return True
    return all(allowed.permits(ip_address(str(where[0]).split("%")[0]), host) for *_, where in found)
