"""Ids that are derived from what they are about: the same in Python and in SQL, and by the RFC."""

import hashlib
from uuid import UUID

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from services.plumbing.ids import UUID8_V1, derived_id, id_about, uuid8
from tests.conftest import FreshDatabase

PARTS = st.lists(st.text(max_size=8) | st.integers(0, 99) | st.none(), max_size=4)


@given(st.uuids(), st.binary(max_size=200))
def test_a_derived_id_is_a_uuid_of_version_8(namespace: UUID, name: bytes):
    id_ = derived_id(namespace, name)
    assert (id_.version, id_.variant) == (8, "specified in RFC 4122")
    assert id_ == derived_id(namespace, name) != derived_id(namespace, name + b"\0")


def test_the_example_of_the_rfc():
    """RFC 9562, B.2: the name www.example.com in the namespace of DNS names."""
    dns = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
    assert derived_id(dns, b"www.example.com") == UUID("5c146b14-3c52-8afd-938a-375d0df1fbf6")


async def test_sql_makes_of_bytes_what_python_makes(fresh_database: FreshDatabase):
    connection = await asyncpg.connect(await fresh_database({}))
    try:
        await connection.execute(UUID8_V1)
        of = [hashlib.sha256(bytes([n % 256]) * n).digest()[:16] for n in range(300)]
        of += [bytes([each]) * 16 for each in (0, 0x5A, 0xA5, 0xFF)]
        found = await connection.fetch("select uuid8(bytes) as id from unnest($1::bytea[]) as n(bytes)", of)
    finally:
        await connection.close()
    assert [row["id"] for row in found] == [uuid8(each) for each in of]


@given(st.text(max_size=8), PARTS, st.text(max_size=8), PARTS)
def test_what_is_about_the_same_has_the_same_id_and_nothing_else_has(
    kind: str, about: list[str | int | None], other: str, others: list[str | int | None]
) -> None:
    assert id_about(kind, *about) == id_about(kind, *about)
    assert (id_about(kind, *about) == id_about(other, *others)) == ((kind, about) == (other, others))


def test_the_way_from_what_it_is_about_to_an_id_never_changes() -> None:
    """Readers and other databases have these ids already."""
    assert str(id_about("milestone-due", "m-1", 2, "before-7d", None)) == "e9a7af2d-51f9-83f4-ba9c-77d40dc88731"
