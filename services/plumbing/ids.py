"""Ids: fresh ones that sort roughly by time, and ones that are derived from what they are about.

Both are UUIDs of RFC 9562: version 7 (5.7) and version 8 (5.8, by the example of its appendix B.2).
"""

import hashlib
import json
import os
import time
from uuid import UUID

UUID8_V1 = """
create function uuid8(bytes bytea) returns uuid
language sql immutable parallel safe
return encode(
    set_byte(set_byte(bytes, 6, get_byte(bytes, 6) & 15 | 128), 8, get_byte(bytes, 8) & 63 | 128), 'hex'
)::uuid;
"""
"""`uuid8` for a service's schema, held against the function below by a property. PostgreSQL puts its expression in the
place of each call, so its argument should be a column and nothing that is worked out three times."""


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of milliseconds, 74 random bits.

    The time in it is the machine's, never the settable clock's: an id has to be unique, not to tell business time.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    return UUID(int=high | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF)


def derived_id(namespace: UUID, name: bytes) -> UUID:
    """The id of what `name` says within a namespace, today and for ever: a UUIDv8 over SHA-256 (RFC 9562, B.2)."""
    return uuid8(hashlib.sha256(namespace.bytes + name).digest()[:16])


def uuid8(bytes_: bytes) -> UUID:
    """A UUIDv8 of sixteen bytes (RFC 9562, 5.8); six of their bits give way to version and variant."""
    value = int.from_bytes(bytes_)
    return UUID(int=value & ~(0xF << 76) & ~(0b11 << 62) | 0x8 << 76 | 0b10 << 62)


_ABOUT = UUID("b3c9a3f6-6c5b-8f0e-9a55-2f7d0c1e4d11")


def id_about(kind: str, *about: str | int | None) -> UUID:
    """The id of what this kind of thing is about: the same parts always give the same one, other parts another one.

    By it a repeat is recognised for ever, also in a database that was restored from a backup: the way it is derived
    must never change. The parts go in as a JSON array, so that no two ways to cut a text into parts meet.
    """
    return derived_id(_ABOUT, json.dumps([kind, *about], ensure_ascii=False, separators=(",", ":")).encode())
