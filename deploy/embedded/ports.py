"""Ports of the loopback interface that nobody listens on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, count, islice

from deploy.embedded.errors import EmbeddedError

HOST = "127.0.0.1"
PORTS = range(20000, 32000)
_APART, _STEP = 1009, 7
"""How far two processes with neighbouring pids begin from each other, and from one port of a process to its next, which
leaves room for who takes the few behind one; primes, so that all ports come before one comes again."""
_turns = count()


@contextmanager
def free_ports(wanted: list[int]) -> Iterator[list[int]]:
    """Ports nobody listens on, the wanted ones where they are free (0 for any); held until the block ends.

    Between the end of the block and whoever is to listen there others look for ports, too. So one process gets a port
    once, and begins elsewhere than the next: drawn by lot, two of a dozen would be the same every two hundred starts.

    They lie below the range from which the kernel takes the near end of connections: there a port that is free now
    may be in use a moment later, and a client that tries it may even connect to itself.
    """
    with ExitStack() as held:
        ports = []
        for port in wanted:
            candidates = [port] if port else []
            for candidate in chain(candidates, islice(_own_ports(), 200)):
                probe = socket.socket()
                # As the broker does it: connections that are still winding down don't count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, candidate))
                    probe.listen(1)
                except OSError:
                    probe.close()
                    continue
                held.enter_context(probe)
                ports.append(candidate)
                break
            else:
                raise EmbeddedError(
                    f"no free port between {PORTS.start} and {PORTS.stop} on {HOST}",
                    "see what holds them (ss -ltn) and whether this user may open ports at all",
                )
        yield ports


def _own_ports() -> Iterator[int]:
    """Ports in this process's own order, each of which comes again only after all others."""
    for turn in _turns:
        yield PORTS[(os.getpid() * _APART + _STEP * turn) % len(PORTS)]


def why_not(host: str, port: int) -> OSError | None:
    """What keeps us from listening at this address now; None where nothing does."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None
