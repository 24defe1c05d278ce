"""Ids of events: UUID version 7, so that they sort roughly by the time they were made (RFC 9562, 5.7)."""

import os
import time
from uuid import UUID


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of milliseconds, 74 random bits.

    The time in it is the machine's, never the settable clock's: an id has to be unique, not to tell business time.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    return UUID(int=high | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF)
