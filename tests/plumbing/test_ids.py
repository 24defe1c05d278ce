"""Ids that are derived: the same for the same, another one for anything else, and what RFC 9562 calls version 8."""

from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from services.plumbing.ids import derived_id

PARTS = st.lists(st.text(max_size=8) | st.integers(0, 99) | st.none(), max_size=4)


@given(st.text(max_size=8), PARTS, st.text(max_size=8), PARTS)
def test_a_derived_id_is_the_same_for_the_same_parts_only(kind: str, about: list, other: str, others: list) -> None:
    id_ = derived_id(kind, *about)

    assert (id_.version, id_.variant) == (8, RFC_4122)
    assert id_ == derived_id(kind, *about)
    assert (id_ == derived_id(other, *others)) == ((kind, about) == (other, others))


def test_a_derived_id_stays_what_it_is() -> None:
    """It is recognised in other databases and by receivers, for ever: the way it is derived never changes."""
    assert str(derived_id("milestone-due", "m-1", 2, "before-7d", None)) == "2f551532-1529-8844-8d9a-4541989af1af"
