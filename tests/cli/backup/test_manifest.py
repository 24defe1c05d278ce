"""How topics stand to a backup: what came since, what is lost, and nothing where nothing has changed."""

from hypothesis import given
from hypothesis import strategies as st

from services.cli.backup.manifest import compared
from services.cli.backup.programs import connection_variables

ENDS = st.dictionaries(
    st.sampled_from("abc"), st.dictionaries(st.integers(0, 3), st.integers(0, 50), max_size=4), max_size=3
)


@given(ENDS, ENDS)
def test_what_came_and_what_is_lost_make_up_the_difference(
    then: dict[str, dict[int, int]], now: dict[str, dict[int, int]]
) -> None:
    found = {one.topic: one for one in compared(then, now)}

    for topic in {*then, *now}:
        difference = sum(now.get(topic, {}).values()) - sum(then.get(topic, {}).values())
        assert difference == (found[topic].newer - found[topic].lost if topic in found else 0)
    assert all(one.newer or one.lost for one in found.values())
    assert compared(now, now) == []


def test_a_topic_that_is_gone_has_lost_all_and_one_that_grew_nothing() -> None:
    found = compared({"a": {0: 5, 1: 2}, "b": {0: 1}}, {"b": {0: 4}})

    assert [(one.topic, one.newer, one.lost) for one in found] == [("a", 0, 7), ("b", 3, 0)]
    assert "published again" in str(found[0]) and "3 records came since" in str(found[1])


def test_a_password_travels_in_no_argument() -> None:
    """
    A URL becomes libpq's variables, a socket's folder and characters that are escaped in it, too.
    """
    assert connection_variables("postgresql://me:p%40ss@/wire?host=/tmp/x&port=5433") == {
        "PGHOST": "/tmp/x",
        "PGPORT": "5433",
        "PGUSER": "me",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "wire",
    }
    assert connection_variables("postgresql://me@db.example:5432/wire?sslmode=verify-full") == {
        "PGHOST": "db.example",
        "PGPORT": "5432",
        "PGUSER": "me",
        "PGDATABASE": "wire",
        "PGSSLMODE": "verify-full",
    }
