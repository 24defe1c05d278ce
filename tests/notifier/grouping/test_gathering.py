"""The rule of groups: everybody is in one, each has one leader, and nobody waits longer than the first."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.grouping.gathering import Gathered, places

NOW = datetime(2023, 7, 24, 15, 30, tzinfo=UTC)
groups = st.integers(1, 4).map(lambda n: UUID(int=n))
times = st.integers(0, 60).map(lambda n: NOW + timedelta(seconds=n))


@st.composite
def rows(draw: st.DrawFn) -> list[Gathered]:
    drawn = draw(st.lists(st.tuples(groups, times, st.booleans()), max_size=30))
    return [Gathered(UUID(int=100 + n), group, at, "window", behind) for n, (group, at, behind) in enumerate(drawn)]


@given(rows(), st.dictionaries(groups, times, max_size=4))
def test_each_row_has_its_place(written: list[Gathered], open_groups: dict[UUID, datetime]) -> None:
    found = {place.id: place for place in places(written, open_groups)}

    assert found.keys() == {row.id for row in written}
    for group in {row.group for row in written}:
        members = [row for row in written if row.group == group]
        assert {found[row.id].group for row in members} == {group}
        leaders = [row for row in members if found[row.id].leads]
        (until,) = {found[row.id].until for row in members}
        if group in open_groups:
            assert (leaders, until) == ([], open_groups[group])
        else:
            (leader,) = leaders
            assert until == min(row.until for row in members)
            assert not leader.is_behind or all(row.is_behind for row in members)
