"""Ids of events.

What happens once and is known by nothing else gets a UUID version 7, which sorts roughly by the time at which it was
made (RFC 9562, 5.7). What is the same whenever it is said again, such as a reminder, gets an id that is derived from
what it is about: version 8 over a SHA-256 (RFC 9562, 5.8), so that a repeat is recognisable for ever.
"""

import hashlib
import json
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


def derived_id(kind: str, *about: str | int | None) -> UUID:
    """The id of what this kind of thing is about: the same parts always give the same UUIDv8, other parts another one.

    122 bits of SHA-256 over the parts as a JSON array, so that no two ways to cut a text into parts collide.
    """
    digest = hashlib.sha256(json.dumps([kind, *about], ensure_ascii=False, separators=(",", ":")).encode()).digest()
    bits = int.from_bytes(digest[:16])
    return UUID(int=bits & ~(0xF << 76) & ~(0b11 << 62) | 0x8 << 76 | 0b10 << 62)
